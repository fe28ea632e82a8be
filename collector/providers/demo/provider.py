"""The demo market as a provider: no network, the same answers for the same moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import numpy as np

from collector.market.calendar import Sessions, continuous_sessions
from collector.providers.base import Bar, EmptyAnswer, Event, Market, OptionChain, Quote, TreasuryYield
from collector.providers.demo.contracts import contracts
from collector.providers.demo.corporate_actions import CorporateActions, next_dividend
from collector.providers.demo.expirations import ListedExpiration, listed_expirations
from collector.providers.demo.path import price_path
from collector.providers.demo.script import missing_chain
from collector.providers.demo.surface import rate
from collector.providers.demo.timeline import timeline
from collector.providers.demo.universe import NAMES, find

# Maturities of the stated curve: it is read linearly in rate times tenor between them.
RATE_DAYS = (1, 3, 7, 14, 30, 45, 60, 90, 120, 180, 270, 365, 450, 540, 730)


class DemoProvider:
    """A simulated market of invented tickers, open around the clock.

    Args:
        moment: the moment at which the market is asked, as it was then; None follows the wall clock.
        ticks: whether quotes stand on ticks with a spread; without, bid and ask are the true price.

    Raises:
        ValueError: ``moment`` is naive or outside the market.
    """

    name = "demo"
    feed = "demo"
    market: Market = "demo"
    delay = timedelta(0)
    terms = "Simulated prices of invented companies; free of any terms, and of any meaning for a real market."
    pays_per_expiration = False

    def __init__(self, moment: datetime | None = None, *, ticks: bool = True) -> None:
        if moment is not None:
            timeline().ordinal_at(moment)
        self._ticks = ticks
        self._moment = None if moment is None else moment.astimezone(UTC)

    def sessions(self) -> Sessions:
        """Return the calendar of the demo market: one session follows another without a gap."""
        return continuous_sessions()

    def calls_used(self) -> int:
        """Return 0: it makes no request."""
        return 0

    def tickers(self) -> tuple[str, ...]:
        """Return all tickers of the market."""
        return NAMES

    def quote(self, ticker: str) -> Quote:
        """Return the spot, rounded to the cent; raise TickerNotFound where there is no such ticker."""
        return _quote(ticker, self._now())

    def expirations(self, ticker: str) -> tuple[date, ...]:
        """Return the listed expirations, without one that is missing at the moment."""
        return tuple(expiration.date for expiration in self._listed(ticker, self._now()))

    def chain(self, ticker: str, expiration: date) -> OptionChain:
        """Return the contracts of one expiration; raise EmptyAnswer where it is not listed."""
        moment = self._now()
        for listed in self._listed(ticker, moment):
            if listed.date == expiration:
                return OptionChain(
                    ticker=ticker,
                    expiration=expiration,
                    stamp=moment,
                    contracts=contracts(price_path(ticker), listed, moment, ticks=self._ticks),
                    quote_time=moment,
                    underlying=_quote(ticker, moment),
                )
        raise EmptyAnswer(f"{ticker} lists no expiration {expiration} at {moment.isoformat()}")

    def bars(self, ticker: str, start: date, end: date) -> tuple[Bar, ...]:
        """Return the raw daily bars of the sessions from start to end that have closed, oldest first."""
        calendar = timeline()
        path = price_path(find(ticker).name)
        first = calendar.ordinal_of(start)
        last = min(calendar.ordinal_of(end + timedelta(days=1)), calendar.ordinal_at(self._now())) - 1
        return path.bars(first, last)

    def events(self, ticker: str) -> tuple[Event, ...]:
        """Return earnings, dividends and splits as the company had stated them at the moment."""
        return CorporateActions(find(ticker), timeline()).events(self._now())

    def rates(self, day: date) -> tuple[TreasuryYield, ...]:
        """Return the market's own curve in the session of ``day``, or of the one running now."""
        calendar = timeline()
        ordinal = min(calendar.ordinal_of(day), calendar.ordinal_at(self._now()))
        session = calendar.sessions[ordinal]
        tenors = np.array(RATE_DAYS) / 365.0
        stated = rate(np.full(len(RATE_DAYS), ordinal), tenors)
        return tuple(
            TreasuryYield(session.date, days, float(one), "continuous", "demo", session.open)
            for days, one in zip(RATE_DAYS, stated, strict=True)
        )

    def _now(self) -> datetime:
        return self._moment or datetime.now(UTC)

    def _listed(self, ticker: str, moment: datetime) -> tuple[ListedExpiration, ...]:
        at = timeline().instant(moment)
        ordinal = int(at.ordinal[0])
        missing = missing_chain(ordinal, float(at.progress[0]))
        return tuple(
            listed
            for listed in listed_expirations(find(ticker), ordinal)
            if listed.settles > moment and (ticker, listed.date) != missing
        )


@lru_cache(maxsize=64)
def _quote(ticker: str, moment: datetime) -> Quote:
    path, at = price_path(find(ticker).name), timeline().instant(moment)
    price = round(float(path.price(at)[0]), 2)
    return Quote(
        ticker=ticker,
        stamp=moment,
        price=price,
        time=moment,
        market_state="regular",
        currency="USD",
        dividend_rate=round(4 * next_dividend(path.ticker, timeline(), int(at.ordinal[0])), 2),
    )
