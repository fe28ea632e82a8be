"""Figures of chains, as they are published: what lacks names its reason, and a bad row leaves its neighbours alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from collector.market.rates import constant
from collector.pipeline.analyse import Fetched, analyse, normalise_fetched
from collector.pipeline.ticker_record import full_record
from collector.providers.base import OptionChain
from collector.store.database import open_store
from collector.store.export_source import StoreSnapshot
from exports.folders import MarketFolder
from exports.reasons import FIELD_REASONS, QUALITY_REASONS
from tests.pipeline.nulls import codes, unexplained_in_chain, unexplained_in_feature, without_null
from tests.pipeline.priced_chains import priced_chain
from tests.pipeline.scripted_provider import Answer, ScriptedProvider, at, scan, session_bar
from tests.quotes import EXPIRATION, STAMP, chain, contract, dark_chain, live_chain, occ, quote

MAY, JUNE = date(2026, 5, 15), date(2026, 6, 19)
DELAY = timedelta(minutes=15)
COMPUTED = ("bid_iv", "implied_volatility", "ask_iv", "delta", "gamma", "theta", "vega", "rho", "vanna", "charm")
# The rates are not those of the prices (none), and quotes are a per cent wide.
IV_TOLERANCE = 0.006


def record_of(chain: Any) -> dict[str, Any]:
    provider = ScriptedProvider({"ZZTA": [chain]})
    fetched = Fetched("ZZTA", quote(), (EXPIRATION,), [chain])
    normalised = normalise_fetched(fetched, provider, None)
    return full_record(fetched, analyse(normalised, (), constant(0.04), provider.sessions()), "yahoo")


@pytest.mark.parametrize(("open_side", "wall"), [("call", "put_wall"), ("put", "call_wall")])
def test_without_open_interest_on_one_side_its_wall_is_missing_and_says_why(open_side: str, wall: str) -> None:
    whole = live_chain()
    contracts = tuple(one if one.option_type == open_side else replace(one, open_interest=0) for one in whole.contracts)
    record = record_of(replace(whole, contracts=contracts))
    chain, feature = record["chains"][0], record["feature"]
    other = {"call_wall", "put_wall"} - {wall}
    assert chain["analytics"]["exposure"][wall] is None
    assert chain["reasons"][f"analytics.exposure.{wall}"] == "no_wall"
    assert feature[wall] is None
    assert feature["reasons"][wall] == "no_wall"
    for name in other:
        assert chain["analytics"]["exposure"][name] is not None
        assert f"analytics.exposure.{name}" not in chain["reasons"]
        assert feature[name] is not None
    assert set(chain["reasons"].values()) <= set(FIELD_REASONS)


def priced(ticker: str = "ZZTA", expiration: date = JUNE, sigma: float = 0.3, **more: Any) -> OptionChain:
    return priced_chain(ticker, expiration, STAMP, STAMP - DELAY, sigma, **more)


def changed(whole: OptionChain, **stated: Any) -> OptionChain:
    """Return a chain all of whose contracts state something else."""
    return replace(whole, contracts=tuple(replace(one, **stated) for one in whole.contracts))


def published(data_dir: Path, answers: dict[str, Answer]) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Scan the answers; return the chains and, by ticker, the features as they are published."""
    folder = MarketFolder(data_dir, "yahoo")
    folder.create()
    scan(folder, answers, bars=[session_bar(date(2026, 3, day), 100.0 + day) for day in (19, 20, 23)])
    with open_store(folder, "test") as connection:
        snapshot = StoreSnapshot(connection, folder, at(24, 17, 10))
        chains = [orjson.loads(orjson.dumps(one)) for one in snapshot.records("chains")]
        features = [orjson.loads(orjson.dumps(one)) for one in snapshot.records("features")]
    return chains, {one["ticker"]: one for one in features}


def by_symbol(published_chain: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["contract_symbol"]: one for one in (*published_chain["calls"], *published_chain["puts"])}


def partly(whole: OptionChain, **stated: Any) -> OptionChain:
    """Return a chain whose puts alone state something else."""
    changes = [replace(one, **(stated if one.option_type == "put" else {})) for one in whole.contracts]
    return replace(whole, contracts=tuple(changes))


def with_bad_rows(whole: OptionChain) -> OptionChain:
    """Return a chain with a negative ask, a bid far above its neighbours, and adjusted contracts without quotes."""
    rows = list(whole.contracts)
    rows[10] = replace(rows[10], bid=None, ask=-1.0)
    rows[21] = replace(rows[21], bid=60.0, ask=61.0)
    symbol = occ(f"{whole.ticker}1", "put", 90.0, whole.expiration)
    odd = (
        contract("put", 90.0, contract_symbol=symbol, bid=None, ask=None),
        contract("call", 91.0, contract_size=10, bid=None, ask=None),
    )
    return replace(whole, contracts=(*rows, *odd))


