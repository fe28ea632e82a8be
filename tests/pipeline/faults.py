"""What a test may do to a command that runs in a child: kill it at a point of its code, count calls, shorten waits.

All of it is patched into the child from outside, by dotted names, so the product knows nothing of it.
"""

from __future__ import annotations

import contextlib
import os
import pydoc
import signal
import threading
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from unittest import mock

import time_machine


@contextlib.contextmanager
def faults(order: dict[str, Any]) -> Iterator[None]:
    """Set what the order asks for while a command runs.

    Keys, each optional: ``at`` (the clock, ISO, which goes on from there), ``kill`` (see ``kill_at``), ``fail``
    (``call``, ``path``, ``errno``), ``slow`` (``call``, ``seconds``), ``count`` (``calls``, ``file``: a line a call),
    ``waits`` (seconds that nobody waits longer than for a lock or a store).
    """
    with contextlib.ExitStack() as stack:
        if "at" in order:
            stack.enter_context(time_machine.travel(order["at"], tick=True))
        for key, patch in (("kill", kill_at), ("fail", fail), ("slow", slow), ("count", count)):
            if key in order:
                patch(stack, **order[key])
        if "waits" in order:
            shorten_waits(stack, order["waits"])
        yield


def replace(stack: contextlib.ExitStack, target: str, make: Callable[[Any], Any]) -> None:
    """Put what ``make`` makes of it in the place of the callable ``target``."""
    owner, _, attribute = target.rpartition(".")
    found = pydoc.locate(owner)
    assert found is not None, f"there is no {owner}"
    stack.enter_context(mock.patch.object(found, attribute, make(getattr(found, attribute))))


def name(argument: str | Path | int) -> str:
    """Return the path of an argument; of an open file's number the file's."""
    if not isinstance(argument, int):
        return str(argument)
    try:
        return os.readlink(f"/proc/self/fd/{argument}")
    except OSError:
        return ""


def touches(arguments: tuple[Any, ...], path: str | None) -> bool:
    """Say whether one of the arguments is a path like the pattern ``path``."""
    paths = [name(argument) for argument in arguments if isinstance(argument, str | Path | int)]
    return path is None or any(fnmatch(one, path) for one in paths)


def kill_at(
    stack: contextlib.ExitStack,
    call: str,
    number: int = 1,
    path: str | None = None,
    when: str = "before",
    delay: float = 0.0,
    sign: int = signal.SIGKILL,
) -> None:
    """Send this process ``sign`` at the ``number``-th call that touches ``path``.

    ``when`` is before the call, after it, or during: ``delay`` seconds after it began.
    """
    seen = 0

    def end() -> None:
        os.kill(os.getpid(), sign)

    def make(original: Any) -> Any:
        def watched(*arguments: Any, **named: Any) -> Any:
            nonlocal seen
            seen += touches(arguments, path)
            if seen != number or not touches(arguments, path):
                return original(*arguments, **named)
            if when == "before":
                end()
            if when == "during":
                threading.Timer(delay, end).start()
            result = original(*arguments, **named)
            if when == "after" and delay:
                threading.Timer(delay, end).start()
            elif when == "after":
                end()
            return result

        return watched

    replace(stack, call, make)


def fail(stack: contextlib.ExitStack, call: str, errno: int, path: str | None = None) -> None:
    """Let every call that touches ``path`` fail as the system does."""

    def make(original: Any) -> Any:
        def failing(*arguments: Any, **named: Any) -> Any:
            if touches(arguments, path):
                # Like the system's own: what is done to an open file names none.
                names = [str(arguments[0])] if isinstance(arguments[0], str | Path) else []
                raise OSError(errno, os.strerror(errno), *names)
            return original(*arguments, **named)

        return failing

    replace(stack, call, make)


def slow(stack: contextlib.ExitStack, call: str, seconds: float) -> None:
    """Let every call begin so much later."""

    def make(original: Any) -> Any:
        def waiting(*arguments: Any, **named: Any) -> Any:
            threading.Event().wait(seconds)
            return original(*arguments, **named)

        return waiting

    replace(stack, call, make)


def count(stack: contextlib.ExitStack, calls: list[str], file: str) -> None:
    """Write a line a call: its name and its arguments but for ``self``."""

    def make(original: Any) -> Any:
        def counted(*arguments: Any, **named: Any) -> Any:
            with open(file, "a", encoding="utf-8") as lines:
                lines.write(" ".join([original.__name__, *map(str, arguments[1:])]) + "\n")
            return original(*arguments, **named)

        return counted

    for call in calls:
        replace(stack, call, make)


def shorten_waits(stack: contextlib.ExitStack, seconds: float) -> None:
    """Let nobody wait longer for a lock, or for a store that a foreign process holds."""
    from collector.store import database
    from exports.locks import KernelLock

    acquire = KernelLock.acquire

    def acquire_soon(self: KernelLock, timeout: float = 0.0) -> KernelLock:
        return acquire(self, min(timeout, seconds))

    stack.enter_context(mock.patch.object(KernelLock, "acquire", acquire_soon))
    opened = database.open_store.__wrapped__  # type: ignore[attr-defined]
    defaults = {**opened.__kwdefaults__, "timeout": seconds}
    stack.enter_context(mock.patch.object(opened, "__kwdefaults__", defaults))
