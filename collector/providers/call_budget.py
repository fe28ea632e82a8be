"""How many requests may still be made this hour and this day: one count, shared by all processes of a data folder.

The count lies in a small file, so it outlives every process, and a kernel lock orders those that spend at once. The
windows roll: the last 60 minutes and the last 24 hours, counted by minute and so up to a minute longer, never shorter.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from collector.providers.base import ProviderError

logger = logging.getLogger(__name__)

HOUR = 60
DAY = 24 * HOUR
LOCK_SECONDS = 10.0


class BudgetSpent(ProviderError):
    """The calls of this hour or this day are used up, or can't be counted; no request was made."""

    reason = "budget"
    ends_scan = True


@dataclass(frozen=True, slots=True)
class CallsUsed:
    """Requests made in the last hour and in the last day."""

    hour: int
    day: int


class CallBudget:
    """The calls that a provider's terms and patience allow, and how many of them are used.

    ``path`` is the file of the count, in the data folder; its lock lies beside it. ``per_hour`` and ``per_day`` are
    OPTSITE_CALLS_PER_HOUR and OPTSITE_CALLS_PER_DAY. ``used`` and ``left`` raise OSError where the file can't be read
    or another process keeps its lock for 10 seconds. ``now`` is aware; by default the wall clock.
    """

    def __init__(self, path: Path, per_hour: int, per_day: int) -> None:
        if per_hour < 1 or per_day < 1:
            raise ValueError(f"A call budget is at least 1 an hour and 1 a day, not {per_hour} and {per_day}")
        self.path = path
        self.per_hour = per_hour
        self.per_day = per_day

    def spend(self, calls: int = 1, now: datetime | None = None) -> None:
        """Count ``calls`` requests before they are made.

        Raises BudgetSpent, counting none, where they are too many or the count can't be kept.
        """
        minute = _minute(now)
        try:
            with self._lock():
                counts = self._read()
                self._refuse_more_than_left(_used(counts, minute), calls)
                counts[minute] = counts.get(minute, 0) + calls
                self._write({m: count for m, count in counts.items() if m >= minute - DAY})
        except OSError as error:
            raise BudgetSpent(f"The count of calls can't be kept in {self.path}, so none is made: {error}") from error

    def used(self, now: datetime | None = None) -> CallsUsed:
        """Return the requests counted in the last hour and day."""
        with self._lock():
            return _used(self._read(), _minute(now))

    def left(self, now: datetime | None = None) -> int:
        """Return how many requests may be made now: the smaller of what hour and day have left, at least 0."""
        used = self.used(now)
        return max(0, min(self.per_hour - used.hour, self.per_day - used.day))

    def _refuse_more_than_left(self, used: CallsUsed, calls: int) -> None:
        if used.hour + calls > self.per_hour:
            raise BudgetSpent(f"The {self.per_hour} calls of this hour are used up (OPTSITE_CALLS_PER_HOUR)")
        if used.day + calls > self.per_day:
            raise BudgetSpent(f"The {self.per_day} calls of this day are used up (OPTSITE_CALLS_PER_DAY)")

    def _lock(self) -> FileLock:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A lock of its own each time: threads that shared one would be let in together.
        return FileLock(self.path.with_name(self.path.name + ".lock"), timeout=LOCK_SECONDS)

    def _read(self) -> dict[int, int]:
        """Return calls by minute of the epoch; a file that can't be read is said, and counts as none."""
        try:
            stated = json.loads(self.path.read_bytes())["minutes"]
            return {int(minute): int(count) for minute, count in stated.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.warning("The count of calls in %s can't be read, it starts again at 0: %s", self.path, error)
            return {}

    def _write(self, counts: dict[int, int]) -> None:
        """Replace the file in one step, so that a crash leaves the old count or the new one."""
        handle, name = tempfile.mkstemp(prefix=self.path.name + ".", suffix=".tmp", dir=self.path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w") as file:
                json.dump({"minutes": {str(minute): counts[minute] for minute in sorted(counts)}}, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def _minute(now: datetime | None) -> int:
    return int((now or datetime.now(UTC)).timestamp()) // 60


def _used(counts: dict[int, int], minute: int) -> CallsUsed:
    """Sum both windows. Minutes still to come count too: a clock set back must not give calls anew."""
    return CallsUsed(
        hour=sum(count for m, count in counts.items() if m >= minute - HOUR),
        day=sum(count for m, count in counts.items() if m >= minute - DAY),
    )
