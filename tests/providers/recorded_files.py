"""Small recordings of invented tickers, in the shapes that people download."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

FRAME_HEADER = "ticker,type,strike,lastPrice,bid,ask,volume,openInterest,impliedVolatility,expiration,spot_price"
FRAME_NAME = "2026-03-24T1300-0400.csv"


def frame_row(ticker: str = "ZZTA", **cells: str) -> str:
    """Return one line of a frame: a call of ZZTA at 50 expiring on 2026-03-27, but for the cells given."""
    row = {
        "ticker": ticker,
        "type": "call",
        "strike": "50.0",
        "lastPrice": "1.2",
        "bid": "1.15",
        "ask": "1.25",
        "volume": "7.0",
        "openInterest": "12.0",
        "impliedVolatility": "0.31",
        "expiration": "2026-03-27",
        "spot_price": "50.5",
    }
    return ",".join((row | cells).values())


def write_frame(folder: Path, *rows: str, name: str = FRAME_NAME, header: str = FRAME_HEADER) -> Path:
    """Write a frame file and return it."""
    file = folder / name
    file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return file


def epoch(text: str) -> int:
    """Return the seconds of an ISO time that carries its zone."""
    return int(datetime.fromisoformat(text).timestamp())


def expiration_epoch(day: date) -> int:
    """Return an expiration as Yahoo writes it: midnight UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def contract(strike: float = 50.0, **changes: Any) -> dict[str, Any]:
    """Return a contract of an options body."""
    return {"strike": strike, "lastPrice": 1.2, "bid": 1.15, "ask": 1.25, "openInterest": 12, "volume": 7} | changes


def options_body(
    ticker: str = "ZZTA",
    *,
    listed: tuple[date, ...] = (date(2026, 3, 27), date(2026, 4, 17)),
    held: tuple[date, ...] = (date(2026, 3, 27),),
    calls: tuple[dict[str, Any], ...] = (contract(),),
    **quote: Any,
) -> dict[str, Any]:
    """Return an options body; its quote was made at 13:00 New York on 2026-03-24 unless ``quote`` says otherwise."""
    stated = {
        "symbol": ticker,
        "currency": "USD",
        "exchangeTimezoneName": "America/New_York",
        "marketState": "REGULAR",
        "regularMarketPrice": 50.5,
        "regularMarketTime": epoch("2026-03-24T13:00:00-04:00"),
    } | quote
    result = {
        "underlyingSymbol": ticker,
        "expirationDates": [expiration_epoch(day) for day in listed],
        "quote": {name: value for name, value in stated.items() if value is not None},
        "options": [{"expirationDate": expiration_epoch(day), "calls": list(calls), "puts": []} for day in held],
    }
    return {"optionChain": {"result": [result], "error": None}}


def chart_body(
    ticker: str = "ZZTB", days: tuple[str, ...] = ("2026-03-19", "2026-03-20"), **meta: Any
) -> dict[str, Any]:
    """Return a daily chart body with closes 10, 11 …, made at 16:00 New York on 2026-03-20."""
    closes = [10.0 + position for position in range(len(days))]
    return {
        "chart": {
            "result": [
                {
                    "meta": {
                        "symbol": ticker,
                        "currency": "USD",
                        "dataGranularity": "1d",
                        "regularMarketTime": epoch("2026-03-20T16:00:01-04:00"),
                    }
                    | meta,
                    "timestamp": [epoch(f"{day}T09:30:00-04:00") for day in days],
                    "indicators": {
                        "quote": [dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": [5] * len(days)}]
                    },
                }
            ],
            "error": None,
        }
    }


def write_body(folder: Path, body: Any, name: str = "body.json") -> Path:
    """Write a body as JSON and return its file."""
    file = folder / name
    file.write_text(json.dumps(body), encoding="utf-8")
    return file
