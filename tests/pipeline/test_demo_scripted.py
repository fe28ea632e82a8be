"""What is staged in the demo's volatility and open interest, recovered through backfill, join and publication."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import transaction

from collector.analytics.term_structure import constant_maturity
from collector.market.calendar import Session
from collector.market.rates import from_yields
from collector.pipeline.analyse import Fetched, analyse, normalise_fetched
from collector.pipeline.backfill import BEFORE_CLOSE, backfill
from collector.pipeline.publish import publish
from collector.providers.demo import DemoProvider
from collector.providers.demo.gamma_flip import gamma_flip
from collector.providers.demo.month_volatility import month_volatility, quoted_expirations
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import find
from collector.providers.demo.volatility_events import extreme_at
from collector.store.database import open_store
from exports import load_features_from_json
from exports.folders import MarketFolder
from tests.pipeline.test_collect import Watcher

pytestmark = [pytest.mark.accuracy, pytest.mark.django_db]

# Of two quarters the sessions in which CINDRA ends its bottom while FENWIR is at its top.
HALF_YEAR, BOTH = 126, 100
SESSIONS, BEFORE_A_RANK = 40, 20
IV_TOLERANCE, RANK_TOLERANCE, PERCENTILE_TOLERANCE = 0.004, 3.0, 10.0
# With a day left, contracts as far off as a flip are worth no bid: nobody sees their part.
FLIP_TOLERANCE, FLIP_TOLERANCE_NEAR_THE_END = 0.003, 0.02
# Where gamma hardly slopes at its crossing, what the quotes leave open moves that further.
FLAT_CROSSING_TOLERANCE = 0.005
# Near the end what nobody sees may move a crossing from between two strikes to between the next two.
FARTHEST_NEAR_THE_END = 0.05
NEAR_THE_END = timedelta(days=1.5)
AT_TOP, AT_BOTTOM = "FENWIR", "CINDRA"
FLIPS, FLIPS_NOWHERE = "CINDRA", "FENWIR"


class TwoTickers(DemoProvider):
    """The demo market cut down to the two in which most is staged."""

    def tickers(self) -> tuple[str, ...]:
        return (AT_BOTTOM, AT_TOP)


def last_ordinal() -> int:
    """Return the last session before April 2026 of that place in the half-year."""
    last = timeline().ordinal_of(datetime(2026, 4, 1, tzinfo=UTC).date())
    return last - (last - BOTH) % HALF_YEAR


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any) -> MarketFolder:
    """Return the demo's folder with the two tickers' sessions scanned and published."""
    made = MarketFolder(tmp_path_factory.mktemp("data"), "demo")
    made.create()
    now = timeline().sessions[last_ordinal()].close + timedelta(minutes=1)
    with django_db_blocker.unblock(), transaction.atomic():
        assert backfill(made, TwoTickers, SESSIONS, now, Watcher()) == SESSIONS
        publish(made)
        # The files are what the tests look at; no other test is to find these rows.
        transaction.set_rollback(True)
    return made


@pytest.fixture(scope="module")
def found(folder: MarketFolder) -> dict[str, list[dict[str, Any]]]:
    """Return by ticker what the scans found, a row a session, oldest first."""
    query = """
        SELECT ticker, market_date, iv_30d, iv_grade, iv_rank, iv_percentile, gamma_flip,
            reasons->>'gamma_flip' AS why_no_flip
        FROM features ORDER BY market_date
    """
    with open_store(folder, "test") as connection:
        rows = connection.execute(query).fetchall()
        names = [column[0] for column in connection.description or ()]
    records = [dict(zip(names, row, strict=True)) for row in rows]
    return {ticker: [one for one in records if one["ticker"] == ticker] for ticker in (AT_BOTTOM, AT_TOP)}


def sessions() -> list[Session]:
    return list(timeline().sessions[last_ordinal() - SESSIONS + 1 : last_ordinal() + 1])


def true_volatilities(ticker: str) -> list[float]:
    return [month_volatility(ticker, session.close - BEFORE_CLOSE) for session in sessions()]


def extremes(ticker: str) -> list[str | None]:
    return [extreme_at(find(ticker), timeline().ordinal_of(session.date)) for session in sessions()]


def test_every_sessions_thirty_day_volatility_is_the_true_one(
    found: dict[str, list[dict[str, Any]]], tell: Callable[[str], None]
) -> None:
    for ticker, rows in found.items():
        assert [row["market_date"] for row in rows] == [session.date for session in sessions()]
        off = [abs(row["iv_30d"] - true) for row, true in zip(rows, true_volatilities(ticker), strict=True)]
        tell(f"demo {ticker}: 30-day IV of {len(off)} sessions within {max(off):.4f}, median {np.median(off):.4f}")
        assert max(off) <= IV_TOLERANCE


def test_every_sessions_rank_and_percentile_are_those_of_the_true_volatilities(
    found: dict[str, list[dict[str, Any]]], tell: Callable[[str], None]
) -> None:
    for ticker, rows in found.items():
        true = true_volatilities(ticker)
        ranks, percentiles = [], []
        for place, row in enumerate(rows):
            # A new week's expiration has no open interest yet: the session is of a lower grade, and counts for no rank.
            window = [true[past] for past in range(place) if rows[past]["iv_grade"] <= "B"]
            if len(window) < BEFORE_A_RANK:
                assert row["iv_rank"] is None
                continue
            by_hand = 100 * (true[place] - min(window)) / (max(window) - min(window))
            below = 100 * sum(one < true[place] for one in window) / len(window)
            ranks.append(abs(row["iv_rank"] - by_hand))
            percentiles.append(abs(row["iv_percentile"] - below))
        tell(f"demo {ticker}: rank of {len(ranks)} sessions within {max(ranks):.2f}, percentile {max(percentiles):.1f}")
        assert len(ranks) >= 15
        assert max(ranks) <= RANK_TOLERANCE
        # On a plateau neighbours lie closer together than quotes can tell.
        assert max(percentiles) <= PERCENTILE_TOLERANCE
        assert np.median(percentiles) <= 1.0


def test_one_stands_at_its_top_while_the_other_is_at_its_bottom(found: dict[str, list[dict[str, Any]]]) -> None:
    for ticker, extreme in ((AT_TOP, "top"), (AT_BOTTOM, "bottom")):
        held = [row for row, staged in zip(found[ticker], extremes(ticker), strict=True) if staged == extreme]
        assert len(held) >= 4
        assert held[-1] == found[ticker][-1]
        for row in held:
            if extreme == "top":
                assert row["iv_rank"] >= 93
                assert row["iv_percentile"] >= 85
            else:
                assert row["iv_rank"] <= 5
                assert row["iv_percentile"] <= 25


def test_every_sessions_flip_is_the_true_one_or_nowhere(
    found: dict[str, list[dict[str, Any]]], tell: Callable[[str], None]
) -> None:
    for row in found[FLIPS_NOWHERE]:
        assert (row["gamma_flip"], row["why_no_flip"]) == (None, "no_crossing")
    off, near_the_end = [], []
    for row, session in zip(found[FLIPS], sessions(), strict=True):
        moment = session.close - BEFORE_CLOSE
        true = gamma_flip(FLIPS, moment)
        assert true is not None
        ends = [one.settles - moment for one in quoted_expirations(find(FLIPS), moment)]
        (near_the_end if min(ends) < NEAR_THE_END else off).append(abs(row["gamma_flip"] / true - 1))
    for some, when in ((off, "longer"), (near_the_end, "shorter")):
        told = f"within {max(some):.4%}, median {np.median(some):.4%}"
        tell(f"demo {FLIPS}: flips of {len(some)} sessions, the nearest expiration {when} than 1.5 days: {told}")
    assert len(off) >= 20
    assert max(off) <= FLAT_CROSSING_TOLERANCE
    assert np.quantile(off, 0.9) <= FLIP_TOLERANCE
    assert max(near_the_end) <= FARTHEST_NEAR_THE_END
    assert np.quantile(near_the_end, 0.8) <= FLIP_TOLERANCE_NEAR_THE_END


def test_what_is_published_shows_it(
    folder: MarketFolder, found: dict[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTSITE_DATA_DIR", str(folder.data_dir))
    monkeypatch.setenv("OPTSITE_PROVIDER", "demo")
    for ticker, rows in found.items():
        published = load_features_from_json(ticker)
        assert published is not None
        for name in ("iv_30d", "iv_rank", "iv_percentile"):
            assert published[name] == pytest.approx(rows[-1][name], rel=1e-5)
        true = gamma_flip(ticker, sessions()[-1].close - BEFORE_CLOSE)
        assert published["gamma_flip"] == (None if true is None else pytest.approx(true, rel=FLIP_TOLERANCE))
        assert published["reasons"].get("gamma_flip") == (None if true else "no_crossing")


# On Mondays to Wednesdays, far apart: no expiration is about to settle.
MOMENTS = [
    datetime(2014, 6, 3, 9, 0, tzinfo=UTC),
    datetime(2019, 9, 17, 15, 30, tzinfo=UTC),
    datetime(2023, 5, 2, 18, 0, tzinfo=UTC),
    datetime(2026, 1, 27, 3, 0, tzinfo=UTC),
]


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"{moment:%Y-%m-%d}")
def test_flips_and_volatilities_are_the_true_ones_at_any_other_moment(moment: datetime) -> None:
    provider = DemoProvider(moment)
    for ticker in (FLIPS, FLIPS_NOWHERE):
        fetched = Fetched(ticker, provider.quote(ticker), provider.expirations(ticker))
        fetched.chains = [provider.chain(ticker, expiration) for expiration in fetched.expirations]
        normalised = normalise_fetched(fetched, provider, None)
        curve = from_yields(provider.rates(moment.date()))
        analysis = analyse(normalised, provider.events(ticker), curve, provider.sessions())
        level, _ = constant_maturity(analysis.figures.term, 30)
        assert level == pytest.approx(month_volatility(ticker, moment), abs=IV_TOLERANCE)
        exposure, true = analysis.figures.exposure, gamma_flip(ticker, moment)
        assert exposure is not None
        assert exposure.flip == (None if true is None else pytest.approx(true, rel=FLIP_TOLERANCE))
        assert (true is None) == (ticker == FLIPS_NOWHERE)
