"""What one ticker's recording is: a part of a frame file, Yahoo's bodies of one sitting, or a table of Cboe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

SITTING = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class FrameFile:
    """A ticker's part of a frame file."""

    path: Path
    stamp: datetime
    ticker: str


@dataclass(frozen=True, slots=True)
class BodyFile:
    """An options body: the expirations that it lists, and those whose contracts it holds."""

    path: Path
    stamp: datetime
    ticker: str
    listed: tuple[date, ...]
    held: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class TableFile:
    """A quote table of Cboe. ``stamp`` is its header's time, or where ``told`` the time of its quotes a user told."""

    path: Path
    stamp: datetime
    ticker: str
    told: bool


@dataclass(frozen=True, slots=True)
class ChartFile:
    """A chart body: daily bars. ``stamp`` is its quote's time, so the earliest that it can have been made."""

    path: Path
    stamp: datetime
    ticker: str


@dataclass(frozen=True, slots=True)
class Recording:
    """One ticker at one moment: a frame, a table, or the bodies of one sitting, oldest first.

    ``stamp`` is the newest of its files' stamps.
    """

    ticker: str
    stamp: datetime
    frame: FrameFile | None = None
    table: TableFile | None = None
    bodies: tuple[BodyFile, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of its newest file."""
        return (self.frame or self.table or self.bodies[-1]).path.name


def sittings(bodies: Iterable[BodyFile]) -> list[Recording]:
    """Group one ticker's bodies into recordings.

    Yahoo answers one expiration a request, so a sitting is several bodies some seconds apart. A new one begins where
    an expiration comes again, or 10 minutes after the first body.
    """
    groups: list[list[BodyFile]] = []
    for body in sorted(bodies, key=lambda body: (body.stamp, body.path.name)):
        group = groups[-1] if groups else []
        held = {expiration for member in group for expiration in member.held}
        if not group or body.stamp - group[0].stamp > SITTING or not held.isdisjoint(body.held):
            groups.append([body])
        else:
            group.append(body)
    return [Recording(group[-1].ticker, group[-1].stamp, bodies=tuple(group)) for group in groups]
