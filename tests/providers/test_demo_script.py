"""What is staged in the demo, on any date: seen in its quotes, not only in its script."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.market.calendar import Session, continuous_sessions
from collector.market.contract import is_adjusted, parse_occ
from collector.providers.base import ContractQuote
from collector.providers.demo import DemoProvider
from collector.providers.demo.script import KINDS, dark_chain, missing_chain, plays, scripted_trade
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import NAMES, find
from tests.providers.demo_moments import (
    DAYS,
    MOMENTS,
    before_close,
    chains,
    is_dark,
    regular,
    session_on,
    traded_in,
    within,
)


def staged(session: Session, share: float) -> dict[str, tuple[str, ContractQuote]]:
    """Return by kind the staged contract (with its ticker) as it is quoted at ``share`` of the session."""
    ordinal = timeline().ordinal_of(session.date)
    found = {}
    for kind in KINDS:
        trade = scripted_trade(kind, ordinal)
        if trade is None:
            continue
        side = "call" if kind == "call_sweep" else "put"
        outstanding = max(
            (
                contract
                for contract in DemoProvider(within(session, share))
                .chain(trade.ticker, trade.expiration.date)
                .contracts
                if contract.option_type == side
                and traded_in(contract, session)
                # What is worth next to nothing can trade in any ratio.
                and contract.volume * contract.bid * 100 > 50_000
            ),
            key=lambda contract: contract.volume / max(contract.open_interest, 40),
        )
        found[kind] = (trade.ticker, outstanding)
    return found


@settings(max_examples=60, deadline=None)
@given(DAYS, st.floats(0.0, 0.999))
def test_every_session_has_a_sweep_or_a_block_from_its_first_moment(day, share):
    session = session_on(day)
    for kind, (ticker, contract) in (found := staged(session, share)).items():
        mid = (contract.bid + contract.ask) / 2
        at_once = 0.59 if kind == "call_sweep" else 0.99
        # Six times what was open as it was chosen; a little more may be by now.
        assert contract.volume >= 4.9 * at_once * contract.open_interest
        assert contract.volume >= 900 * at_once
        tick = 0.01 if mid < 2.9 else 0.05
        assert contract.ask - contract.bid < 2.5 * tick + 0.015 * mid
        assert mid * 100 * contract.volume > 75_000
        opening = DemoProvider(session.open).quote(ticker).price
        assert contract.strike > opening if kind == "call_sweep" else contract.strike < opening
    assert found


@settings(max_examples=25, deadline=None)
@given(DAYS)
def test_staged_premium_is_in_the_hundreds_of_thousands_or_more_at_the_open(day):
    for _, contract in staged(session_on(day), 0.0).values():
        assert 220_000 <= (contract.bid + contract.ask) / 2 * 100 * contract.volume <= 9_000_000


@settings(max_examples=25, deadline=None)
@given(DAYS)
def test_a_staged_trade_is_far_above_the_contracts_own_volume_and_gone_in_the_next_session(day):
    session = session_on(day)
    for kind, (ticker, contract) in staged(session, 0.5).items():
        expiration = parse_occ(contract.contract_symbol).expiration
        own, past = [], session
        for _ in range(5):
            past = continuous_sessions().previous(past.date)
            provider = DemoProvider(before_close(past))
            if expiration in provider.expirations(ticker):
                old = {one.contract_symbol: one for one in provider.chain(ticker, expiration).contracts}
                before = old.get(contract.contract_symbol)
                own.append(before.volume if before and traded_in(before, past) else 0)
        assert contract.volume > 4 * max(sum(own) / len(own), 1), kind
        following = continuous_sessions().following(session.date)
        provider = DemoProvider(before_close(following))
        later = {one.contract_symbol: one for one in provider.chain(ticker, expiration).contracts}
        after = later.get(contract.contract_symbol)
        # After a split the contract has another symbol.
        if after is not None and traded_in(after, following):
            assert after.volume < max(after.open_interest, 200)


@settings(max_examples=15, deadline=None)
@given(DAYS)
def test_a_staged_trade_is_carried_into_the_next_session_as_the_old_trade_it_is(day):
    session = session_on(day)
    following = continuous_sessions().following(session.date)
    for ticker, contract in staged(session, 0.9999).values():
        expiration = parse_occ(contract.contract_symbol).expiration
        chain = DemoProvider(following.open).chain(ticker, expiration)
        carried = {one.contract_symbol: one for one in chain.contracts}.get(contract.contract_symbol)
        # None, or a new series, after a split.
        if carried is not None and carried.volume is not None:
            assert not traded_in(carried, following)
            assert (carried.volume, carried.last_trade_time) == (contract.volume, contract.last_trade_time)


@settings(max_examples=15, deadline=None)
@given(DAYS)
def test_most_of_a_staged_trade_is_open_interest_of_the_next_session(day):
    session = session_on(day)
    following = continuous_sessions().following(session.date)
    if dark_chain(timeline().ordinal_of(following.date))[0] in {ticker for ticker, _ in staged(session, 0.5).values()}:
        return
    for ticker, contract in staged(session, 0.99).values():
        expiration = parse_occ(contract.contract_symbol).expiration
        now = DemoProvider(before_close(following)).chain(ticker, expiration).contracts
        after = {one.contract_symbol: one for one in now}.get(contract.contract_symbol)
        if after is not None:
            assert after.open_interest - contract.open_interest > 0.55 * contract.volume


@settings(max_examples=8, deadline=None)
@given(DAYS)
def test_any_90_sessions_hold_the_whole_script(day):
    last = session_on(day)
    first = continuous_sessions().offset(last.date, -89)
    window = continuous_sessions().between(first.date, last.date)
    ordinals = [timeline().ordinal_of(session.date) for session in window]
    assert len(window) == 90
    assert any(session.half_day for session in window)
    assert all(any(plays(kind, ordinal) for kind in KINDS) for ordinal in ordinals)
    for kind in KINDS:
        hit = {scripted_trade(kind, ordinal).ticker for ordinal in ordinals if plays(kind, ordinal)}
        assert hit == set(NAMES)
    assert sum(missing_chain(ordinal, 0.5) is not None for ordinal in ordinals) >= 22
    assert {dark_chain(ordinal)[0] for ordinal in ordinals} == set(NAMES)


@settings(max_examples=10, deadline=None)
@given(MOMENTS)
def test_one_chain_is_dark_at_any_moment(moment):
    missing = {ticker: DemoProvider(moment).expirations(ticker) for ticker in NAMES}
    dark = [chain for chain in chains(moment) if is_dark(chain)]
    assert len(dark) == 1
    assert dark[0].expiration in missing[dark[0].ticker][2:]
    for contract in dark[0].contracts:
        assert (contract.bid, contract.ask, contract.bid_size, contract.ask_size) == (0.0, 0.0, 0, 0)
        assert contract.open_interest == 0


@settings(max_examples=10, deadline=None)
@given(DAYS)
def test_a_half_day_ends_at_one_and_has_its_trades(day):
    session = next(one for one in continuous_sessions().between(day, day + timedelta(days=140)) if one.half_day)
    provider = DemoProvider(before_close(session))
    ticker = NAMES[session.date.toordinal() % len(NAMES)]
    traded = [
        contract
        for expiration in provider.expirations(ticker)
        for contract in provider.chain(ticker, expiration).contracts
        if traded_in(contract, session)
    ]
    assert len(traded) > 50
    assert max(contract.last_trade_time for contract in traded) < session.close
    assert DemoProvider(session.close).bars(ticker, session.date, session.date)[0].date == session.date


@settings(max_examples=12, deadline=None)
@given(DAYS)
def test_a_split_halves_price_and_strikes_and_leaves_adjusted_contracts(day):
    ticker, session = next(
        (event.ticker, session_on(event.date))
        for name in NAMES
        for event in DemoProvider(session_on(day).open).events(name)
        if event.kind == "split" and event.date <= day and (day - event.date).days < 100
    )
    previous = continuous_sessions().previous(session.date)
    before, after = DemoProvider(previous.close - timedelta(microseconds=1)), DemoProvider(session.open)
    assert after.quote(ticker).price < 0.75 * before.quote(ticker).price
    adjusted = []
    for expiration in set(before.expirations(ticker)) & set(after.expirations(ticker)):
        old = {
            contract.strike for contract in before.chain(ticker, expiration).contracts if contract.contract_size == 100
        }
        chain = after.chain(ticker, expiration)
        assert {strike / 2 for strike in old} <= {contract.strike for contract in regular(chain)}
        assert all(contract.volume is None or traded_in(contract, session) for contract in regular(chain))
        adjusted += [contract for contract in chain.contracts if contract.contract_size != 100]
    assert len(adjusted) > 4
    for contract in adjusted:
        root = parse_occ(contract.contract_symbol).root
        assert contract.contract_size == 200
        assert root == find(ticker).adjusted_root != ticker
        assert is_adjusted(ticker, root, contract.contract_size)
        assert not is_adjusted(ticker, ticker, 100)


def test_open_interest_doubles_with_a_split():
    session = session_on(date(2026, 2, 13))
    previous = continuous_sessions().previous(session.date)
    before, after = DemoProvider(before_close(previous)), DemoProvider(session.open)
    assert after.bars("ALDREN", date(2026, 2, 12), date(2026, 2, 12))[0].date == previous.date
    for expiration in before.expirations("ALDREN")[1:]:
        old, new = (
            sum(contract.open_interest for contract in regular(provider.chain("ALDREN", expiration)))
            for provider in (before, after)
        )
        # The evening's open interest is still that of the morning: only its unit has changed.
        if old and new:
            assert new == pytest.approx(2 * old, rel=0.001)
