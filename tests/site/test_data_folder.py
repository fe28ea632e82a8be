"""The data folder and its secret key."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from optsite.data_folder import DataFolderUnusable, make_data_folder, secret_key
from tests.site.processes import ROOT


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"
    make_data_folder(folder)
    assert mode(folder) == 0o700
    folder.chmod(0o755)
    make_data_folder(folder)
    assert mode(folder) == 0o700


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first = secret_key(tmp_path / "data")
    assert len(first) >= 50
    assert mode(tmp_path / "data" / "secret_key") == 0o600
    assert secret_key(tmp_path / "data") == first
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret_key"]


def test_processes_that_ask_at_once_get_one_key(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    script = (
        "import sys; from pathlib import Path; from optsite.data_folder import secret_key; "
        "print(secret_key(Path(sys.argv[1])))"
    )

    def ask(_: int) -> str:
        return subprocess.run(
            [sys.executable, "-c", script, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout

    with ThreadPoolExecutor(6) as pool:
        keys = set(pool.map(ask, range(6)))
    assert len(keys) == 1
    assert os.listdir(folder) == ["secret_key"]


def test_a_folder_that_cannot_be_made_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderUnusable) as refused:
        secret_key(tmp_path / "file" / "data")
    assert str(refused.value) == (
        f"OPTSITE_DATA_DIR={str(tmp_path / 'file' / 'data')!r} can't be used: Not a directory. "
        "Set it to a folder that can be written."
    )
