"""When the demo's companies split, pay and report: by session ordinal, so that any window of sessions holds some.

One ticker splits every 63 sessions, in turn, two for one: each doubles over its 504 sessions and then halves. Each
reports every 63 sessions, after the close of the reporting session, which is the open of the market's next session:
there its price gaps. Payers go ex dividend every 63 sessions, where the price falls by the dividend, and declare each
six quarters ahead: an amount that grows with the price's trend, in the shares of the day on which it is asked for, so
that a split divides what is declared.
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
    """Return the remainder by QUARTER of the sessions around which it goes ex dividend."""
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


def ex_dates(ticker: DemoTicker, timeline: Timeline) -> IntArray:
    """Return its ex-dividend sessions, ascending; none of a ticker that pays nothing.

    Every 63 sessions, a session later where that one begins a week: it would begin when contracts of the week settle,
    and who holds the share then is a matter of taste.
    """
    if not ticker.dividend_yield:
        return np.arange(0)
    ordinals = np.arange(dividend_phase(ticker), len(timeline) - 1, QUARTER)
    # The first day of numpy's calendar was a Thursday.
    week = (timeline.dates.astype(np.int64) + 3) // 7
    later: IntArray = ordinals + (week[ordinals] != week[ordinals - 1])
    return later


def dividends(ticker: DemoTicker, ordinals: IntArray, now: IntArray) -> FloatArray:
    """Return the dividends of the ex-dates ``ordinals`` in dollars for a share as of the sessions ``now``."""
    growth = (ordinals - split_phase(ticker)) % SPLIT_CYCLE / SPLIT_CYCLE - 0.5
    paid = np.round(ticker.dividend_yield * ticker.price / 4 * SPLIT_RATIO**growth, 2)
    later: FloatArray = paid * SPLIT_RATIO ** (splits_until(ticker, ordinals) - splits_until(ticker, now)).astype(float)
    return later


def next_dividend(ticker: DemoTicker, timeline: Timeline, ordinal: int) -> float:
    """Return the next dividend after the session, in dollars for a share as of it; 0.0 of one that pays none."""
    paying = ex_dates(ticker, timeline)
    coming = paying[paying > ordinal][:1]
    return float(dividends(ticker, coming, np.array([ordinal])).sum())


class CorporateActions:
    """The events of one ticker, as its company had stated them at a moment."""

    def __init__(self, ticker: DemoTicker, timeline: Timeline) -> None:
        self._ticker = ticker
        self._timeline = timeline

    def _close(self, ordinal: int) -> datetime:
        return datetime.fromtimestamp(float(self._timeline.closes[ordinal]), UTC)

    def _known_before(self, ordinal: int, notice: int) -> datetime:
        return self._close(max(ordinal - notice - 1, 0))

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
        split = last_split(self._ticker, now)
        ordinals = ex_dates(self._ticker, self._timeline)
        first = int(np.searchsorted(ordinals, now, side="right")) - 1 - QUARTERS_BACK
        ordinals = ordinals[max(first, 0) : int(np.searchsorted(ordinals, now + DIVIDEND_NOTICE))]
        # What went ex is in the shares of its day; what comes, in those of now.
        amounts = dividends(self._ticker, ordinals, np.minimum(ordinals, now))
        return [
            Event(
                "dividend",
                self._timeline.sessions[ordinal].date,
                known_at=self._declared(ordinal, min(split, last_split(self._ticker, ordinal))),
                ticker=self._ticker.name,
                confirmed=True,
                amount=amount,
            )
            for ordinal, amount in zip(ordinals.tolist(), amounts.tolist(), strict=True)
        ]

    def _declared(self, ordinal: int, split: int) -> datetime:
        """Return when a dividend was declared in shares as of the session ``split``, which may have restated it."""
        restated = datetime.fromtimestamp(float(self._timeline.opens[max(split, 0)]), UTC)
        return max(self._known_before(ordinal, DIVIDEND_NOTICE), restated)

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
