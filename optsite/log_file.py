"""The log file, written and rotated by several processes at once."""

from __future__ import annotations

import io
import logging
from logging.handlers import WatchedFileHandler
from pathlib import Path

from filelock import FileLock

MAX_BYTES = 10_000_000
KEPT = 5


class SharedLogFile(WatchedFileHandler):
    """Appends to one file that many processes share; made with its folder when the first line is written.

    Whoever finds it over ``max_bytes`` renames it under a lock; the others see the new inode and follow.
    """

    def __init__(self, path: str, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> None:
        self.max_bytes = max_bytes
        self.kept = kept
        super().__init__(path, encoding="utf-8", delay=True)

    def _open(self) -> io.TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return super()._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, having rotated the file where it has grown too long."""
        if self._too_long():
            self._rotate()
        super().emit(record)

    def _too_long(self) -> bool:
        try:
            return Path(self.baseFilename).stat().st_size >= self.max_bytes
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        with FileLock(f"{self.baseFilename}.lock"):
            if not self._too_long():
                return
            path = Path(self.baseFilename)
            for number in range(self.kept - 1, 0, -1):
                older = path.with_name(f"{path.name}.{number}")
                if older.exists():
                    older.replace(path.with_name(f"{path.name}.{number + 1}"))
            path.replace(path.with_name(f"{path.name}.1"))
