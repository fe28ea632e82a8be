"""Volumes, open interest and last trades of the demo: inside a session, over its end, carried, after a split."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.market.calendar import NEW_YORK, Session, continuous_sessions
from collector.providers.base import ContractQuote
from collector.providers.demo import DemoProvider
from collector.providers.demo.truth import truth
from collector.providers.demo.universe import NAMES
from tests.providers.demo_moments import (
    DAYS,
    before_close,
    chains,
    is_dark,
    regular,
    session_on,
    traded_in,
    within,
)

Book = dict[str, ContractQuote]


def book(moment, ticker: str, *, lit_only: bool = False) -> Book:
    return {
        contract.contract_symbol: contract
        for chain in chains(moment, (ticker,))
        if not (lit_only and is_dark(chain))
        for contract in regular(chain)
    }


def splits_on(ticker: str, session: Session) -> bool:
    (bar,) = DemoProvider(session.close).bars(ticker, session.date, session.date)
    return bar.split_factor != 1.0


def volume_of(contract: ContractQuote, session: Session) -> int:
    return contract.volume if traded_in(contract, session) else 0


@settings(max_examples=12, deadline=None)
@given(DAYS, st.sampled_from(NAMES), st.lists(st.floats(0.001, 0.999), min_size=3, max_size=5))
def test_volume_grows_over_the_session_from_nothing(day, ticker, shares):
    session = session_on(day)
    opening = book(session.open, ticker)
    staged = [symbol for symbol, contract in opening.items() if volume_of(contract, session)]
    assert len(staged) <= 1
    volumes = {symbol: volume_of(contract, session) for symbol, contract in opening.items()}
    for moment in [*(within(session, share) for share in sorted(shares)), before_close(session)]:
        now = book(moment, ticker)
        for symbol, contract in now.items():
            volume = volume_of(contract, session)
            assert volume >= volumes.get(symbol, 0)
            volumes[symbol] = volume
    assert sum(volumes.values()) > 100


@settings(max_examples=10, deadline=None)
@given(DAYS, st.sampled_from(NAMES))
def test_open_interest_moves_by_no_more_than_was_traded(day, ticker):
    session = session_on(day)
    following = continuous_sessions().following(session.date)
    if splits_on(ticker, following):
        return
    last = book(before_close(session), ticker, lit_only=True)
    next_settled = book(before_close(following), ticker, lit_only=True)
    shared = [symbol for symbol in last if symbol in next_settled]
    assert len(shared) > 200
    moved = 0
    for symbol in shared:
        change = next_settled[symbol].open_interest - last[symbol].open_interest
        assert abs(change) <= volume_of(last[symbol], session)
        moved += change != 0
    assert moved > 10
    for symbol in set(next_settled) - set(last):
        if next_settled[symbol].open_interest:
            # A chain that was dark; a contract that is new has none open yet.
            assert any(
                is_dark(chain) and symbol in {contract.contract_symbol for contract in chain.contracts}
                for chain in chains(before_close(session), (ticker,))
            )


@settings(max_examples=10, deadline=None)
@given(DAYS, st.sampled_from(NAMES), st.floats(0.0, 0.999))
def test_open_interest_is_that_of_the_last_session_before_the_new_york_date(day, ticker, share):
    session = session_on(day)
    moment = within(session, share)
    settled = continuous_sessions().previous(moment.astimezone(NEW_YORK).date())
    following = continuous_sessions().following(settled.date)
    if splits_on(ticker, session) and following.date != session.date:
        return
    now = book(moment, ticker, lit_only=True)
    reference = book(before_close(following), ticker, lit_only=True)
    shared = [symbol for symbol in now if symbol in reference]
    assert len(shared) > 150
    for symbol in shared:
        assert now[symbol].open_interest == reference[symbol].open_interest


@settings(max_examples=8, deadline=None)
@given(DAYS, st.sampled_from(NAMES))
def test_a_contract_that_did_not_trade_keeps_the_trade_it_last_had(day, ticker):
    """Held against the books of the sessions before: the newest of them in which it traded."""
    session = session_on(day)
    now = book(before_close(session), ticker)
    idle = {symbol: contract for symbol, contract in now.items() if not traded_in(contract, session)}
    carried = {symbol: contract for symbol, contract in idle.items() if contract.volume is not None}
    if splits_on(ticker, session):
        assert carried == {}
        return
    assert len(carried) > 0.05 * len(now)
    earlier = session
    for _ in range(12):
        earlier = continuous_sessions().previous(earlier.date)
        old = book(before_close(earlier), ticker)
        for symbol in [symbol for symbol in carried if symbol in old]:
            if traded_in(old[symbol], earlier):
                for field in ("volume", "last_price", "last_trade_time"):
                    assert getattr(carried[symbol], field) == getattr(old[symbol], field)
                assert carried[symbol].change == 0.0
                del carried[symbol]
    assert carried == {}


@settings(max_examples=12, deadline=None)
@given(DAYS, st.sampled_from(NAMES), st.floats(0.0, 0.999))
def test_last_trades_were_done_near_the_true_price_of_their_moment(day, ticker, share):
    moment = within(session_on(day), share)
    for chain in chains(moment, (ticker,)):
        for contract in regular(chain):
            if contract.last_trade_time is None:
                assert (contract.volume, contract.last_price, contract.change) == (None, None, None)
                continue
            assert contract.volume >= 1
            assert contract.last_trade_time <= moment
            # Times are whole seconds, and that of the session's first one may belong to the session before.
            then = contract.last_trade_time + timedelta(seconds=1)
            true = truth_where_listed(ticker, chain.expiration, contract, min(then, moment))
            if true is not None:
                assert contract.last_price == pytest.approx(true, rel=0.04, abs=0.08)


def truth_where_listed(ticker, expiration, contract, moment):
    if expiration not in DemoProvider(moment).expirations(ticker):
        return None
    return traded_at(truth(ticker, expiration, contract.strike, contract.option_type, moment), contract)


def traded_at(true, contract):
    """The price of a trade: as if European, or of exercise where that is more."""
    sign = 1 if contract.option_type == "call" else -1
    return max(true.european_price, sign * (true.spot - contract.strike))


def test_change_is_measured_from_the_sessions_open():
    session = session_on(date(2026, 1, 27))
    seen = 0
    for chain in chains(before_close(session), ("CINDRA",)):
        for contract in regular(chain):
            if traded_in(contract, session):
                true = truth("CINDRA", chain.expiration, contract.strike, contract.option_type, session.open)
                opening = traded_at(true, contract)
                assert contract.change == pytest.approx(contract.last_price - opening, abs=0.051)
                seen += 1
    assert seen > 100


@pytest.mark.parametrize("day", [date(2012, 6, 5), date(2019, 9, 17), date(2026, 1, 27), date(2026, 3, 6)])
def test_most_contracts_trade_less_than_is_open(day):
    """Only staged trades stand out: the rest of the market is no crowd of false alerts."""
    session = session_on(day)
    heavy = [
        contract
        for chain in chains(before_close(session))
        for contract in regular(chain)
        if volume_of(contract, session) > max(contract.open_interest, 499)
        and contract.volume * 100 * contract.bid > 100_000
    ]
    assert 1 <= len(heavy) <= 6
