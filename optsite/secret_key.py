"""The key that signs sessions and tokens, kept in the data folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def secret_key(data_dir: Path) -> str:
    """Return the data folder's secret key, made (0600) where there is none.

    Several processes may ask at once: each writes a whole file of its own and links it under the name, and a link
    never replaces, so that one wins and all answer the same key.
    """
    path = data_dir / "secret_key"
    if not path.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, own = tempfile.mkstemp(prefix="secret_key.", dir=data_dir)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(get_random_secret_key())
            os.link(own, path)
        except FileExistsError:
            pass
        finally:
            Path(own).unlink()
    return path.read_text(encoding="ascii")
