#!/usr/bin/env python
"""Run a management command."""

from __future__ import annotations

import importlib
import os
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from optsite.database import NEEDS_DATABASE, prepare

BAD_SETTING, INTERRUPTED = 2, 130


def main(arguments: list[str]) -> int:
    """Run the command that the arguments name; a setting that will not do is one line and exit code 2."""
    # What it writes is its owner's alone, in a folder copied elsewhere too.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "optsite.settings")
    try:
        importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"])
        if arguments[1:2] and arguments[1] in NEEDS_DATABASE and not {"-h", "--help"} & set(arguments):
            django.setup()
            prepare()
        execute_from_command_line(arguments)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETTING
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
