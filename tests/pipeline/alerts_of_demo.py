"""Fills the demo's past in a folder and prints which alerts began: ``python -m tests.pipeline.alerts_of_demo ORDER``.

ORDER is JSON: ``folder``, ``staged`` (whether the demo stages events), ``last`` (ordinal of the last session),
``sessions`` and ``tickers``. What the demo stages is kept once made, so it takes a process of its own.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any


def began(order: dict[str, Any]) -> list[list[Any]]:
    """Return detector, ticker, subject, session (its ordinal) and score of each alert at its beginning."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from collector.pipeline.backfill import Silent, backfill
    from collector.providers.demo import DemoProvider, staging
    from collector.providers.demo.timeline import timeline
    from collector.store.database import open_store
    from exports.folders import MarketFolder

    staging.STAGED = order["staged"]

    class Some(DemoProvider):
        """The demo market cut down to some tickers."""

        def tickers(self) -> tuple[str, ...]:
            return tuple(order["tickers"])

    folder = MarketFolder(Path(order["folder"]), "demo")
    folder.create()
    calendar = timeline()
    now = calendar.sessions[order["last"]].close + timedelta(minutes=1)
    assert backfill(folder, Some, order["sessions"], now, Silent()) == order["sessions"]
    with open_store(folder, "test") as connection:
        rows = connection.execute(
            "SELECT alert->>'detector', ticker, coalesce(alert->>'subject', ''), market_date, "
            "CAST(alert->>'score' AS DOUBLE) FROM alert_events WHERE kind = 'new' ORDER BY ALL"
        ).fetchall()
    return [[name, ticker, subject, calendar.ordinal_of(day), score] for name, ticker, subject, day, score in rows]


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "optsite.settings",
        "OPTSITE_DATA_DIR": asked["folder"],
        "OPTSITE_PROVIDER": "demo",
    }
    sys.stdout.write(json.dumps(began(asked)))
