"""Whether what OPTSITE_CONFIG holds can be used, before anything is served by it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError

MANAGE = Path(settings.BASE_DIR) / "manage.py"
SECONDS = 120


def check_configuration(environment: Mapping[str, str] | None = None) -> None:
    """Check the configuration file, where there is one, in a child: what it takes has no place in this process.

    Args:
        environment: the child's; this process's own without it.

    Raises:
        CommandError: the file can't be used; the line names it and the key, the exit code is the scan's (2).
    """
    if settings.OPTSITE.config is None:
        return
    checked = subprocess.run(
        [sys.executable, str(MANAGE), "scan", "--show-config"],
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    if checked.returncode:
        lines = checked.stderr.strip().splitlines() or ["the configuration could not be checked"]
        raise CommandError(lines[-1].removeprefix("CommandError: "), returncode=checked.returncode)