def odd_answers() -> dict[str, Answer]:
    """Return chains each of which lacks something."""
    calls = replace(priced("ZZTC"), contracts=tuple(one for one in priced().contracts if one.option_type == "call"))
    unstated: dict[str, Any] = {"volume": None, "last_trade_time": None, "bid_size": None, "open_interest": None}
    return {
        "ZZTA": [live_chain(), live_chain(expiration=JUNE)],
        "ZZTB": [dark_chain("ZZTB")],
        "ZZTC": [calls],
        "ZZTD": [changed(priced("ZZTD"), open_interest=0, volume=None, last_trade_time=None)],
        "ZZTE": [with_bad_rows(priced("ZZTE")), priced("ZZTE", EXPIRATION), priced("ZZTE", MAY)],
        "ZZTF": [chain(contract("call"), contract("put"), ticker="ZZTF", expiration=JUNE)],
        "ZZTG": [priced("ZZTG", spread=1.2), dark_chain("ZZTG")],
        "ZZTH": [priced("ZZTH", date(2026, 3, 25))],
        "ZZTI": [changed(priced("ZZTI"), bid=None)],
        "ZZTJ": [priced("ZZTJ", MAY, 0.6), priced("ZZTJ", JUNE, 0.1)],
        "ZZTK": [partly(changed(priced("ZZTK"), bid_size=5, vendor_implied_volatility=0.3), **unstated)],
        "ZZTL": [partly(changed(priced("ZZTL"), vendor_implied_volatility=0.3), vendor_implied_volatility=None)],
        "^SPX": [priced("^SPX")],
    }


@pytest.mark.django_db
def test_every_null_of_what_is_published_says_why_in_a_code_of_the_list(data_dir: Path) -> None:
    chains, features = published(data_dir, odd_answers())
    assert {one["ticker"] for one in chains} == set(features) == set(odd_answers())
    for one in chains:
        assert unexplained_in_chain(one) == [], one["ticker"]
        assert without_null(one) == [], one["ticker"]
    for ticker, feature in features.items():
        assert unexplained_in_feature(feature) == [], ticker
    told = set().union(*(codes(one) for one in (*chains, *features.values())))
    assert told <= set(FIELD_REASONS) | set(QUALITY_REASONS)
    # The odd chains reached at least these.
    assert told >= {
        "extrapolation",
        "negative_price",
        "no_bid_quote",
        "no_crossing",
        "no_two_sided_quote",
        "no_two_sided_quotes",
        "no_usable_chain",
        "not_stated",
        "open_interest_unknown",
        "quarantined",
        "quote_out_of_line",
        "too_few_contracts",
        "variance_falls",
        "volume_unknown",
        "wide_spreads",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("dead", "why"),
    [(dark_chain(), "no_two_sided_quotes"), (priced(spread=1.2), "wide_spreads"), (changed(priced(), ask=None), None)],
    ids=["before the open", "wide", "no asks"],
)
def test_chains_of_grade_f_carry_no_volatility_and_say_why(data_dir: Path, dead: OptionChain, why: str | None) -> None:
    # What the feed says of volatility changes nothing.
    ((one,), features) = published(data_dir, {"ZZTA": [changed(dead, vendor_implied_volatility=0.3)]})
    reason = why or "no_two_sided_quotes"
    assert (one["quality"]["grade"], one["quality"]["reasons"][0]) == ("F", reason)
    assert {row[name] for row in by_symbol(one).values() for name in COMPUTED} == {None}
    assert {one["reasons"][f"contracts.{name}"] for name in COMPUTED} == {reason}
    assert (one["atm_iv"], one["reasons"]["atm_iv"]) == (None, reason)
    assert {one["analytics"][name] for name in ("smile", "skew", "expected_move", "exposure", "arbitrage")} == {None}
    feature = features["ZZTA"]
    assert (feature["iv_30d"], feature["reasons"]["iv_30d"]) == (None, "no_usable_chain")
    assert (feature["expirations_used"], feature["expirations_listed"], feature["partial"]) == (0, 1, True)


@pytest.mark.django_db
def test_figures_over_fewer_expirations_than_are_listed_say_so(data_dir: Path) -> None:
    dark = dark_chain("ZZTB", MAY)
    _, features = published(
        data_dir,
        {"ZZTA": [priced(), priced(expiration=MAY)], "ZZTB": [priced("ZZTB"), dark, priced("ZZTB", EXPIRATION)]},
    )
    counts = ("expirations_used", "exposure_expirations_used", "expirations_listed", "partial")
    assert [features["ZZTA"][name] for name in counts] == [2, 2, 2, False]
    assert [features["ZZTB"][name] for name in counts] == [2, 2, 3, True]
    assert [point["expiration"] for point in features["ZZTB"]["term_structure"]] == ["2026-04-17", "2026-06-19"]


