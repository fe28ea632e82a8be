"""Feeds: whose numbers a provider passes on, and what is a fact of the feed wherever its numbers were read.

A recording may be of any of them, so a chain states its feed where it is not its provider's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed's facts.

    Attributes:
        name: yahoo, cboe or demo.
        delay: how old its quotes are where they state no time.
        vendor_implied_volatility: its unit and what stands for no value, None where it states none.
        vendor_delta: its unit, None where it states none.
        fills_in: whether it fills in powers of a half, or 1e-5, where its own solver failed.
        volume_of_session: whether each session's volume begins at 0; a feed where it does not leaves the volume of
            the day on which a contract last traded.
    """

    name: str
    delay: timedelta
    vendor_implied_volatility: str | None
    vendor_delta: str | None
    fills_in: bool
    volume_of_session: bool

    def facts(self) -> dict[str, Any]:
        """Return the facts, JSON-ready."""
        return {
            "delay_seconds": int(self.delay.total_seconds()),
            "vendor_implied_volatility": self.vendor_implied_volatility,
            "vendor_delta": self.vendor_delta,
            "fills_in": self.fills_in,
            "volume_of_session": self.volume_of_session,
        }


FEEDS: dict[str, Feed] = {
    feed.name: feed
    for feed in (
        Feed(
            name="yahoo",
            delay=timedelta(minutes=15),
            vendor_implied_volatility="decimal per year",
            vendor_delta=None,
            fills_in=True,
            volume_of_session=False,
        ),
        Feed(
            name="cboe",
            delay=timedelta(minutes=15),
            vendor_implied_volatility="decimal per year; 0 in the table is unsolved and null here",
            vendor_delta="per 1 of the underlying's price, negative for puts",
            fills_in=False,
            volume_of_session=True,
        ),
        Feed(
            name="demo",
            delay=timedelta(0),
            vendor_implied_volatility="decimal per year",
            vendor_delta=None,
            fills_in=True,
            volume_of_session=True,
        ),
    )
}


def joined(feeds: Iterable[str]) -> str:
    """Return several feeds as one text: their names in order, each once, joined by commas."""
    return ",".join(sorted(set(feeds)))
