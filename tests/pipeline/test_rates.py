"""The rates of a scan: whose they are, when they are asked for, and what is kept of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from collector.market.calendar import exchange_sessions
from collector.market.rates import RateBasis, RateCurve, TreasuryYield
from collector.pipeline.collect import Collector
from collector.pipeline.join import join
from collector.pipeline.plan import CALLS_FOR_RATES, ScanKind
from collector.pipeline.rates import Rates
from collector.providers.base import ProviderError, RateLimited, TimedOut
from collector.store.database import open_store
from collector.store.staging import Staging
from exports.folders import MarketFolder
from tests.pipeline.scripted_provider import ScriptedProvider
from tests.pipeline.test_collect import Watcher, plan
from tests.quotes import STAMP, live_chain

TUESDAY, WEDNESDAY = date(2026, 3, 24), date(2026, 3, 25)


def paper(day: date, days: int, rate: float, basis: RateBasis = "continuous") -> TreasuryYield:
    return TreasuryYield(day, days, rate, basis, "treasury", datetime(2026, 3, 24, 12, tzinfo=UTC))


# A bill of 73 days and a bond of ten years; the bill a day later at another rate.
BILL, BOND = paper(TUESDAY, 73, 0.05), paper(TUESDAY, 3650, 0.03)
LATER = paper(WEDNESDAY, 73, 0.06)


class Asked(ScriptedProvider):
    """Answers yields of the newest date, and counts how often it is asked for rates."""

    def __init__(self, yields: Sequence[TreasuryYield] | ProviderError = (), **more: Any) -> None:
        super().__init__({}, rates=yields, **more)
        self.days_asked: list[date] = []

    def rates(self, day: date) -> tuple[TreasuryYield, ...]:
        self.days_asked.append(day)
        known = super().rates(day)
        newest = max((one.date for one in known), default=None)
        return tuple(one for one in known if one.date == newest)


@pytest.fixture
def folder(data_dir: Path) -> MarketFolder:
    made = MarketFolder(data_dir, "yahoo")
    made.create()
    return made


def rates(
    folder: MarketFolder,
    provider: ScriptedProvider,
    *,
    fetch: bool = True,
    setting: float | None = None,
    ended: list[ProviderError] | None = None,
) -> Rates:
    configuration = {"settings": {"risk_free_rate": setting}}
    made = plan({}, fetch_bars=fetch, configuration=configuration)
    return Rates(folder, provider, made, (ended if ended is not None else []).append)


def test_the_setting_goes_before_any_curve_and_asks_nobody(folder: MarketFolder) -> None:
    provider = Asked([BILL, BOND], pays=True)
    asked = rates(folder, provider, setting=0.021)
    assert asked.curve(TUESDAY) == RateCurve("setting", None, (1.0,), (0.021,))
    assert asked.rows(TUESDAY) == []
    assert (asked.calls(STAMP), provider.days_asked) == (0, [])


def test_a_setting_of_nought_is_one(folder: MarketFolder) -> None:
    assert rates(folder, Asked([BILL]), setting=0.0).curve(TUESDAY).rates == (0.0,)


def test_each_day_has_its_own_yields_asked_for_once(folder: MarketFolder) -> None:
    provider = Asked([BILL, BOND, LATER])
    asked = rates(folder, provider)
    # 73 and 3,650 days are a fifth of a year and ten.
    expected = RateCurve("treasury", TUESDAY, (0.2, 10.0), (0.05, 0.03))
    assert asked.curve(TUESDAY) == expected
    assert asked.curve(WEDNESDAY) == RateCurve("treasury", WEDNESDAY, (0.2,), (0.06,))
    assert asked.curve(TUESDAY) == expected
    assert provider.days_asked == [TUESDAY, WEDNESDAY]
    assert [(row["date"], row["days"], row["rate"]) for row in asked.rows(TUESDAY)] == [
        (TUESDAY, 73, 0.05),
        (TUESDAY, 3650, 0.03),
    ]
    assert asked.calls(STAMP) == 0


def test_where_nobody_knows_the_rate_is_assumed_and_says_so(folder: MarketFolder) -> None:
    unknown = rates(folder, Asked())
    for curve in (unknown.curve(TUESDAY), unknown.curve(None)):
        assert (curve.source, curve.date, curve.rates) == ("assumed", None, (0.04,))
    assert unknown.rows(TUESDAY) == []


def test_yields_in_per_cent_are_refused_in_one_line(folder: MarketFolder, caplog: pytest.LogCaptureFixture) -> None:
    asked = rates(folder, Asked([paper(TUESDAY, 73, 4.5)]))
    with caplog.at_level(logging.WARNING):
        sources = {asked.curve(TUESDAY).source for _ in range(3)}
    assert sources == {"assumed"}
    (line,) = caplog.messages
    assert "4.5 per cent is 0.045" in line


@pytest.mark.parametrize("error", [TimedOut("late"), RateLimited("429")])
def test_an_error_is_told_where_it_ends_a_scan(folder: MarketFolder, error: ProviderError) -> None:
    ended: list[ProviderError] = []
    assert rates(folder, Asked(error), ended=ended).curve(TUESDAY).source == "assumed"
    assert ended == ([error] if error.ends_scan else [])


def test_a_paying_provider_is_asked_once_a_session_and_its_answer_serves_the_scans_between(
    folder: MarketFolder,
) -> None:
    provider = Asked([BILL, BOND], pays=True)
    first = rates(folder, provider)
    assert first.calls(STAMP) == CALLS_FOR_RATES
    curve = first.curve(TUESDAY)
    assert curve.rates == (0.05, 0.03)
    # Another scan of the session that may fetch, then scheduled ones of this session and the next.
    again, scheduled = rates(folder, provider), rates(folder, provider, fetch=False)
    assert again.calls(STAMP) == scheduled.calls(STAMP) == 0
    assert again.curve(TUESDAY) == scheduled.curve(TUESDAY) == scheduled.curve(WEDNESDAY) == curve
    assert again.rows(TUESDAY) == first.rows(TUESDAY)
    assert provider.days_asked == [TUESDAY]


def test_the_next_session_is_asked_for_anew_and_an_error_leaves_what_was_kept(folder: MarketFolder) -> None:
    tomorrow = STAMP + timedelta(days=1)
    rates(folder, Asked([BILL], pays=True)).curve(TUESDAY)
    down = Asked(TimedOut("late"), pays=True)
    failed = rates(folder, down)
    assert failed.calls(tomorrow) == CALLS_FOR_RATES
    assert failed.curve(WEDNESDAY).rates == (0.05,)
    assert down.days_asked == [WEDNESDAY]
    assert rates(folder, Asked([BILL, LATER], pays=True)).curve(WEDNESDAY).rates == (0.06,)
    assert rates(folder, Asked(pays=True), fetch=False).curve(WEDNESDAY).rates == (0.06,)


def test_a_scheduled_scan_never_asks_a_paying_provider(folder: MarketFolder) -> None:
    provider = Asked([BILL], pays=True)
    scheduled = rates(folder, provider, fetch=False)
    assert (scheduled.calls(STAMP), scheduled.curve(TUESDAY).source, provider.days_asked) == (0, "assumed", [])


BROKEN: dict[str, bytes] = {
    "cut off": b'{"asked": "2026-03-24", "yie',
    "a list": b"[]",
    "no yields": b'{"asked": "2026-03-24"}',
    "no date": b'{"asked": null, "yields": []}',
    "a rate in words": orjson.dumps(
        {
            "asked": "2026-03-24",
            "yields": [
                {
                    "date": "2026-03-24",
                    "days": 73,
                    "rate": "five",
                    "basis": "continuous",
                    "source": "treasury",
                    "known_at": "2026-03-24T12:00:00+00:00",
                }
            ],
        }
    ),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_file_that_cannot_be_read_is_one_warning_and_is_made_anew(
    folder: MarketFolder, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    rates(folder, Asked([BILL], pays=True)).curve(TUESDAY)
    (path,) = (folder.data_dir / "cache" / "rates").iterdir()
    path.write_bytes(content)
    provider = Asked([BILL], pays=True)
    with caplog.at_level(logging.WARNING):
        asked = rates(folder, provider)
        assert asked.calls(STAMP) == CALLS_FOR_RATES
        assert asked.curve(TUESDAY).rates == (0.05,)
    (line,) = caplog.messages
    assert str(path) in line
    assert provider.days_asked == [TUESDAY]
    assert rates(folder, Asked(pays=True), fetch=False).curve(TUESDAY).rates == (0.05,)


def store_rows(folder: MarketFolder, scan_id: str, provider: ScriptedProvider, kind: ScanKind = "manual") -> None:
    """Scan ZZTA and ZZTB and join them."""
    provider.answers = {"ZZTA": [live_chain()], "ZZTB": [live_chain("ZZTB")]}
    made = plan(provider.answers, scan_id=scan_id, kind=kind)
    staging = Staging(folder, scan_id)
    staging.write_plan(made.to_json())
    Collector(folder, provider, made, staging, Watcher(), now=lambda: STAMP).collect()
    staging.write_outcome(
        {"stopped": None, "skipped": {}, "calls": 0, "seconds": 1.0, "finished_at": STAMP.isoformat()}
    )
    with open_store(folder, "test") as connection:
        join(connection, folder, staging, exchange_sessions())


def test_the_scan_keeps_its_curve_and_the_store_each_yield_once(folder: MarketFolder) -> None:
    bill = paper(TUESDAY, 90, 0.0365, "discount")
    store_rows(folder, "scan-1", Asked([bill, BOND]))
    store_rows(folder, "scan-2", Asked([bill, BOND]))
    with open_store(folder, "test") as connection:
        curves = connection.execute("SELECT rate_curve FROM scans ORDER BY scan_id").fetchall()
        rows = connection.execute(
            "SELECT scan_id, provider, source, date, days, rate, basis FROM rates ORDER BY days"
        ).fetchall()
        chains = connection.execute("SELECT DISTINCT rate_source FROM chains").fetchall()
    assert rows == [
        ("scan-1", "yahoo", "treasury", TUESDAY, 90, 0.0365, "discount"),
        ("scan-1", "yahoo", "treasury", TUESDAY, 3650, 0.03, "continuous"),
    ]
    for (text,) in curves:
        curve = orjson.loads(text)
        assert (curve["source"], curve["date"]) == ("treasury", "2026-03-24")
        assert curve["tenors"] == pytest.approx([90 / 365, 10.0])
        # The bill costs 1 - 0.0365 * 90 / 360 = 0.990875, so -ln(0.990875) * 365 / 90 a year.
        assert curve["rates"] == pytest.approx([0.0371769, 0.03], abs=1e-7)
    assert chains == [("treasury",)]
