"""manage.py verify_exports: is everything published what the manifest says?"""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from exports.locks import LockHeld
from exports.verification import verify

FOUND_SOMETHING = 1
LOCK_HELD = 4


class Command(BaseCommand):
    """Verify the published documents; exit 1 with one line a finding."""

    help = "Verify the published documents: sizes, hashes, indexes, counts, links, leftovers."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --deep."""
        parser.add_argument("--deep", action="store_true", help="parse every record and check every field")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the findings, or that all is well."""
        try:
            report = verify(settings.MARKET_FOLDER, deep=options["deep"])
        except LockHeld as held:
            self.stderr.write(f"{held}: verify again when it is done")
            sys.exit(LOCK_HELD)
        for finding in report.findings:
            self.stdout.write(finding)
        if report.findings:
            sys.exit(FOUND_SOMETHING)
        if report.generation is None:
            self.stdout.write(f"Nothing is published in {settings.MARKET_FOLDER.export_dir} yet.")
        else:
            counts = ", ".join(f"{count} {name}" for name, count in report.counts.items())
            self.stdout.write(f"Generation {report.generation} is whole: {counts}.")
