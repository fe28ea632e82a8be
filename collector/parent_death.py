"""A child that dies with its parent, kill -9 included.

On Linux the kernel sends the signal (PR_SET_PDEATHSIG); it follows the thread that forked, so children are started
from main threads only. Elsewhere a thread watches getppid().
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
WATCH_SECONDS = 0.5
LINUX = sys.platform == "linux"
# Loaded before any fork: between fork and exec nothing may take a lock, and loading a library does.
_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


def request_signal(number: signal.Signals) -> None:
    """Ask the kernel to send this process the signal when the thread that made it ends; nothing but on Linux."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def child_setup(number: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Return what Popen's ``preexec_fn`` is given: the child dies by ``number`` with the process that calls this.

    It also takes Ctrl-C again, which children of a cluster's workers inherit ignored.
    """
    parent = os.getpid()

    def prepare() -> None:
        request_signal(number)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        # The parent may have died between the fork and the request.
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def signal_forks(number: signal.Signals = signal.SIGTERM) -> None:
    """Let every process that this one forks from now on, and that those fork, end by ``number`` with its parent."""
    forking = [0]

    def remember() -> None:
        forking[0] = os.getpid()

    def chain() -> None:
        request_signal(number)
        # The parent may have died between the fork and the request; then no signal comes any more.
        if os.getppid() != forking[0]:
            os._exit(1)

    os.register_at_fork(before=remember, after_in_child=chain)


def watch_parent() -> None:
    """Where the kernel does not tell, end this process's whole group when its parent is gone."""
    if LINUX:
        return
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
