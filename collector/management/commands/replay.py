"""manage.py replay: recompute an alert from the store and compare it with what was recorded."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand

from collector.management.exit_codes import as_command_error
from collector.management.progress_bar import ProgressBar
from collector.pipeline.orders import FAILED
from collector.pipeline.replay import Replay, Step, replay
from exports.folders import MARKET_OF_PROVIDER, MarketFolder

# Of a value that differs.
SHOWN = 160


class Command(BaseCommand):
    """Recompute an alert from the store and compare it with what was recorded."""

    help = (
        "Recompute an alert from the store, scan by scan, and compare it with what was recorded. Exit codes: "
        "0 identical, 1 differs or can't be recomputed, 2 unknown alert or bad usage, 4 another one holds the store."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("alert_id", metavar="ALERT_ID", help="the alert's id, as in alerts.json")
        parser.add_argument("--provider", choices=sorted(MARKET_OF_PROVIDER), help="default: OPTSITE_PROVIDER")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replay, print each scan and what differs, exit with the code."""
        folder = settings.MARKET_FOLDER
        if options["provider"]:
            folder = MarketFolder(folder.data_dir, options["provider"])
        try:
            with ProgressBar(shown=not options["json"]) as bar:
                found = replay(folder, options["alert_id"], bar)
        except (KeyboardInterrupt, Exception) as error:
            raise as_command_error(error) from error
        if options["json"]:
            self.stdout.write(as_json(found).decode())
        else:
            for line in told(found):
                self.stdout.write(line)
        if not found.identical:
            raise SystemExit(FAILED)


def told(found: Replay) -> list[str]:
    """Return the lines that say how a replay went."""
    alert = found.alert
    lines = [f"Alert {alert['id']}, {alert['detector']}: {alert['summary']}"]
    for step in found.steps:
        lines += _step(step)
    same = sum(step.identical for step in found.steps)
    scans = f"{len(found.steps)} scan{'s' * (len(found.steps) != 1)}"
    if not found.identical:
        lines.append(f"Identical in {same} of {scans}.")
    elif any(step.rounded for step in found.steps):
        lines.append(f"Identical to the rounding of published figures in {scans}.")
    else:
        lines.append(f"Identical to the last bit in {scans}.")
    return lines


def _step(step: Step) -> list[str]:
    came = "identical" if step.identical else step.problem or f"{len(step.differences)} different"
    lines = [f"{step.at:%Y-%m-%dT%H:%M:%SZ}  {', '.join(step.kinds)}, scan {step.scan_id}: {came}"]
    lines += [
        f"    {one.path}: recorded {_shown(one.recorded)}, replayed {_shown(one.replayed)}" for one in step.differences
    ]
    return lines + [f"    ({note})" for note in step.notes]


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def as_json(found: Replay) -> bytes:
    """Return a replay as JSON."""
    content = {
        "alert_id": found.alert["id"],
        "identical": found.identical,
        "scans": [{**asdict(step), "identical": step.identical} for step in found.steps],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)
