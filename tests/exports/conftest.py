"""Folders in memory, for tests that publish hundreds of times: a process's death is the same there as on a disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def memory_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder in memory, a common one where the machine has no memory file system."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path_factory.mktemp("memory")
        return
    folder = Path(tempfile.mkdtemp(prefix="optsite-tests-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder)
