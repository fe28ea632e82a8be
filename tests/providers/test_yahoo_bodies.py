"""Yahoo's options and chart bodies: what is stated, what is not, and what is wrong with them."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.providers.base import (
    BadAnswer,
    Bar,
    ContractQuote,
    Event,
    NoOptions,
    NotInDollars,
    ProviderError,
    Quote,
    RateLimited,
    TickerNotFound,
    Unauthorised,
)
from collector.providers.yahoo_bodies import options_quote, parse_chart, parse_options, parse_quote_events, stated_time
from tests.providers.yahoo_server import RECORDED

STAMP = datetime(2026, 1, 27, 15, 30, tzinfo=UTC)
FEBRUARY = date(2026, 2, 20)


def body(name: str) -> Any:
    return json.loads((RECORDED / f"{name}.json").read_text())


def contracts_by_symbol(name: str, expiration: date) -> dict[str, ContractQuote]:
    chains = parse_options(body(name), STAMP)[2]
    return {str(contract.contract_symbol): contract for contract in chains[expiration].contracts}


class TestOptions:
    def test_quote_expirations_and_chain_of_an_equity(self) -> None:
        quote, expirations, chains = parse_options(body("options-ZQXA"), STAMP)
        assert quote == Quote(
            ticker="ZQXA",
            stamp=STAMP,
            price=101.2,
            time=datetime(2026, 1, 27, 15, 29, 56, tzinfo=UTC),
            market_state="regular",
            currency="USD",
            dividend_rate=1.6,
        )
        assert expirations == (date(2026, 1, 30), date(2026, 2, 20), date(2026, 3, 20))
        (chain,) = chains.values()
        assert (chain.ticker, chain.expiration, chain.stamp) == ("ZQXA", date(2026, 1, 30), STAMP)
        assert (chain.quote_time, chain.underlying) == (None, quote)
        assert [c.option_type for c in chain.contracts].count("call") == 11
        assert len(chain.contracts) == 22

    def test_what_a_row_states_is_what_the_contract_holds(self) -> None:
        assert contracts_by_symbol("options-ZQXA", date(2026, 1, 30))["ZQXA260130C00097500"] == ContractQuote(
            option_type="call",
            strike=97.5,
            contract_symbol="ZQXA260130C00097500",
            bid=3.75,
            ask=3.83,
            last_price=3.79,
            last_trade_time=datetime(2026, 1, 27, 15, 17, 32, tzinfo=UTC),
            change=0.1,
            volume=40,
            open_interest=142,
            vendor_implied_volatility=0.28400000000000003,
            in_the_money=True,
            contract_size=100,
            currency="USD",
        )

    def test_what_is_left_out_or_null_is_none(self) -> None:
        contracts = contracts_by_symbol("options-ZQXA", date(2026, 1, 30))
        untraded = contracts["ZQXA260130C00080000"]
        assert (untraded.volume, untraded.open_interest, untraded.last_trade_time) == (None, None, None)
        nulls = contracts["ZQXA260130P00080000"]
        assert (nulls.bid, nulls.ask, nulls.last_price) == (None, None, None)
        assert (nulls.bid_size, nulls.ask_size, nulls.vendor_delta) == (None, None, None)

    def test_a_stated_zero_stays_zero_and_fill_in_volatility_stays_as_stated(self) -> None:
        contracts = contracts_by_symbol("options-ZQXA", date(2026, 1, 30))
        call, put = contracts["ZQXA260130C00120000"], contracts["ZQXA260130P00120000"]
        assert (call.bid, call.ask, call.open_interest) == (0.0, 0.0, 0)
        assert call.vendor_implied_volatility == pytest.approx(0.00001)
        assert (put.volume, put.open_interest, put.vendor_implied_volatility) == (0, 0, 0.125)

    def test_an_adjusted_root_stands_beside_the_regular_one(self) -> None:
        contracts = contracts_by_symbol("options-ZQXA-1771545600", FEBRUARY)
        assert len(contracts) == 24
        assert {"ZQXA1260220C00100000", "ZQXA260220C00100000"} <= set(contracts)

    def test_both_roots_of_an_index_share_a_date(self) -> None:
        quote, expirations, chains = parse_options(body("options-^SPX"), STAMP)
        assert (quote.ticker, expirations) == ("^SPX", (FEBRUARY,))
        symbols = [str(contract.contract_symbol) for contract in chains[FEBRUARY].contracts]
        assert sum(symbol.startswith("SPXW") for symbol in symbols) == 14
        assert len(set(symbols)) == len(symbols) == 28

    def test_a_share_class_keeps_its_hyphen(self) -> None:
        quote, _, chains = parse_options(body("options-BRK-B"), STAMP)
        assert quote.ticker == "BRK-B"
        assert str(chains[FEBRUARY].contracts[0].contract_symbol).startswith("BRKB260220C")

    @pytest.mark.clock
    def test_an_expiration_is_the_date_of_its_epoch_in_utc(self) -> None:
        """HO-09: 1605225600 is 2020-11-13, as the symbol says, on a machine in any zone."""
        recorded = body("options-BRK-B")
        result = recorded["optionChain"]["result"][0]
        result["expirationDates"] = [1605225600]
        result["options"][0]["expirationDate"] = 1605225600
        _, expirations, chains = parse_options(recorded, STAMP)
        assert expirations == tuple(chains) == (date(2020, 11, 13),)

    @pytest.mark.parametrize(
        ("stated", "state"),
        [
            ("PREPRE", "closed"),
            ("PRE", "pre"),
            ("REGULAR", "regular"),
            ("POST", "post"),
            ("POSTPOST", "closed"),
            ("CLOSED", "closed"),
            ("LUNCH", None),
            (None, None),
        ],
    )
    def test_market_states(self, stated: str | None, state: str | None) -> None:
        recorded = body("options-ZQXA")
        recorded["optionChain"]["result"][0]["quote"]["marketState"] = stated
        assert parse_options(recorded, STAMP)[0].market_state == state

    def test_before_the_open_the_price_is_the_close_with_its_time(self) -> None:
        quote = parse_options(body("options-ZQDK"), STAMP)[0]
        assert (quote.price, quote.time) == (55.4, datetime(2026, 1, 26, 21, 0, 1, tzinfo=UTC))
        assert quote.market_state == "pre"

    @pytest.mark.parametrize("price", [0, -1.0, None, "101", float("nan"), float("inf"), True])
    def test_a_price_that_is_none_is_none(self, price: object) -> None:
        """HO-20: a spot of 0 is no spot."""
        recorded = body("options-ZQXA")
        recorded["optionChain"]["result"][0]["quote"]["regularMarketPrice"] = price
        assert parse_options(recorded, STAMP)[0].price is None

    def test_options_left_out_of_the_answer_are_no_chains(self) -> None:
        recorded = body("options-ZQXA")
        recorded["optionChain"]["result"][0]["options"] = []
        _, expirations, chains = parse_options(recorded, STAMP)
        assert (len(expirations), chains) == (3, {})

    def test_a_fund_has_no_options(self) -> None:
        with pytest.raises(NoOptions, match="ZQFND"):
            parse_options(body("options-ZQFND"), STAMP)

    def test_euros_are_refused(self) -> None:
        with pytest.raises(NotInDollars, match="ZQEU in EUR"):
            parse_options(body("options-ZQEU"), STAMP)

    def test_no_result_is_an_unknown_ticker(self) -> None:
        with pytest.raises(TickerNotFound):
            parse_options(body("options-ZQNONE"), STAMP)

    @pytest.mark.parametrize(
        ("envelope", "code", "kind"),
        [
            ("optionChain", "Not Found", TickerNotFound),
            ("finance", "Unauthorized", Unauthorised),
            ("finance", "Too Many Requests", RateLimited),
            ("optionChain", "internal-error", BadAnswer),
        ],
    )
    def test_an_error_inside_a_200(self, envelope: str, code: str, kind: type[ProviderError]) -> None:
        with pytest.raises(kind, match=f"{code}: made"):
            parse_options({envelope: {"result": None, "error": {"code": code, "description": "made"}}}, STAMP)

    @pytest.mark.parametrize(
        ("path", "value", "said"),
        [
            (("expirationDates",), "soon", "expirationDates"),
            (("expirationDates",), ["soon"], "expirationDates"),
            (("expirationDates",), [1e300], "expirationDates"),
            (("options", 0, "expirationDate"), None, "expirationDate"),
            (("options", 0, "calls"), {}, "calls"),
            (("options", 0, "calls", 0), 7, "calls"),
            (("quote",), None, "quote"),
            (("underlyingSymbol",), "Z QXA!", "Z QXA!"),
        ],
    )
    def test_a_body_of_another_shape_is_a_bad_answer(self, path: tuple[Any, ...], value: object, said: str) -> None:
        recorded = body("options-ZQXA")
        place = recorded["optionChain"]["result"][0]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        with pytest.raises(BadAnswer, match=said):
            parse_options(recorded, STAMP)

    @pytest.mark.parametrize("strike", [None, 0, -5])
    def test_a_row_without_a_usable_strike_is_passed_on_for_its_neighbours_sake(self, strike: float | None) -> None:
        told = body("options-ZQXA")
        told["optionChain"]["result"][0]["options"][0]["calls"][0]["strike"] = strike
        (first, *others) = parse_options(told, STAMP)[2][date(2026, 1, 30)].contracts
        assert not first.strike > 0
        assert all(one.strike > 0 for one in others)

    @pytest.mark.parametrize("answer", [None, [], "text", {}, {"optionChain": None}, {"optionChain": {"result": None}}])
    def test_no_options_answer_at_all(self, answer: object) -> None:
        with pytest.raises(BadAnswer):
            parse_options(answer, STAMP)

    @pytest.mark.parametrize("stated", [-1, 1e300, 10**13, float("nan")])
    def test_what_no_market_states_is_not_stated(self, stated: float) -> None:
        told = body("options-ZQXA")
        row = told["optionChain"]["result"][0]["options"][0]["calls"][0]
        row["volume"] = row["openInterest"] = stated
        row["bid"] = 1e300
        found = parse_options(told, STAMP)[2][date(2026, 1, 30)].contracts[0]
        assert (found.volume, found.open_interest, found.bid) == (None, None, None)


class TestEarnings:
    """The next one is the smallest of two stamps that is still to come; each row is a case that was seen."""

    @pytest.mark.parametrize(
        ("stamp", "start", "estimate", "date_", "confirmed"),
        [
            ("2025-10-29T20:30", "2026-02-11T01:00", True, date(2026, 2, 10), False),
            ("2026-02-11T01:00", "2026-02-11T01:00", False, date(2026, 2, 10), True),
            ("2026-02-03T13:00", "2026-05-05T12:00", None, date(2026, 2, 3), None),
            (None, "2026-02-11T21:00", True, date(2026, 2, 11), False),
        ],
    )
    def test_next(
        self, stamp: str | None, start: str | None, estimate: bool | None, date_: date, confirmed: bool | None
    ) -> None:
        times = [None if t is None else datetime.fromisoformat(t).replace(tzinfo=UTC) for t in (stamp, start)]
        stated = {
            "earningsTimestamp": times[0] and int(times[0].timestamp()),
            "earningsTimestampStart": times[1] and int(times[1].timestamp()),
            "isEarningsDateEstimate": estimate,
        }
        coming = min(t for t in times if t is not None and t > STAMP)
        assert parse_quote_events(stated, STAMP, "ZQXA") == (
            Event("earnings", date_, known_at=STAMP, ticker="ZQXA", time=coming, confirmed=confirmed),
        )

    def test_none_where_both_are_past_or_nothing_is_stated(self) -> None:
        past = int(datetime(2026, 1, 27, 15, 30, tzinfo=UTC).timestamp())
        assert parse_quote_events({"earningsTimestamp": past, "earningsTimestampStart": past}, STAMP, "ZQXA") == ()
        assert parse_quote_events({}, STAMP, "ZQXA") == ()

    def test_from_a_body(self) -> None:
        (event,) = parse_quote_events(options_quote(body("options-ZQXA")), STAMP, "ZQXA")
        assert (event.kind, event.date, event.confirmed) == ("earnings", date(2026, 2, 10), False)


class TestChart:
    def test_bars_are_as_printed_on_both_sides_of_a_split(self) -> None:
        """The invented close is 400 + 2 a day before the 4:1 split of 3 November, 104 + 0.5 a day from it on."""
        bars = {bar.date: bar for bar in parse_chart(body("chart-ZQXA"))[0]}
        assert bars[date(2025, 10, 20)] == Bar(date(2025, 10, 20), 399.0, 402.0, 398.0, 400.0, 1_000_000)
        assert bars[date(2025, 10, 31)] == Bar(date(2025, 10, 31), 417.0, 420.0, 416.0, 418.0, 1_090_000)
        assert bars[date(2025, 11, 3)] == Bar(date(2025, 11, 3), 103.0, 106.0, 102.0, 104.0, 4_300_000, 4.0)
        assert bars[date(2025, 11, 4)] == Bar(date(2025, 11, 4), 103.5, 106.5, 102.5, 104.5, 4_310_000)

    def test_days_without_a_price_and_the_running_day_are_left_out(self) -> None:
        days = [bar.date for bar in parse_chart(body("chart-ZQXA"))[0]]
        assert days == sorted(days)
        assert len(days) == 23
        assert date(2025, 10, 29) not in days
        assert (days[0], days[-1]) == (date(2025, 10, 20), date(2025, 11, 20))

    def test_the_last_day_is_kept_once_its_session_ended(self) -> None:
        recorded = body("chart-ZQXA")
        meta = recorded["chart"]["result"][0]["meta"]
        meta["regularMarketTime"] = meta["currentTradingPeriod"]["regular"]["end"]
        assert parse_chart(recorded)[0][-1].date == date(2025, 11, 21)

    def test_volume_that_is_not_stated_is_none(self) -> None:
        bars = {bar.date: bar for bar in parse_chart(body("chart-ZQXA"))[0]}
        assert (bars[date(2025, 11, 6)].volume, bars[date(2025, 11, 6)].close) == (None, 105.5)

    def test_splits_and_dividends_as_paid(self) -> None:
        known_at = datetime(2025, 11, 21, 15, 15, tzinfo=UTC)
        assert parse_chart(body("chart-ZQXA"))[1] == (
            Event("dividend", date(2025, 10, 24), known_at, "ZQXA", amount=0.8),
            Event("split", date(2025, 11, 3), known_at, "ZQXA", amount=4.0),
            Event("dividend", date(2025, 11, 14), known_at, "ZQXA", amount=0.25),
        )

    def test_splits_multiply(self) -> None:
        recorded = body("chart-ZQXA")
        events = recorded["chart"]["result"][0]["events"]
        events["splits"]["1763389800"] = {"date": 1763389800, "numerator": 1, "denominator": 2}
        bars = {bar.date: bar for bar in parse_chart(recorded)[0]}
        assert bars[date(2025, 10, 20)].close == 200.0
        assert bars[date(2025, 10, 20)].volume == 2_000_000
        assert bars[date(2025, 11, 14)].close == 54.25
        assert bars[date(2025, 11, 17)].split_factor == 0.5

    @pytest.mark.clock
    def test_a_day_is_new_yorks(self) -> None:
        days = [bar.date for bar in parse_chart(body("chart-ZQXA"))[0]]
        assert date(2025, 10, 31) in days
        assert date(2025, 11, 3) in days
        assert all(day.weekday() < 5 for day in days)

    def test_the_live_row_that_yahoo_appends_replaces_its_day(self) -> None:
        recorded = body("chart-ZQXA")
        result = recorded["chart"]["result"][0]
        result["meta"]["regularMarketTime"] = result["meta"]["currentTradingPeriod"]["regular"]["end"] + 1
        result["timestamp"].append(result["meta"]["regularMarketTime"])
        for name, column in result["indicators"]["quote"][0].items():
            column.append(9_000_000 if name == "volume" else 112.0)
        bars = parse_chart(recorded)[0]
        assert len(bars) == 24
        assert (bars[-1].close, bars[-1].volume) == (112.0, 9_000_000)

    def test_unknown_ticker_and_other_currency(self) -> None:
        with pytest.raises(TickerNotFound, match="may be delisted"):
            parse_chart(body("chart-ZQNONE"))
        recorded = body("chart-ZQXA")
        recorded["chart"]["result"][0]["meta"]["currency"] = "EUR"
        with pytest.raises(NotInDollars):
            parse_chart(recorded)

    def test_a_chart_of_another_shape_is_a_bad_answer(self) -> None:
        good = body("chart-ZQXA")

        def changed(*path: Any, value: object) -> Any:
            other = copy.deepcopy(good)
            place = other["chart"]["result"][0]
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            return other

        for broken, said in (
            (changed("timestamp", value=[]), "no day"),
            (changed("timestamp", 0, value=None), "without a time"),
            (changed("indicators", value=None), "indicators"),
            (changed("indicators", "quote", 0, "close", value=[1.0]), "1 values of close for 25 days"),
            (changed("events", "splits", value={"x": {"date": 1762180200, "numerator": 4}}), "without its ratio"),
            (changed("events", "dividends", value={"x": {"amount": 1}}), "without its date"),
            (changed("events", "dividends", value={"x": {"date": 1762180200}}), "without its amount"),
            (changed("meta", "regularMarketTime", value=None), "regularMarketTime"),
        ):
            with pytest.raises(BadAnswer, match=said):
                parse_chart(broken)


def test_stated_time_is_the_newest_of_a_bodys_own() -> None:
    assert stated_time(body("options-ZQDK")) == datetime(2026, 1, 27, 13, 41, tzinfo=UTC)
    assert stated_time(body("options-ZQXA")) == datetime(2026, 1, 27, 15, 29, 56, tzinfo=UTC)
    assert stated_time(body("chart-ZQXA")) == datetime(2025, 11, 21, 15, 15, tzinfo=UTC)
    assert stated_time(body("options-ZQNONE")) is None
    assert stated_time([]) is None


@pytest.mark.recordings
class TestRecordings:
    """Real bodies; the expected values were read off them by eye."""

    def test_options(self, shared_data: Path) -> None:
        stamp = datetime(2025, 2, 24, 9, 24, tzinfo=UTC)
        recorded = json.loads((shared_data / "yahoo" / "options-AAPL.json").read_text())
        quote, expirations, chains = parse_options(recorded, stamp)
        assert (quote.price, quote.market_state, quote.dividend_rate) == (245.55, "pre", 1.0)
        assert (len(expirations), expirations[0], expirations[-1]) == (20, date(2025, 2, 28), date(2027, 6, 17))
        assert len(chains[date(2025, 2, 28)].contracts) == 102
        (earnings,) = parse_quote_events(options_quote(recorded), stamp, "AAPL")
        assert (earnings.date, earnings.confirmed) == (date(2025, 4, 30), False)

    def test_without_options(self, shared_data: Path) -> None:
        for name in ("ADH", "BTC-USD"):
            with pytest.raises(NoOptions):
                parse_options(json.loads((shared_data / "yahoo" / f"options-{name}.json").read_text()), STAMP)

    def test_earnings_of_all_eight_equities_lie_ahead_but_spots(self, shared_data: Path) -> None:
        stamp = datetime(2025, 2, 24, 9, 24, tzinfo=UTC)
        found = {}
        for ticker in ("AAPL", "ABBV", "AMZN", "EBAY", "EPAC", "GOOG", "PYPL", "SPOT"):
            recorded = json.loads((shared_data / "yahoo" / f"options-{ticker}.json").read_text())
            found[ticker] = [event.date for event in parse_quote_events(options_quote(recorded), stamp, ticker)]
        assert found["SPOT"] == []
        assert found["EBAY"] == [date(2025, 2, 26)]
        assert all(days and days[0] > date(2025, 2, 24) for ticker, days in found.items() if ticker != "SPOT")

    def test_chart_undoes_the_split_that_it_states(self, shared_data: Path) -> None:
        """The 4:1 of July 2021 is stated; the 10:1 of 2024 is not, so every price stays divided by it."""
        bars, events = parse_chart(json.loads((shared_data / "yahoo" / "chart-NVDA.json").read_text()))
        assert [(e.kind, e.date, e.amount) for e in events] == [("split", date(2021, 7, 20), 4.0)]
        by_day = {bar.date: bar for bar in bars}
        before, after = by_day[date(2021, 7, 19)], by_day[date(2021, 7, 20)]
        assert before.close is not None
        assert after.close is not None
        assert 3.8 < before.close / after.close < 4.2
        assert after.split_factor == 4.0
