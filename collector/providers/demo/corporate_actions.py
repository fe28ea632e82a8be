"""When the demo's companies split, pay and report: by session ordinal, so that any window of sessions holds some.

One ticker splits every 63 sessions, in turn, two for one: each doubles over its 504 sessions and then halves. Each
reports every 63 sessions, after the close of the reporting session, which is the open of the market's next session:
there its price gaps. Payers go ex dividend every 63 sessions, and declare each six quarters ahead.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from collector.providers.base import Event
from collector.providers.demo.draws import FloatArray, IntArray, Purpose, uniform
from collector.providers.demo.timeline import Timeline
from collector.providers.demo.universe import UNIVERSE, DemoTicker

QUARTER = 63
SPLIT_RATIO = 2.0
SPLIT_CYCLE = QUARTER * len(UNIVERSE)
SPLIT_NOTICE = 10
# A year and a half ahead: every dividend before the last expiration that is listed is declared.
DIVIDEND_NOTICE = 6 * QUARTER
EARNINGS_NOTICE = 15
QUARTERS_BACK = 8


def split_phase(ticker: DemoTicker) -> int:
    """Return the remainder by SPLIT_CYCLE of the sessions that are the first after a split."""
    return QUARTER * ticker.number + 20


def earnings_phase(ticker: DemoTicker) -> int:
    """Return the remainder by QUARTER of the sessions after whose close it reports."""
    return (7 * ticker.number + 11) % QUARTER


def dividend_phase(ticker: DemoTicker) -> int:
    """Return the remainder by QUARTER of the sessions that are ex dividend."""
    return (5 * ticker.number + 41) % QUARTER


def splits_until(ticker: DemoTicker, ordinals: IntArray) -> IntArray:
    """Return how many splits it had by each of the sessions, that session's own included."""
    return (ordinals - split_phase(ticker)) // SPLIT_CYCLE + 1


def last_split(ticker: DemoTicker, ordinal: int) -> int:
    """Return the newest session at or before ``ordinal`` that was the first after a split."""
    return ordinal - (ordinal - split_phase(ticker)) % SPLIT_CYCLE


def reports(ticker: DemoTicker, count: int) -> IntArray:
    """Return the reporting sessions among the first ``count``, ascending."""
    return np.arange(earnings_phase(ticker), count, QUARTER)


def ex_dates(ticker: DemoTicker, count: int) -> IntArray:
    """Return the ex-dividend sessions among the first ``count``, ascending; none of a ticker that pays nothing."""
    return np.arange(dividend_phase(ticker), count if dividend(ticker) else 0, QUARTER)


def dividend(ticker: DemoTicker) -> float:
    """Return the quarterly dividend in dollars a share; 0.0 of one that pays none."""
    return round(ticker.dividend_yield * ticker.price / 4, 2)


class CorporateActions:
    """The events of one ticker, as its company had stated them at a moment."""

    def __init__(self, ticker: DemoTicker, timeline: Timeline) -> None:
        self._ticker = ticker
        self._timeline = timeline

    def _close(self, ordinal: int) -> datetime:
        return datetime.fromtimestamp(float(self._timeline.closes[ordinal]), UTC)

    def _known_before(self, ordinal: int, notice: int) -> datetime:
        return self._close(ordinal - notice - 1)

    def events(self, moment: datetime) -> tuple[Event, ...]:
        """Return what is known at ``moment``, oldest first: the last two years and what is announced."""
        now = self._timeline.ordinal_at(moment)
        stated = [*self._splits(now), *self._dividends(now), *self._earnings(now)]
        known = [event for event in stated if event.known_at <= moment]
        return tuple(sorted(known, key=lambda event: (event.date, event.kind)))

    def _splits(self, now: int) -> list[Event]:
        last = last_split(self._ticker, now)
        return [
            Event(
                "split",
                self._timeline.sessions[ordinal].date,
                known_at=self._known_before(ordinal, SPLIT_NOTICE),
                ticker=self._ticker.name,
                confirmed=True,
                amount=SPLIT_RATIO,
            )
            for ordinal in (last, last + SPLIT_CYCLE)
            if ordinal < len(self._timeline)
        ]

    def _dividends(self, now: int) -> list[Event]:
        amount = dividend(self._ticker)
        if amount == 0.0:
            return []
        last = now - (now - dividend_phase(self._ticker)) % QUARTER
        return [
            Event(
                "dividend",
                self._timeline.sessions[ordinal].date,
                known_at=self._known_before(ordinal, DIVIDEND_NOTICE),
                ticker=self._ticker.name,
                confirmed=True,
                amount=amount,
            )
            for ordinal in range(last - QUARTERS_BACK * QUARTER, now + DIVIDEND_NOTICE, QUARTER)
            if ordinal < len(self._timeline)
        ]

    def _earnings(self, now: int) -> list[Event]:
        # A report is out at the close of its session, which is when the market's next session begins.
        last = now - 1 - (now - 1 - earnings_phase(self._ticker)) % QUARTER
        past = range(last - QUARTERS_BACK * QUARTER, last + 1, QUARTER)
        coming = last + QUARTER
        if coming - now <= EARNINGS_NOTICE:
            return [self._confirmed(ordinal) for ordinal in (*past, coming)]
        return [*(self._confirmed(ordinal) for ordinal in past), self._estimated(coming, since=last)]

    def _confirmed(self, ordinal: int) -> Event:
        return Event(
            "earnings",
            self._timeline.sessions[ordinal].date,
            known_at=self._known_before(ordinal, EARNINGS_NOTICE),
            ticker=self._ticker.name,
            time=self._close(ordinal),
            confirmed=True,
        )

    def _estimated(self, ordinal: int, since: int) -> Event:
        draw: FloatArray = uniform(Purpose.ESTIMATE, self._ticker.number, ordinal)
        guess = ordinal + int(draw[0] * 7) - 3
        return Event(
            "earnings",
            self._timeline.sessions[guess].date,
            known_at=self._close(since),
            ticker=self._ticker.name,
            confirmed=False,
        )