@pytest.mark.django_db
def test_a_bad_row_is_left_out_with_its_reason_and_its_neighbours_stay(data_dir: Path) -> None:
    whole, broken = priced("ZZTA"), with_bad_rows(priced("ZZTB"))
    chains, _ = published(data_dir, {"ZZTA": [whole], "ZZTB": [broken]})
    regular = {one["root"]: one for one in chains}
    sound, faulty = by_symbol(regular["ZZTA"]), by_symbol(regular["ZZTB"])
    # Rows 10 and 21: the call at 82.5 without a quote, the put at 95 bid far above its worth of some 4 dollars.
    unquoted, outlier = occ("ZZTB", "call", 82.5, JUNE), occ("ZZTB", "put", 95.0, JUNE)
    assert (faulty[unquoted]["bid_iv"], faulty[unquoted]["reasons"]["ask"]) == (None, "negative_price")
    assert "arbitrage" in faulty[outlier]["flags"]
    for name in ("bid_iv", "implied_volatility", "ask_iv"):
        assert (faulty[outlier][name], faulty[outlier]["reasons"][name]) == (None, "quote_out_of_line")
    odd = faulty.pop(occ("ZZTB", "call", 91.0, JUNE))
    assert (odd["adjusted"], odd["implied_volatility"], odd["delta"]) == (True, None, None)
    assert odd["reasons"]["implied_volatility"] == odd["reasons"]["delta"] == "quarantined"
    # The call of the outlier's strike is in the money, where the put's volatility would stand: it has its own.
    partner = faulty.pop(occ("ZZTB", "call", 95.0, JUNE))
    assert partner["implied_volatility"] == pytest.approx(0.3, abs=IV_TOLERANCE)
    assert partner["bid_iv"] < partner["implied_volatility"] < partner["ask_iv"]
    assert "iv_from_other_side" not in partner["flags"]
    for symbol, one in faulty.items():
        if symbol not in (unquoted, outlier):
            other = sound[symbol.replace("ZZTB", "ZZTA")]
            assert one["implied_volatility"] == pytest.approx(other["implied_volatility"], abs=3e-4), symbol
            assert "arbitrage" not in one["flags"]
    assert regular["ZZTB"]["atm_iv"] == pytest.approx(0.3, abs=IV_TOLERANCE)
    assert regular["ZZTB"]["analytics"]["arbitrage"]["rows"] == 1
    assert regular["ZZTB"]["quality"]["grade"] == regular["ZZTA"]["quality"]["grade"] == "A"


@pytest.mark.django_db
def test_morning_and_afternoon_settlement_of_one_date_are_two_chains_and_two_points(data_dir: Path) -> None:
    third_friday = date(2026, 4, 17)
    # Of the month's SPX the last trade is on Thursday, and Friday's opening prices settle it.
    rows = [
        replace(one, contract_symbol=occ(root, one.option_type, one.strike, third_friday))
        for root in ("SPX", "SPXW")
        for one in priced("^SPX", third_friday).contracts
    ]
    both = replace(priced("^SPX", third_friday), contracts=tuple(rows))
    chains, features = published(data_dir, {"^SPX": [both, priced("^SPX", JUNE)]})
    of_april = {one["root"]: one for one in chains if one["expiration"] == "2026-04-17"}
    assert {root: (one["settlement"], one["exercise_style"]) for root, one in of_april.items()} == {
        "SPX": ("AM", "european"),
        "SPXW": ("PM", "european"),
    }
    settles = {root: datetime.fromisoformat(one["settlement_time"]) for root, one in of_april.items()}
    assert settles == {
        "SPX": datetime(2026, 4, 17, 13, 30, tzinfo=UTC),
        "SPXW": datetime(2026, 4, 17, 20, 0, tzinfo=UTC),
    }
    as_of = STAMP - DELAY
    points = features["^SPX"]["term_structure"]
    assert [(point["root"], point["expiration"]) for point in points] == [
        ("SPX", "2026-04-17"),
        ("SPXW", "2026-04-17"),
        ("SPXW", "2026-06-19"),
    ]
    for point in points[:2]:
        days = (settles[point["root"]] - as_of).total_seconds() / 86_400
        assert point["days"] == pytest.approx(days, abs=1e-4)
    # The same prices over less time: the morning's volatility is higher, by the root of the ratio of tenors.
    morning, afternoon = (one["atm_iv"] for one in (of_april["SPX"], of_april["SPXW"]))
    assert afternoon == pytest.approx(0.3, abs=IV_TOLERANCE)
    assert morning / afternoon == pytest.approx((points[1]["days"] / points[0]["days"]) ** 0.5, abs=1e-4)
    assert features["^SPX"]["expirations_used"] == 2
