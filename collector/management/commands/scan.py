"""manage.py scan: scan option chains into the store and publish them."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from collector.configuration import effective
from collector.detectors.base import ConfigError
from collector.management.exit_codes import as_command_error
from collector.management.progress_bar import ProgressBar
from collector.pipeline.orders import BAD_USAGE, FAILED, Order, OrderError, Report, carry_out
from collector.providers.catalogue import PROVIDER_FACTS
from collector.rule_book import rules_of
from exports.folders import MarketFolder
from exports.tickers import TickerError, canonical_list


class Command(BaseCommand):
    """Scan option chains into the store and publish them."""

    help = (
        "Scan the watchlist (or --tickers) into the store and publish the documents. Exit codes: 0 done, 1 failed, "
        "2 bad usage or an empty watchlist, 3 provider unreachable, 4 another one holds the lock, 5 partial, "
        "130 interrupted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--tickers", help="such as AAPL,AMD (default: the watchlist)")
        parser.add_argument("--provider", choices=sorted(PROVIDER_FACTS), help="default: OPTSITE_PROVIDER")
        parser.add_argument("--recordings", type=Path, help="folder of recordings, for --provider recorded")
        parser.add_argument(
            "--as-of",
            help="of each ticker the newest recording at or before it; a time with a zone. For Cboe's tables of its "
            "date, or of none that can be read, it is the time of their quotes",
        )
        parser.add_argument("--each", action="store_true", help="one scan a recorded moment, oldest first")
        parser.add_argument(
            "--scheduled",
            nargs="?",
            const="scheduled",
            choices=("scheduled", "close"),
            help="fill the slot that is due now, once; 'close' for the close scan",
        )
        parser.add_argument("--request", metavar="ID", help="run a scan that was asked for over the API or a page")
        parser.add_argument("--backfill", type=int, default=0, metavar="N", help="demo: fill the last N sessions")
        parser.add_argument("--no-export", action="store_true", help="publish nothing")
        parser.add_argument("--show-config", action="store_true", help="print the effective configuration and stop")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out the order, print what came of it, exit with its code."""
        report = Report()
        try:
            order = self._order(options)
            if options["show_config"]:
                self._show_config(order)
                return
            with ProgressBar(shown=not options["json"] and not options["scheduled"]) as bar:
                carry_out(order, bar, report)
        except (KeyboardInterrupt, Exception) as error:
            told = as_command_error(error)
            if report.scans or report.lines:
                report.exit_code = getattr(told, "returncode", FAILED)
                self._print(report, as_json=options["json"])
            raise told from error
        self._print(report, as_json=options["json"])
        if report.exit_code:
            raise SystemExit(report.exit_code)

    def _order(self, options: dict[str, Any]) -> Order:
        """Return the order that the options make; OrderError names the option that will not do."""
        folder = settings.MARKET_FOLDER
        if options["provider"]:
            folder = MarketFolder(folder.data_dir, options["provider"])
        try:
            tickers = canonical_list(options["tickers"] or "")
        except TickerError as error:
            raise OrderError(f"--tickers: {error}") from error
        if options["tickers"] is not None and not tickers:
            raise OrderError("--tickers: it names none; leave it out to scan the watchlist")
        recorded = ("recordings", "as_of", "each")
        if folder.provider != "recorded" and any(options[name] for name in recorded):
            raise OrderError("--recordings, --as-of and --each go with --provider recorded")
        if options["recordings"] and not options["recordings"].is_dir():
            raise OrderError(f"--recordings: {options['recordings']} is no folder")
        if options["backfill"] < 0 or options["backfill"] > 1000:
            raise OrderError("--backfill: a number of sessions from 1 to 1000")
        return Order(
            folder=folder,
            tickers=tickers,
            recordings=options["recordings"],
            as_of=_moment(options["as_of"]),
            each=options["each"],
            scheduled=options["scheduled"],
            request=options["request"],
            backfill=options["backfill"],
            export=not options["no_export"],
        )

    def _show_config(self, order: Order) -> None:
        """Print the effective configuration."""
        try:
            configuration = effective(settings.OPTSITE.config, order.folder.provider, {}, rules_of(order.folder.market))
        except ConfigError as error:
            raise CommandError(str(error), returncode=BAD_USAGE) from error
        self.stdout.write(orjson.dumps(configuration, option=orjson.OPT_INDENT_2).decode())

    def _print(self, report: Report, *, as_json: bool) -> None:
        """Print the report."""
        if as_json:
            published = report.published
            content = {
                "scans": report.scans,
                "generation": published.generation if published else None,
                "lines": report.lines,
                "exit_code": report.exit_code,
            }
            text = orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_INDENT_2, default=str).decode()
            self.stdout.write(text)
            return
        for line in report.lines:
            self.stdout.write(line)
        if report.published:
            self.stdout.write(f"Published generation {report.published.generation}.")


def _moment(text: str | None) -> datetime | None:
    """Return the moment that --as-of names; OrderError where it has no zone."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise OrderError(f"--as-of: {text!r} is no time with a zone; write it like 2026-03-24T13:00-04:00")
    return moment
