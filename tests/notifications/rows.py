"""Channels as tests need them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from collector.models import Channel
from tests.notifications.events import NOON, SECRET


def channel(name: str = "hook", **changes: Any) -> Channel:
    """Make a channel that is older than any event."""
    made = Channel.objects.create(
        **{
            "market": "demo",
            "name": name,
            "kind": "webhook",
            "target_url": "http://127.0.0.1:9/hook",
            "secret": SECRET,
            **changes,
        }
    )
    Channel.objects.filter(pk=made.pk).update(created_at=NOON - timedelta(days=1))
    made.refresh_from_db()
    return made
