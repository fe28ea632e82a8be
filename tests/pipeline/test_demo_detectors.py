"""What the demo stages is what detectors alert on: backfilled, joined, and read from the store."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import transaction

from collector.pipeline.backfill import backfill
from collector.providers.demo import DemoProvider
from collector.providers.demo.market_events import heavy_side, price_jumps
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import find
from collector.store.database import open_store
from exports.folders import MarketFolder
from tests.pipeline.test_collect import Watcher

pytestmark = [pytest.mark.accuracy, pytest.mark.django_db]

TICKER = "CINDRA"
FROM = timeline().ordinal_of(date(2025, 10, 1))
SESSIONS = range(FROM, FROM + 126)
DETECTORS = ("expected_move_breach", "gamma_flip_crossed")


class OneTicker(DemoProvider):
    """The demo market cut down to one ticker."""

    def tickers(self) -> tuple[str, ...]:
        return (TICKER,)


def backfilled(path: Path, last: int, sessions: int, blocker: Any) -> list[tuple[date, str, str, str, str]]:
    """Scan sessions; return session, detector, kind, direction and mode of each alert event."""
    folder = MarketFolder(path, "demo")
    folder.create()
    now = timeline().sessions[last].close + timedelta(minutes=1)
    with blocker.unblock(), transaction.atomic():
        assert backfill(folder, OneTicker, sessions, now, Watcher()) == sessions
        transaction.set_rollback(True)
    with open_store(folder, "test") as connection:
        return connection.execute(
            "SELECT market_date, alert->>'detector', kind, alert->>'direction', alert->>'$.metrics.mode' "
            "FROM alert_events WHERE kind <> 'digest' ORDER BY market_date, key, kind"
        ).fetchall()


def test_a_jump_through_the_flip_is_a_breach_and_a_crossing(
    tmp_path: Path, django_db_setup: None, django_db_blocker: Any
) -> None:
    (jump,) = np.array(SESSIONS)[price_jumps(find(TICKER), np.array(SESSIONS)) != 0.0].tolist()
    day, after = timeline().sessions[jump].date, timeline().sessions[jump + 1].date
    events = backfilled(tmp_path, jump + 1, 5, django_db_blocker)
    by_detector = {name: [event for event in events if event[1] == name] for name in DETECTORS}
    assert by_detector["expected_move_breach"] == [
        (day, "expected_move_breach", "new", "bearish", "history"),
        (after, "expected_move_breach", "ended", "bearish", "history"),
    ]
    # Where the session before was at the flip already, the alert may have begun there.
    crossed = {event[0]: event[2] for event in by_detector["gamma_flip_crossed"]}
    assert crossed[day] in ("new", "ongoing")
    assert min(crossed) >= timeline().sessions[jump - 1].date


def test_a_lopsided_session_is_an_extreme_of_its_side(
    tmp_path: Path, django_db_setup: None, django_db_blocker: Any
) -> None:
    staged = [ordinal for ordinal in SESSIONS if heavy_side(find(TICKER), ordinal)]
    direction = "bearish" if heavy_side(find(TICKER), staged[0]) == "puts" else "bullish"
    events = backfilled(tmp_path, staged[1], 24, django_db_blocker)
    begun = [event for event in events if event[1:3] == ("put_call_extreme", "new")]
    sessions = [timeline().sessions[ordinal].date for ordinal in staged]
    (only,) = [event for event in begun if event[0] in sessions]
    assert only[3:] == (direction, "history")
