"""A recorded session, half hour by half hour, through the scan command: figures move as a market does."""

from __future__ import annotations

import itertools
import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings

from collector.store.database import open_store
from exports.folders import MarketFolder

pytestmark = [pytest.mark.recordings, pytest.mark.accuracy, pytest.mark.django_db]

DAY = "2026-03-24"
TICKERS = {"SPY", "QQQ", "TSLA", "NVDA"}


@pytest.fixture
def folder(data_dir: Path) -> Iterator[MarketFolder]:
    made = MarketFolder(data_dir, "recorded")
    with override_settings(MARKET_FOLDER=made):
        yield made


def test_thirty_day_volatility_takes_no_step_and_no_forward_is_the_stated_spots(
    folder: MarketFolder, shared_data: Path, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    frames = sorted((shared_data / "yfinance").glob(f"{DAY}T*.csv"))
    for frame in frames:
        shutil.copy(frame, recordings)
    printed = StringIO()
    call_command("scan", "--provider", "recorded", "--recordings", str(recordings), "--each", "--json", stdout=printed)
    assert len(json.loads(printed.getvalue())["scans"]) == len(frames) > 6
    with open_store(folder, "test") as connection:
        rows = connection.execute(
            "SELECT ticker, iv_30d, iv_grade FROM features WHERE iv_30d IS NOT NULL ORDER BY ticker, as_of"
        ).fetchall()
        sources = connection.execute("SELECT forward_source, count(*) FROM chains GROUP BY 1").fetchall()
        steps_of_spot = connection.execute(
            "SELECT max(abs(underlying_price / spot - 1)) FROM chains WHERE spot IS NOT NULL"
        ).fetchall()
    levels: dict[str, list[float]] = defaultdict(list)
    for ticker, level, _ in rows:
        levels[ticker].append(level)
    assert set(levels) == TICKERS
    steps = {
        ticker: max(abs(after - before) for before, after in itertools.pairwise(series))
        for ticker, series in levels.items()
    }
    tell(f"30-day IV over {DAY}: largest step " + ", ".join(f"{name} {step:.4f}" for name, step in steps.items()))
    tell(f"forwards over {DAY}: {dict(sources)}; the stated spot is up to {1e4 * steps_of_spot[0][0]:.0f} bp off")
    assert all(len(series) == len(frames) for series in levels.values())
    assert max(steps.values()) <= 0.01
    assert {source for source, _ in sources} <= {"equal_iv", "neighbours"}
