"""Moments to ask the demo market at, and what to look up in its answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from collector.market.calendar import Session, continuous_sessions
from collector.providers.base import ContractQuote, OptionChain
from collector.providers.demo import DemoProvider

DAYS = st.dates(date(2009, 1, 2), date(2027, 12, 20))
MOMENTS = st.builds(
    lambda day, seconds: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=seconds),
    DAYS,
    st.integers(0, 86399),
)


def session_on(day: date) -> Session:
    """Return the demo session of the first session date on or after ``day``."""
    return continuous_sessions().following(day - timedelta(days=1))


def within(session: Session, share: float) -> datetime:
    """Return the moment at ``share`` (0 to below 1) of the session."""
    return session.open + (session.close - session.open) * share


def before_close(session: Session) -> datetime:
    """Return a moment in the session's last minute, when all of its trades are done."""
    return session.close - timedelta(seconds=20)


def chains(moment: datetime, tickers: tuple[str, ...] | None = None) -> list[OptionChain]:
    """Return all chains at ``moment``, of ``tickers`` or of all."""
    provider = DemoProvider(moment)
    return [
        provider.chain(ticker, expiration)
        for ticker in tickers or provider.tickers()
        for expiration in provider.expirations(ticker)
    ]


def is_dark(chain: OptionChain) -> bool:
    return all(contract.bid == 0 and contract.ask == 0 for contract in chain.contracts)


def traded_in(contract: ContractQuote, session: Session) -> bool:
    return contract.last_trade_time is not None and contract.last_trade_time >= session.open


def regular(chain: OptionChain) -> list[ContractQuote]:
    return [contract for contract in chain.contracts if contract.contract_size == 100]
