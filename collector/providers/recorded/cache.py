"""The files of a folder that were opened last, parsed once although several threads ask at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

Content = TypeVar("Content")


class FileCache(Generic[Content]):
    """Keeps what ``read`` made of the ``size`` files asked for last. What ``read`` raises is not kept."""

    def __init__(self, read: Callable[[Path], Content], size: int) -> None:
        self._read = read
        self._size = size
        self._kept: OrderedDict[Path, Content] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path) -> Content:
        """Return the file's content, read where it is not kept."""
        with self._lock:
            if path not in self._kept:
                content = self._read(path)
                while len(self._kept) >= self._size:
                    self._kept.popitem(last=False)
                self._kept[path] = content
            self._kept.move_to_end(path)
            return self._kept[path]
