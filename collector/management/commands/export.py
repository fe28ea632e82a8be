"""manage.py export: publish what the store holds as one generation of JSON documents."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand

from collector.configuration import check
from collector.heartbeat import refresh
from collector.management.exit_codes import as_command_error
from collector.pipeline.publish import as_json, publish
from collector.rule_book import rules_of
from exports.folders import MARKET_OF_PROVIDER, MarketFolder


class Command(BaseCommand):
    """Publish the documents."""

    help = "Publish what the store holds as one generation of JSON documents, then fill the outbox."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--provider", choices=sorted(MARKET_OF_PROVIDER), help="default: OPTSITE_PROVIDER")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish and say what was published."""
        folder = settings.MARKET_FOLDER
        if options["provider"]:
            folder = MarketFolder(folder.data_dir, options["provider"])
        try:
            check(settings.OPTSITE.config, rules_of(folder.market))
            published = publish(folder)
            refresh(folder)
        except (KeyboardInterrupt, Exception) as error:
            raise as_command_error(error) from error
        if options["json"]:
            self.stdout.write(orjson.dumps(as_json(published)).decode())
            return
        counts = ", ".join(f"{count} {name}" for name, count in published.documents.items())
        self.stdout.write(f"Published generation {published.generation}: {counts}.")
        for problem in published.problems:
            self.stderr.write(problem)
