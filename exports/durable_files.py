"""Files that are whole or absent: written beside, forced to the disk, then renamed into place."""

from __future__ import annotations

import errno
import os
from pathlib import Path

TEMPORARY = ".tmp"

REMEDIES = {
    errno.ENOSPC: "the disk is full; free space or lower OPTSITE_ARCHIVE_MAX_GB",
    errno.EDQUOT: "the disk quota is used up; free space or lower OPTSITE_ARCHIVE_MAX_GB",
    errno.EROFS: "the file system is read-only; mount it writable or set OPTSITE_DATA_DIR to another folder",
    errno.EACCES: "permission denied; make the folder writable for this user or set OPTSITE_DATA_DIR to another folder",
    errno.EPERM: "not permitted; make the folder writable for this user or set OPTSITE_DATA_DIR to another folder",
}


def explain(error: OSError) -> str:
    """Return one line that names the path, what the system said and what would do."""
    said = REMEDIES.get(error.errno or 0, (error.strerror or str(error)).lower())
    return f"{error.filename}: {said}" if error.filename else said


def temporary(path: Path) -> Path:
    """Return where ``path`` is written before it is renamed."""
    return path.with_name(path.name + TEMPORARY)


def write_durably(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write ``content`` beside ``path``, force it to the disk, rename it to ``path``; raise OSError.

    The folder is not forced: whoever renames several files does that once, by ``force_folder``.
    """
    beside = temporary(path)
    with open(beside, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fchmod(stream.fileno(), mode)
        os.fsync(stream.fileno())
    os.rename(beside, path)


def force_folder(folder: Path) -> None:
    """Force the names in ``folder`` to the disk: without it a renamed file can be gone after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
