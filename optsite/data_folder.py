"""The data folder and the key kept in it, made by whoever comes first."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key


class DataFolderUnusable(ImproperlyConfigured):
    """The data folder can't be made or written; the message is one line with the remedy."""

    def __init__(self, data_dir: Path, why: str) -> None:
        super().__init__(
            f"OPTSITE_DATA_DIR={str(data_dir)!r} can't be used: {why}. Set it to a folder that can be written."
        )


def make_data_folder(data_dir: Path) -> None:
    """Make the data folder where it is missing, and its owner's alone (0700); raise DataFolderUnusable."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if data_dir.stat().st_mode & 0o077:
            data_dir.chmod(0o700)
    except OSError as error:
        raise DataFolderUnusable(data_dir, error.strerror or str(error)) from error


def secret_key(data_dir: Path) -> str:
    """Return the data folder's secret key, made (0600) where there is none; raise DataFolderUnusable.

    Several processes may ask at once: each writes a whole file of its own and links it under the name, and a link
    never replaces, so that one wins and all answer the same key.
    """
    path = data_dir / "secret_key"
    try:
        if not path.exists():
            make_data_folder(data_dir)
            _link_new_key(path)
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise DataFolderUnusable(data_dir, error.strerror or str(error)) from error


def _link_new_key(path: Path) -> None:
    handle, own = tempfile.mkstemp(prefix="secret_key.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(get_random_secret_key())
        os.link(own, path)
    except FileExistsError:
        # Another process was first: its key is everybody's.
        return
    finally:
        Path(own).unlink()
