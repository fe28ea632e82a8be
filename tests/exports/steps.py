"""Every step of the file system that an export takes, seen and, at one of them, made to fail."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STEPS = ("fsync", "fchmod", "rename", "replace", "link", "unlink", "open")


def _path(argument: Any) -> str:
    return os.readlink(f"/proc/self/fd/{argument}") if isinstance(argument, int) else os.fspath(argument)


@contextmanager
def steps_in(folder: Path, before: Callable[[int, str, str], None]) -> Iterator[list[tuple[str, str]]]:
    """Call ``before(number, step, path)`` ahead of every step below ``folder``; give the list of steps taken.

    A path is relative to the folder; of a rename or link it is the new name. ``open`` is that for writing.
    """
    taken: list[tuple[str, str]] = []
    true = {name: getattr(os, name) for name in STEPS if name != "open"}
    true_open = open

    def note(step: str, path: str) -> None:
        if path == str(folder) or path.startswith(f"{folder}/"):
            taken.append((step, os.path.relpath(path, folder)))
            before(len(taken) - 1, *taken[-1])

    def watched(name: str) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            note(name, _path(arguments[1] if name in ("rename", "replace", "link") else arguments[0]))
            return true[name](*arguments, **named)

        return step

    def watched_open(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        if "w" in mode and not isinstance(file, int):
            note("open", os.fspath(file))
        return true_open(file, mode, *arguments, **named)

    for name in true:
        setattr(os, name, watched(name))
    builtins.open = watched_open
    try:
        yield taken
    finally:
        for name, function in true.items():
            setattr(os, name, function)
        builtins.open = true_open
