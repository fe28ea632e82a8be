"""A market for scans of the Yahoo provider: four demo tickers in Yahoo's shape, one with a trade to be noticed."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta

from collector.providers.base import Bar
from collector.providers.demo import DemoProvider
from tests.providers.made_bodies import made_bodies, made_chart, treasuries
from tests.providers.yahoo_server import Body, TickerBodies

TICKERS = ("ALDREN", "BRAMLO", "CINDRA", "ESKALO")
NOTED = "CINDRA"
# A Tuesday, in the session; Yahoo's quotes of 15:45 are those of 15:30.
QUOTED = datetime(2026, 1, 27, 15, 30, tzinfo=UTC)
ASKED = QUOTED + timedelta(minutes=15)
EXPIRATIONS = 7
DIVIDEND = (date(2026, 1, 15), 0.31)
EARNINGS = datetime(2026, 2, 19, 21, 5, tzinfo=UTC)


def bars(ticker: str) -> tuple[Bar, ...]:
    """Return the ticker's bars of the sessions before the scan."""
    found = DemoProvider(QUOTED).bars(ticker, date(2025, 11, 3), date(2026, 1, 26))
    return tuple(bar for bar in found if bar.split_factor == 1.0)


def bodies() -> dict[str, TickerBodies]:
    """Return Yahoo's answers for the tickers, of their nearest expirations but today's."""
    made = made_bodies(DemoProvider(QUOTED), TICKERS, most=EXPIRATIONS + 1, first=1)
    answers = {
        ticker: TickerBodies(answer.first, answer.dated, made_chart(ticker, bars(ticker), dict([DIVIDEND])))
        for ticker, answer in made.items()
    }
    for body in answers[NOTED].dated.values():
        quote = body["optionChain"]["result"][0]["quote"]
        quote["earningsTimestampStart"], quote["isEarningsDateEstimate"] = int(EARNINGS.timestamp()), True
    busy = busiest(answers[NOTED])
    busy["volume"], busy["openInterest"] = 40_000, 500
    busy["lastTradeDate"] = int(QUOTED.timestamp()) - 60
    return {**answers, **treasuries(QUOTED.date())}


def busiest(answer: TickerBodies) -> Body:
    """Return the call at the money of an answer's nearest expiration."""
    result = answer.dated[min(answer.dated)]["optionChain"]["result"][0]
    spot = result["quote"]["regularMarketPrice"]
    row: Body = min(result["options"][0]["calls"], key=lambda call: abs(call["strike"] - spot))
    return row


def dark(answer: TickerBodies) -> TickerBodies:
    """Return an answer as Yahoo gives it before it serves quotes: bids, asks and open interest 0."""
    if not answer.dated:
        return answer  # an index of rates
    dated = copy.deepcopy(dict(answer.dated))
    for body in dated.values():
        for group in body["optionChain"]["result"][0]["options"]:
            for row in group["calls"] + group["puts"]:
                row["bid"], row["ask"], row["openInterest"] = 0, 0, 0
    return TickerBodies(dated[min(dated)], dated, answer.chart)
