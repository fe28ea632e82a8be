"""The rank of the 30-day volatility through scan and join: priced at known volatilities, ranked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from collector.market.calendar import exchange_sessions
from collector.pipeline.collect import Collector
from collector.pipeline.join import join
from collector.pipeline.plan import ScanPlan
from collector.store.database import open_store
from collector.store.staging import Staging
from exports.folders import MarketFolder
from tests.pipeline.priced_chains import FORWARD, priced_chain
from tests.pipeline.scripted_provider import ScriptedProvider, session_bar
from tests.pipeline.test_collect import Watcher, plan

DELAY = timedelta(minutes=15)
EXPIRATIONS = (date(2026, 3, 20), date(2026, 4, 17), date(2026, 5, 15))
TODAY = date(2026, 3, 24)
COLUMNS = (
    "iv_30d",
    "iv_grade",
    "iv_rank",
    "iv_percentile",
    "iv_rank_sessions",
    "iv_rank_window",
    "iv_rank_first_date",
    "iv_rank_last_date",
    "iv_rank_source",
    "iv_rank_status",
)
# What 1 % of spread and ticks of a cent leave open of a volatility, and what that moves a rank over a range of 0.2.
IV_TOLERANCE, RANK_TOLERANCE = 0.001, 1.0


@pytest.fixture
def folder(data_dir: Any) -> MarketFolder:
    made = MarketFolder(data_dir, "yahoo")
    made.create()
    return made


def sessions_before(count: int) -> list[date]:
    """Return the exchange's ``count`` sessions before today, oldest first."""
    calendar = exchange_sessions()
    return [one.date for one in calendar.between(calendar.offset(TODAY, -count).date, TODAY)][:count]


def scanned(
    folder: MarketFolder, day: date, sigma: float, *, hour: int = 18, kind: str = "close", spread: float = 0.02
) -> dict[str, Any]:
    """Scan ZZTA at an hour (UTC) of a session at a volatility; return its feature as the store has it."""
    stamp = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    alive = [one for one in EXPIRATIONS if one > day]
    chains = [priced_chain("ZZTA", one, stamp, stamp - DELAY, sigma, spread=spread) for one in alive]
    provider = ScriptedProvider({"ZZTA": chains}, price=FORWARD, bars=[session_bar(date(2026, 2, 2), FORWARD)])
    scan_id = f"scan-{day}-{hour}"
    made: ScanPlan = plan(
        {"ZZTA": chains},
        scan_id=scan_id,
        kind=kind,
        started_at=stamp,
        deadline=stamp + timedelta(minutes=9),
        configuration={"settings": {"risk_free_rate": 0.0}},
    )
    staging = Staging(folder, scan_id)
    staging.write_plan(made.to_json())
    collection = Collector(folder, provider, made, staging, Watcher(), now=lambda: stamp).collect()
    outcome = {"stopped": collection.stopped, "skipped": collection.skipped, "calls": 0, "seconds": 0.1}
    staging.write_outcome({**outcome, "finished_at": (stamp + timedelta(seconds=1)).isoformat()})
    with open_store(folder, "test") as connection:
        join(connection, folder, staging, exchange_sessions())
        row = connection.execute(
            f"SELECT {', '.join(COLUMNS)}, reasons->>'iv_rank', reasons->>'iv_percentile', reasons->>'iv_rank_status', "
            "reasons->>'iv_rank_first_date', reasons->>'iv_rank_source' FROM features WHERE scan_id = ?",
            [scan_id],
        ).fetchall()[0]
    names = (*COLUMNS, "why_rank", "why_percentile", "why_status", "why_first", "why_source")
    return dict(zip(names, row, strict=True))


def test_the_first_scans_have_no_rank_and_say_why(folder: MarketFolder) -> None:
    friday, monday = sessions_before(2)
    first = scanned(folder, friday, 0.25)
    assert first["iv_30d"] == pytest.approx(0.25, abs=IV_TOLERANCE)
    assert (first["iv_rank_sessions"], first["iv_rank_window"]) == (0, 252)
    assert (first["iv_rank_first_date"], first["iv_rank_source"]) == (None, None)
    assert (first["why_first"], first["why_source"], first["why_rank"]) == ("no_history", "no_history", "short_history")
    scanned(folder, monday, 0.30)
    third = scanned(folder, TODAY, 0.35)
    assert (third["iv_rank"], third["iv_percentile"], third["iv_rank_status"]) == (None, None, None)
    assert {third[name] for name in ("why_rank", "why_percentile", "why_status")} == {"short_history"}
    assert (third["iv_rank_sessions"], third["iv_rank_window"], third["iv_rank_source"]) == (2, 252, "yahoo")
    assert (third["iv_rank_first_date"], third["iv_rank_last_date"]) == (friday, monday)
    assert (third["why_first"], third["why_source"]) == (None, None)


def test_from_twenty_sessions_on_it_has_a_rank_that_no_bad_day_and_no_scan_of_today_moves(folder: MarketFolder) -> None:
    days = sessions_before(21)
    bad, kept = days[7], [day for day in days if day != days[7]]
    volatilities = dict.fromkeys(kept, 0.30) | {kept[3]: 0.20, kept[11]: 0.40}
    for day in days[:-1]:
        if day == bad:
            absurd = scanned(folder, day, 3.0, spread=0.4)
            assert absurd["iv_30d"] == pytest.approx(3.0, abs=0.05)
            assert absurd["iv_grade"] > "B"
        else:
            scanned(folder, day, volatilities[day])
    nineteen = scanned(folder, days[-1], 0.30)
    assert (nineteen["iv_rank_sessions"], nineteen["iv_rank"], nineteen["why_rank"]) == (19, None, "short_history")
    scanned(folder, TODAY, 0.90, hour=15, kind="scheduled")
    now = scanned(folder, TODAY, 0.35)
    # 100 (0.35 - 0.20) / (0.40 - 0.20); 19 of the 20 sessions were below.
    assert now["iv_rank"] == pytest.approx(75.0, abs=RANK_TOLERANCE)
    assert now["iv_percentile"] == 95.0
    assert (now["iv_rank_sessions"], now["iv_rank_window"], now["iv_rank_status"]) == (20, 252, "short")
    assert (now["iv_rank_first_date"], now["iv_rank_last_date"]) == (days[0], days[-1])
    assert (now["iv_rank_source"], now["why_rank"], now["why_percentile"]) == ("yahoo", None, None)


def test_the_rank_of_a_day_without_a_volatility_says_why_there_is_none(folder: MarketFolder) -> None:
    days = sessions_before(20)
    for age, day in enumerate(days):
        scanned(folder, day, 0.20 + age / 100)
    # Spreads of 200 %: nothing is computed from such quotes.
    dark = scanned(folder, TODAY, 0.30, spread=2.0)
    assert (dark["iv_30d"], dark["iv_rank"], dark["iv_percentile"]) == (None, None, None)
    assert (dark["iv_rank_sessions"], dark["iv_rank_status"]) == (20, "short")
    assert (dark["why_rank"], dark["why_percentile"]) == ("no_usable_chain", "no_usable_chain")
