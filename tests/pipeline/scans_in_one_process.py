"""A child process that runs one `manage.py` command after another, each as a process of its own would.

It reads a line of JSON a command on standard input and answers with one: see ``ScanProcess``. What a test may set
beside the arguments: the clock, the time-outs of the Yahoo provider, rows of the settings' table, a scan's time limit.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import django
import time_machine
import yfinance.cache
import yfinance.data


def forget_yfinance() -> None:
    """Forget what yfinance keeps for its process; the cookie in the data folder stays."""
    yfinance.cache._CookieDBManager.close_db()
    yfinance.data.SingletonMeta._instances.clear()
    yfinance.data.YfData.cache_get.cache_clear()
    yfinance.cache._CookieCacheManager._Cookie_cache = None


@contextlib.contextmanager
def circumstances(order: dict[str, Any]) -> Iterator[None]:
    """Set what the order asks for while its command runs."""
    from django.test import override_settings

    from collector.providers.yahoo_transport import Timeouts
    from optsite import settings

    quick = Timeouts(**order["timeouts"])
    limit = timedelta(seconds=order["time_limit"])
    with (
        mock.patch.dict(os.environ, order["environment"]),
        mock.patch("collector.providers.yahoo.Timeouts", return_value=quick),
        mock.patch("collector.pipeline.plan.TIME_LIMIT", limit),
        override_settings(OPTSITE=settings.OPTSITE.model_copy(update=order["settings"])),
        time_machine.travel(datetime.fromisoformat(order["at"]), tick=True)
        if order["at"]
        else contextlib.nullcontext(),
    ):
        yield


def run(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    import manage

    try:
        return manage.main(["manage.py", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)


def main() -> None:
    """Answer each line until there is none."""
    # A shell that starts the tests in the background lets them ignore Ctrl-C, and so whom they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["DJANGO_SETTINGS_MODULE"] = "optsite.settings"
    django.setup()
    # The first command brings the database up to date, under whatever clock.
    for line in sys.stdin:
        order = json.loads(line)
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors), circumstances(order):
            code = run(order["arguments"])
        forget_yfinance()
        answer = {"code": code, "output": output.getvalue(), "errors": errors.getvalue()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
