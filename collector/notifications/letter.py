"""What one channel is told of one event: words for people, a document for programs, and one key for all attempts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

# Long enough for any alert; services that take less get it in pieces.
TEXT_LENGTH = 6_000
NEWS = {"new": "new alert", "ended": "ended", "verdict": "verdict", "digest": "many new alerts", "test": "test"}


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as it is sent. ``content`` is JSON in UTF-8, ``key`` the idempotency key."""

    key: str
    title: str
    text: str
    content: bytes


def idempotency_key(market: str, event_id: str, channel: str) -> str:
    """Return the key that every attempt to tell this event over this channel carries: 40 hexadecimal digits."""
    return hashlib.sha256("\n".join((market, event_id, channel)).encode()).hexdigest()[:40]


def letter(channel: str, document: Mapping[str, Any]) -> Letter:
    """Return the letter for a channel.

    Args:
        channel: its name.
        document: ``event_id``, ``alert_id``, ``kind``, ``market``, ``at`` and ``alert``, the record, as JSON values.

    The same arguments give the same bytes, so a repeated attempt is recognised by key and by content.
    """
    market, alert = document["market"], document["alert"]
    subject = " ".join(str(alert[name]).replace("_", " ") for name in ("ticker", "detector") if alert.get(name))
    news = NEWS.get(document["kind"], document["kind"])
    score = f", score {alert['score']:.0f}" if document["kind"] == "new" and alert.get("score") is not None else ""
    marking = "" if market == "live" else f"[{market}] "
    number = f"Alert {document['alert_id']}" if document["alert_id"] else None
    lines = [alert.get("summary"), alert.get("reason"), number]
    return Letter(
        key=idempotency_key(market, document["event_id"], channel),
        title=f"{marking}{subject}: {news}{score}" if subject else f"{marking}{news.capitalize()}",
        text=_cut("\n\n".join(line for line in lines if line)),
        content=orjson.dumps(dict(document), option=orjson.OPT_SORT_KEYS),
    )


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 2]} …"
