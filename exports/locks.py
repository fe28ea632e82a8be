"""Kernel locks that say who holds them: freed by the kernel when their holder dies, kill -9 included."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from exports.folders import MarketFolder

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.05
PUBLISH_LOCK = "publish.lock"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: process id, what for, and since when (RFC 3339, UTC)."""

    pid: int
    purpose: str
    since: str


class LockHeld(Exception):
    """Another one holds the lock. ``holder`` is None where the holder left no word of itself."""

    def __init__(self, name: str, holder: Holder | None) -> None:
        self.holder = holder
        self.since = holder.since if holder else None
        if holder:
            super().__init__(f"{name} is held by PID {holder.pid} ({holder.purpose}) since {holder.since}")
        else:
            super().__init__(f"{name} is held by another process")


class KernelLock:
    """One kernel lock on ``path``; a holder file beside it names process, purpose and time.

    The lock itself is the kernel's, never the holder file: a holder file that a dead process left means nothing.
    """

    def __init__(self, path: Path, purpose: str) -> None:
        self.path = path
        self.purpose = purpose
        self.holder_path = path.with_name(path.name + ".holder")
        self._lock = FileLock(path, fallback_to_soft=False)

    def acquire(self, timeout: float = 0.0) -> Self:
        """Take the lock within ``timeout`` seconds; raise LockHeld where another one keeps it longer.

        Raises OSError where the lock file cannot be made (a read-only or full disk).
        """
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=timeout, poll_interval=POLL_SECONDS)
        except Timeout:
            raise LockHeld(self.path.name, self.holder()) from None
        self._sign()
        return self

    def release(self) -> None:
        """Give the lock back."""
        # Removed before the lock is freed: afterwards the file may be the next holder's.
        with suppress(OSError):
            self.holder_path.unlink(missing_ok=True)
        self._lock.release()

    def holder(self) -> Holder | None:
        """Return who last signed, or None where nobody did or the signature cannot be read."""
        try:
            signed = json.loads(self.holder_path.read_bytes())
            return Holder(int(signed["pid"]), str(signed["purpose"]), str(signed["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def held_here(self) -> bool:
        """Return whether this object holds the lock."""
        return self._lock.is_locked

    def held(self) -> bool:
        """Return whether somebody holds the lock now; raise OSError where the lock file cannot be made."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return True
        self._lock.release()
        return False

    def _sign(self) -> None:
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            self.holder_path.write_text(json.dumps(asdict(Holder(os.getpid(), self.purpose, since))))
        except OSError as error:
            logger.warning("%s is held, but its holder could not be written: %s", self.path.name, error)

    def __enter__(self) -> Self:
        """Take the lock at once where ``acquire`` did not take it before."""
        if not self._lock.is_locked:
            self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self.release()


def publish_lock(folder: MarketFolder, purpose: str) -> KernelLock:
    """Return the lock that guards the export folder's manifest, archive and live.json."""
    return KernelLock(folder.lock_dir / PUBLISH_LOCK, purpose)
