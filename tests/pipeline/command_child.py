"""Runs `manage.py` with faults: once (``python -m tests.pipeline.command_child FAULTS arguments…``), or without
arguments as a server that forks a child for each line of JSON on standard input.

Starting Python and Django costs two seconds and a fork none, so twenty killed scans and what follows each of them fit
into a minute. A forked child is a process of its own, with its own locks, files and database connections; the server
itself opens none.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from tests.pipeline.faults import faults


def run(arguments: list[str], order: dict[str, Any]) -> int:
    """Run one command under the faults that the order names; return its exit code."""
    import manage

    try:
        with faults(order):
            return manage.main(["manage.py", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


def fork(order: dict[str, Any]) -> dict[str, Any]:
    """Run an order in a forked child and say how it ended: a negative code is the signal that killed it."""
    begun = time.monotonic()
    output = Path(order["output"])
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        code = 1
        try:
            code = run(order["arguments"], order)
        except BaseException:
            # What Python itself would have said at the end of the process.
            traceback.print_exc()
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    timer = None
    if "kill_after" in order:
        timer = threading.Timer(order["kill_after"], os.kill, (pid, signal.SIGKILL))
        timer.start()
    _, status = os.waitpid(pid, 0)
    if timer:
        timer.cancel()
    return {
        "code": os.waitstatus_to_exitcode(status),
        "output": output.read_text(encoding="utf-8"),
        "seconds": time.monotonic() - begun,
    }


def preload() -> None:
    """Import what a scan needs, and open nothing."""
    import django

    django.setup()
    from collector.market.calendar import continuous_sessions, exchange_sessions

    continuous_sessions()
    exchange_sessions()
    import django.db

    django.db.connections.close_all()


def main() -> int:
    """Run one command, or answer each line until there is none."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "optsite.settings"
    if sys.argv[1:]:
        return run(sys.argv[2:], json.loads(sys.argv[1]))
    preload()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(fork(json.loads(line))) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
