"""From quotes to rows: nothing invented, every oddity flagged or counted."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from collector.market.calendar import exchange_sessions
from collector.market.rates import constant
from collector.normalise import NormalisedTicker, normalise
from collector.pipeline.analyse import Analysis, Fetched, analyse, normalise_fetched
from collector.pipeline.staged_contracts import staged_contracts
from collector.pipeline.ticker_record import full_record
from collector.providers.base import ContractQuote, OptionChain
from collector.providers.recorded import RecordedProvider
from tests.providers.recorded_files import contract as body_contract
from tests.providers.recorded_files import options_body, write_body
from tests.quotes import CLOSE, EXPIRATION, OPEN, STAMP, chain, contract, dark_chain, live_chain, occ, quote

DELAY = timedelta(minutes=15)
MICROSECOND = timedelta(microseconds=1)


def rows_of(
    *contracts: ContractQuote, ticker: str = "ZZTA", earlier: pd.DataFrame | None = None, **more: Any
) -> NormalisedTicker:
    made = chain(*contracts, ticker=ticker, **more)
    return normalise(ticker, [made], quote(ticker), exchange_sessions(), DELAY, earlier)


def one(normalised: NormalisedTicker) -> dict[str, Any]:
    assert len(normalised.contracts) == 1
    row: dict[str, Any] = normalised.contracts.iloc[0].to_dict()
    return row


def test_a_sound_row_keeps_what_the_feed_states() -> None:
    row = one(
        rows_of(contract("put", 95.0, bid_size=7, ask_size=9, vendor_implied_volatility=0.3121, in_the_money=False))
    )
    assert row["contract_symbol"] == "ZZTA260417P00095000"
    assert (row["root"], row["expiration"], row["option_type"], row["strike"]) == ("ZZTA", EXPIRATION, "put", 95.0)
    assert (row["bid"], row["ask"], row["mid"], row["bid_size"], row["ask_size"]) == (2.9, 3.1, 3.0, 7, 9)
    assert (row["volume"], row["volume_known"], row["open_interest"], row["multiplier"]) == (40, True, 900, 100)
    assert row["in_the_money"] is False
    assert row["last_trade_time"] == pd.Timestamp("2026-03-24T15:00:00Z")
    assert (row["flags"], row["reasons"], row["adjusted"]) == ([], {}, False)


def test_what_is_not_stated_is_null_and_a_stated_zero_stays() -> None:
    bare = one(rows_of(ContractQuote("call", 100.0)))
    for name in ("bid", "ask", "mid", "last_price", "volume", "open_interest", "vendor_implied_volatility", "change"):
        assert math.isnan(bare[name]), name
    assert bare["in_the_money"] is None
    assert pd.isna(bare["last_trade_time"])
    assert (bare["volume_known"], bare["flags"]) == (False, ["no_bid", "no_ask"])
    zeros = one(rows_of(contract(bid=0.0, ask=0.0, last_price=0.0, volume=0, open_interest=0)))
    assert [zeros[name] for name in ("bid", "ask", "last_price", "volume", "open_interest")] == [0.0] * 5
    assert math.isnan(zeros["mid"])
    assert zeros["reasons"] == {"mid": "no_two_sided_quote"}
    assert zeros["flags"] == ["no_bid", "no_ask"]
    assert zeros["volume_known"]


def test_a_strike_without_a_quote_between_two_with_one_gets_no_mid() -> None:
    normalised = rows_of(
        contract(strike=300.0, bid=3717.7, ask=3720.0),
        contract(strike=400.0, bid=0.0, ask=0.0, last_price=3702.1, vendor_implied_volatility=1e-5, open_interest=0),
        contract(strike=500.0, bid=3519.7, ask=3522.0),
        expiration=date(2026, 12, 18),
    )
    middle = normalised.contracts.set_index("strike").loc[400.0]
    assert math.isnan(middle["mid"])
    assert middle["flags"] == ["no_bid", "no_ask", "placeholder_iv"]


def test_crossed_and_one_sided_quotes_are_flagged_and_have_no_mid() -> None:
    assert one(rows_of(contract(bid=3.1, ask=3.0)))["flags"] == ["crossed"]
    assert math.isnan(one(rows_of(contract(bid=3.1, ask=3.0)))["mid"])
    assert one(rows_of(contract(bid=3.0, ask=3.0)))["mid"] == 3.0
    assert one(rows_of(contract(bid=0.0)))["flags"] == ["no_bid"]
    assert one(rows_of(contract(ask=None)))["flags"] == ["no_ask"]


def test_a_negative_price_is_null_and_flagged() -> None:
    row = one(rows_of(contract(bid=-0.01, last_price=-3.0)))
    assert math.isnan(row["bid"])
    assert math.isnan(row["last_price"])
    assert row["flags"] == ["negative_price", "no_bid"]


@pytest.mark.parametrize(
    ("vendor", "flagged"),
    [
        (0.00001, True),
        (0.0625, True),
        (0.125, True),
        (0.25, True),
        (0.50001, True),
        (1.0, True),
        (0.0, True),
        (0.2501, False),
        (0.3, False),
        (0.99, False),
        (None, False),
    ],
)
def test_fill_in_volatilities_of_the_vendor_are_flagged(vendor: float | None, flagged: bool) -> None:
    assert ("placeholder_iv" in one(rows_of(contract(vendor_implied_volatility=vendor)))["flags"]) is flagged


def test_symbols_that_say_otherwise_and_double_rows_are_left_out_and_counted() -> None:
    normalised = rows_of(
        contract(strike=100.0, contract_symbol=occ(strike=100.0)),
        contract(strike=100.0, contract_symbol=occ(strike=100.0), bid=2.0),
        contract(strike=105.0, contract_symbol=occ(strike=106.0)),
        contract(strike=110.0, contract_symbol=occ(strike=110.0, option_type="put")),
        contract(strike=115.0, contract_symbol=occ(strike=115.0, expiration=date(2026, 4, 10))),
        contract(strike=120.0, contract_symbol="ZZTA 120 CALL"),
        contract(strike=0.0),
        contract(strike=math.inf),
        contract(strike=100_000.0),
        contract(strike=125.0, currency="EUR"),
        contract(strike=130.0, contract_symbol="ZZTA  260417C00130000"),
    )
    assert normalised.rejections == {
        "duplicate": 1,
        "symbol_mismatch": 3,
        "bad_symbol": 1,
        "bad_strike": 3,
        "not_usd": 1,
    }
    assert list(normalised.contracts["contract_symbol"]) == [occ(strike=100.0), occ(strike=130.0)]
    assert normalised.contracts["bid"].iloc[0] == 2.9


def test_adjusted_contracts_are_quarantined_beside_the_regular_ones() -> None:
    normalised = rows_of(
        contract(contract_symbol=occ()),
        contract(contract_symbol=occ("ZZTA1"), contract_size=100),
        contract(strike=105.0, contract_symbol=occ(strike=105.0), contract_size=10),
        contract(strike=110.0, contract_symbol=occ("OTHER", strike=110.0)),
    )
    rows = normalised.contracts.set_index("contract_symbol")
    assert dict(rows["adjusted"]) == {
        occ(): False,
        occ("ZZTA1"): True,
        occ(strike=105.0): True,
        occ("OTHER", strike=110.0): True,
    }
    assert rows.loc[occ("ZZTA1"), "flags"] == ["adjusted"]
    assert rows.loc[occ(strike=105.0), "multiplier"] == 10
    assert [head.root for head in normalised.chains] == ["OTHER", "ZZTA", "ZZTA1"]


def test_two_roots_of_an_index_on_one_date_are_two_chains() -> None:
    normalised = rows_of(
        contract(strike=5000.0, contract_symbol=occ("SPXW", strike=5000.0)),
        contract(strike=5000.0, contract_symbol=occ("SPX", strike=5000.0)),
        ticker="^SPX",
    )
    morning, afternoon = normalised.chains
    assert (morning.root, morning.settlement.kind, morning.settlement.style) == ("SPX", "AM", "european")
    assert morning.settlement.time == datetime(2026, 4, 17, 13, 30, tzinfo=UTC)
    assert (afternoon.root, afternoon.settlement.kind) == ("SPXW", "PM")
    assert afternoon.settlement.time == datetime(2026, 4, 17, 20, 0, tzinfo=UTC)
    assert list(normalised.contracts["root"]) == ["SPX", "SPXW"]
    assert [(head.start, head.stop) for head in normalised.chains] == [(0, 1), (1, 2)]
    assert not normalised.contracts["adjusted"].any()


def test_rows_are_in_order_of_type_and_strike() -> None:
    normalised = rows_of(contract("put", 100.0), contract("call", 105.0), contract("call", 95.0), contract("put", 90.0))
    assert list(zip(normalised.contracts["option_type"], normalised.contracts["strike"], strict=True)) == [
        ("call", 95.0),
        ("call", 105.0),
        ("put", 90.0),
        ("put", 100.0),
    ]


@pytest.mark.parametrize(
    ("traded", "known", "flags"),
    [
        (OPEN, True, []),
        (OPEN - MICROSECOND, False, ["stale_last_trade", "volume_carried"]),
        (CLOSE + timedelta(minutes=14), True, []),
        (OPEN + timedelta(days=1), False, ["volume_carried"]),
    ],
)
def test_volume_is_of_the_session_in_which_the_last_trade_lies(traded: datetime, known: bool, flags: list[str]) -> None:
    row = one(rows_of(contract(last_trade_time=traded, change=0.5)))
    assert (row["volume_known"], row["flags"], row["volume"]) == (known, flags, 40)


@pytest.mark.parametrize(("change", "known"), [(0.0, False), (0.01, True), (-0.4, True)])
def test_without_a_last_trade_time_a_change_tells(change: float, known: bool) -> None:
    row = one(rows_of(contract(last_trade_time=None, change=change)))
    assert (row["volume_known"], "volume_carried" in row["flags"]) == (known, not known)


def test_without_both_the_scan_of_an_earlier_session_tells() -> None:
    symbols = [occ(strike=strike) for strike in (100.0, 105.0, 110.0)]
    earlier = pd.DataFrame({"contract_symbol": symbols, "volume": [40.0, 39.0, 40.0], "last_price": [3.0, 3.0, 2.9]})
    blind: dict[str, Any] = {"last_trade_time": None, "change": None}
    normalised = rows_of(
        *[contract(strike=strike, **blind) for strike in (100.0, 105.0, 110.0, 115.0)], earlier=earlier
    )
    # As it was; another volume; another last price; not seen before.
    assert list(normalised.contracts["volume_known"]) == [False, True, True, False]
    assert not rows_of(contract(**blind)).contracts["volume_known"].any()


def test_no_volume_is_no_carried_volume_and_a_stated_zero_is_this_sessions() -> None:
    unstated = one(rows_of(contract(volume=None, last_trade_time=None, change=None)))
    assert (unstated["volume_known"], "volume_carried" in unstated["flags"]) == (False, False)
    zero = one(rows_of(contract(volume=0, last_trade_time=OPEN - timedelta(days=3))))
    assert (zero["volume_known"], zero["flags"]) == (True, ["stale_last_trade"])


def test_contracts_that_had_settled_are_left_out() -> None:
    today = date(2026, 3, 24)
    assert rows_of(contract(), contract("put"), expiration=today, stamp=CLOSE + DELAY - timedelta(seconds=1)).chains
    settled = rows_of(contract(), contract("put"), expiration=today, stamp=CLOSE + DELAY)
    assert (settled.chains, len(settled.contracts), settled.rejections) == ((), 0, {"expired": 2})


def test_an_expiration_beyond_the_calendar_is_counted() -> None:
    far = date(datetime.now(UTC).year + 6, 12, 20)
    normalised = rows_of(contract(), expiration=far)
    assert (normalised.chains, normalised.rejections) == ((), {"beyond_calendar": 1})


def test_no_contract_at_all_is_an_empty_frame() -> None:
    normalised = normalise("ZZTA", [], quote(), exchange_sessions(), DELAY)
    assert (len(normalised.contracts), normalised.chains) == (0, ())
    assert "flags" in normalised.contracts.columns


@pytest.mark.clock
def test_days_and_moments_are_new_yorks_wherever_the_machine_stands() -> None:
    # 01:30 UTC is still the evening before in New York, and the day after in Tokyo.
    stamp = datetime(2026, 7, 28, 1, 30, tzinfo=UTC)
    normalised = rows_of(contract(), expiration=date(2026, 7, 31), stamp=stamp)
    (head,) = normalised.chains
    assert (head.dte, head.moment.market_date) == (4, date(2026, 7, 27))
    assert head.moment.as_of == datetime(2026, 7, 27, 20, 0, tzinfo=UTC)
    assert head.settlement.time == datetime(2026, 7, 31, 20, 0, tzinfo=UTC)
    assert normalised.contracts["expiration"].iloc[0] == date(2026, 7, 31)
    row = one(rows_of(contract()))
    assert row["last_trade_time"] == pd.Timestamp("2026-03-24T15:00:00Z")
    assert row["volume_known"]


@pytest.mark.clock
def test_an_expiration_of_midnight_utc_is_the_date_in_its_symbol(tmp_path: Path) -> None:
    expiration = datetime.fromtimestamp(1605225600, UTC).date()
    made = options_body(
        listed=(expiration,),
        held=(expiration,),
        calls=(body_contract(contractSymbol="ZZTA201113C00050000"),),
        regularMarketTime=int(datetime(2020, 11, 10, 18, tzinfo=UTC).timestamp()),
    )
    assert made["optionChain"]["result"][0]["expirationDates"] == [1605225600]
    write_body(tmp_path, made)
    provider = RecordedProvider(tmp_path)
    assert provider.expirations("ZZTA") == (date(2020, 11, 13),)
    fetched = provider.chain("ZZTA", date(2020, 11, 13))
    normalised = normalise("ZZTA", [fetched], provider.quote("ZZTA"), provider.sessions(), provider.delay)
    assert normalised.rejections == {}
    assert list(normalised.contracts["contract_symbol"]) == ["ZZTA201113C00050000"]
    assert normalised.chains[0].expiration == date(2020, 11, 13)


class Exchange:
    """What grading asks of a provider."""

    delay = DELAY

    @staticmethod
    def sessions() -> Any:
        return exchange_sessions()


def analysed(fetched: Fetched) -> Analysis:
    normalised = normalise_fetched(fetched, Exchange(), None)  # type: ignore[arg-type]
    return analyse(normalised, fetched.events, constant(0.04), exchange_sessions())


WILD = (
    contract(bid=math.nan, ask=math.inf, last_price=-math.inf, change=math.nan, vendor_implied_volatility=math.inf),
    contract("put", vendor_delta=math.nan, vendor_implied_volatility=math.nan, bid=None, ask=None),
    ContractQuote("call", 120.0),
)


@pytest.mark.parametrize(
    "made", [chain(*WILD), dark_chain(), live_chain(), chain()], ids=["wild", "dark", "live", "none"]
)
@pytest.mark.parametrize("price", [None, 0.0, 100.0])
def test_neither_nan_nor_infinity_leaves_in_a_record(made: OptionChain, price: float | None) -> None:
    fetched = Fetched("ZZTA", quote(price=price), (EXPIRATION,), [made])
    analysis = analysed(fetched)
    record = full_record(fetched, analysis, "yahoo")
    json.dumps(record, allow_nan=False, default=str)
    staged = staged_contracts(analysis)
    for name, column in staged.items():
        assert column.dtype.kind not in "if" or not np.isinf(column).any(), name


def test_a_chain_without_spot_and_quotes_is_unusable_and_says_why() -> None:
    fetched = Fetched("ZZTA", quote(price=0.0), (EXPIRATION,), [dark_chain()])
    record = full_record(fetched, analysed(fetched), "yahoo")
    (made,) = record["chains"]
    assert (made["grade"], made["grade_reasons"][0]) == ("F", "no_reference_price")
    assert record["feature"]["volume"] is None
    assert record["feature"]["reasons"]["volume"] == "no_usable_chain"


def test_the_moment_of_the_record_is_the_newest_of_its_chains() -> None:
    later = live_chain(expiration=date(2026, 5, 15), stamp=STAMP + timedelta(minutes=1))
    fetched = Fetched("ZZTA", quote(), (EXPIRATION, date(2026, 5, 15)), [live_chain(), later])
    record = full_record(fetched, analysed(fetched), "yahoo")
    assert record["as_of"] == "2026-03-24T16:46:00+00:00"
    assert record["recorded_at"] == "2026-03-24T17:01:00+00:00"
    assert [made["grade"] for made in record["chains"]] == ["A", "A"]


def test_each_null_says_why_and_a_negative_price_is_told_apart() -> None:
    (row,) = [rows_of(contract(bid=-0.5, ask=None, last_price=1.0, volume=None, open_interest=7)).contracts.iloc[0]]
    assert row["reasons"] == {
        "mid": "no_two_sided_quote",
        "bid": "negative_price",
        "ask": "not_stated",
        "volume": "not_stated",
    }
    assert row["flags"] == ["negative_price", "no_bid", "no_ask"]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("price", [1e308, 1.7e308, 1.1e6])
@pytest.mark.parametrize("side", ["bid", "ask", "last_price"])
def test_a_price_that_no_contract_can_have_is_null_and_overflows_nowhere(side: str, price: float) -> None:
    rows = list(live_chain().contracts)
    rows[4] = replace(rows[4], **{side: price})
    fetched = Fetched("ZZTA", quote(), (EXPIRATION,), [chain(*rows)])
    analysis = analysed(fetched)
    frame = analysis.normalised.contracts
    spoiled = frame[(frame["strike"] == 100.0) & (frame["option_type"] == "call")].iloc[0]
    assert math.isnan(spoiled[side])
    assert spoiled["reasons"][side] == "impossible_price"
    whole = analysed(Fetched("ZZTA", quote(), (EXPIRATION,), [live_chain()]))
    assert analysis.found is not None
    assert whole.found is not None
    assert analysis.found.computed.terms.forward[0] == pytest.approx(whole.found.computed.terms.forward[0], rel=1e-3)
    # A neighbour: what a deep put of the highest strike costs is possible.
    assert one(rows_of(contract("put", 99_999.0, bid=99_000.0, ask=99_100.0)))["mid"] == 99_050.0


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("own", [True, False])
def test_a_spot_that_is_not_finite_is_null_with_its_reason(price: float, own: bool) -> None:
    """Of the chain's own underlying, or of the ticker's quote where the chain brings none."""
    made = live_chain()
    fetched = Fetched("ZZTA", quote(price=price), (EXPIRATION,), [made])
    if own:
        fetched = Fetched("ZZTA", quote(), (EXPIRATION,), [replace(made, underlying=quote(price=price))])
    analysis = analysed(fetched)
    record = full_record(fetched, analysis, "yahoo")
    (row,) = record["chains"]
    assert (row["underlying_price"], row["reasons"]["underlying_price"]) == (None, "no_spot")
    assert record["feature"]["price"] is None
    assert row["spot"] == pytest.approx(100.0, rel=0.01)
    orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY)
    assert np.isnan(staged_contracts(analysis)["underlying_price"]).all()


@pytest.mark.parametrize(("expiration", "source"), [(EXPIRATION, "forwards"), (date(2026, 9, 18), "stated")])
def test_a_chain_says_where_its_spot_comes_from(expiration: date, source: str) -> None:
    """24 days show the spot; half a year alone does not."""
    fetched = Fetched("ZZTA", quote(), (expiration,), [live_chain(expiration=expiration)])
    (row,) = full_record(fetched, analysed(fetched), "yahoo")["chains"]
    assert row["spot_source"] == source
    assert row["spot"] == pytest.approx(100.0, rel=5e-3)


def test_a_dead_chain_says_why_it_has_no_spot_source() -> None:
    fetched = Fetched("ZZTA", quote(), (EXPIRATION,), [dark_chain()])
    (row,) = full_record(fetched, analysed(fetched), "yahoo")["chains"]
    assert (row["spot_source"], row["reasons"]["spot_source"]) == (None, row["grade_reasons"][0])


def test_a_dividend_rate_that_is_not_finite_is_null() -> None:
    stated = replace(quote(), dividend_rate=math.nan)
    made = normalise("ZZTA", [live_chain()], stated, exchange_sessions(), DELAY)
    assert made.chains[0].underlying.dividend_rate is None


@pytest.mark.parametrize("strike", [0.0, -5.0, math.nan, math.inf])
def test_a_contract_without_a_usable_strike_is_left_out_and_its_neighbours_stay(strike: float) -> None:
    normalised = rows_of(contract(), contract(strike=strike, contract_symbol=None))
    assert list(normalised.contracts["strike"]) == [contract().strike]
    assert normalised.rejections == {"bad_strike": 1}
