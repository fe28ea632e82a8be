"""Apprise, from this side of the process that it runs in."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from django.conf import settings

from collector.notifications.delivery_error import DeliveryError, refusal
from collector.notifications.letter import Letter

MODULE = "collector.notifications.apprise_child"
SECONDS = 30.0


def is_readable(url: str) -> bool:
    """Say whether Apprise can read an address; nothing is sent. Raises DeliveryError where it could not be asked."""
    return bool(_ask({"url": url}, SECONDS)["readable"])


def send(url: str, letter: Letter, seconds: float = SECONDS) -> None:
    """Send one letter through Apprise; return once the service took it.

    What is longer than the service takes arrives in pieces. Raises DeliveryError where the service did not take it:
    permanent where it answered 4xx, or where the address cannot be read.
    """
    answer = _ask({"url": url, "title": letter.title, "text": letter.text}, seconds)
    if answer["sent"]:
        return
    if not answer["readable"]:
        raise DeliveryError("has an address that Apprise cannot read: enter it anew", permanent=True)
    raise refusal(answer["status"]) if answer["status"] else DeliveryError("did not take the message")


def _ask(order: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Run one order in a child and return its answer."""
    try:
        ran = subprocess.run(
            [sys.executable, "-m", MODULE],
            cwd=settings.BASE_DIR,
            input=json.dumps({**order, "seconds": seconds}),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DeliveryError("did not answer in time") from None
    lines = ran.stdout.strip().splitlines()
    if ran.returncode != 0 or not lines:
        raise DeliveryError(f"made Apprise fail (exit code {ran.returncode})")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer
