"""Yahoo's bodies as files: what an index needs of them, and their parts named by file where they fail.

The content itself is read by collector/providers/yahoo_bodies.py, the code that reads live answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from collector.market.calendar import Sessions
from collector.providers.base import BadAnswer, Bar, Event, OptionChain, ProviderError, Quote
from collector.providers.recorded.cells import read_bytes
from collector.providers.recorded.clock import body_stamp, newest_epoch
from collector.providers.recorded.recording import BodyFile, ChartFile
from collector.providers.yahoo_bodies import (
    options_quote,
    parse_chart,
    parse_options,
    parse_quote_events,
    stated_ticker,
    stated_time,
)
from collector.providers.yahoo_values import listing, mapping, text, utc_date

OPTIONS = "optionChain"
CHART = "chart"
ERROR = "finance"
DAILY = "1d"
# A body without a result is parsed for its refusal alone: no time of it is used.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def read_body(path: Path) -> Mapping[str, Any]:
    """Return a file's JSON object; raise BadAnswer naming file, line and column where it is none."""
    try:
        body = orjson.loads(read_bytes(path).removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise BadAnswer(
            f"{path.name} line {error.lineno} column {error.colno}: is not whole JSON ({error.msg}); "
            "the file may be cut short"
        ) from None
    if not isinstance(body, dict):
        raise BadAnswer(f"{path.name}: holds a JSON {type(body).__name__} where an object was expected")
    return body


def options_file(path: Path, body: Mapping[str, Any], undated: datetime | None, sessions: Sessions) -> BodyFile:
    """Return what an options body lists and holds; raise BadAnswer where it names no ticker or no time."""
    result = _result(path, body, OPTIONS)
    try:
        quote = result.get("quote") or {}
        ticker = stated_ticker(
            text(result.get("underlyingSymbol")) or text(mapping(quote, "quote").get("symbol")) or ""
        )
        listed = {utc_date(epoch, "expirationDates") for epoch in listing(result, "expirationDates")}
        held = {
            utc_date(mapping(group, "options").get("expirationDate"), "expirationDate")
            for group in listing(result, "options")
        }
    except ProviderError as error:
        raise BadAnswer(f"{path.name}: {error}") from error
    stamp = body_stamp(result, sessions) or undated
    if stamp is None:
        raise BadAnswer(f"{path.name}: the body states no time of its quote; say when it was recorded with --as-of")
    return BodyFile(path, stamp, ticker, tuple(sorted(listed | held)), tuple(sorted(held)))


def chart_file(path: Path, body: Mapping[str, Any]) -> ChartFile:
    """Return a daily chart's ticker and time; raise BadAnswer where it states none, or is no daily chart."""
    result = _result(path, body, CHART)
    try:
        meta = mapping(result.get("meta"), "meta")
        ticker = stated_ticker(text(meta.get("symbol")) or "")
        stamp = stated_time(body) or newest_epoch(listing(result, "timestamp"))
    except ProviderError as error:
        raise BadAnswer(f"{path.name}: {error}") from error
    if meta.get("dataGranularity", DAILY) != DAILY:
        raise BadAnswer(f"{path.name}: a chart of {meta['dataGranularity']} bars where daily ones (1d) were expected")
    if stamp is None:
        raise BadAnswer(f"{path.name}: the chart states no time")
    return ChartFile(path, stamp, ticker)


def _result(path: Path, body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    envelope = body.get(name)
    results = envelope.get("result") if isinstance(envelope, Mapping) else None
    if isinstance(results, list) and results and isinstance(results[0], Mapping):
        return results[0]
    raise BadAnswer(f"{path.name}: {stated_refusal(body)}")


def stated_refusal(body: Mapping[str, Any]) -> str:
    """Return in words why a body holds no result: the error that Yahoo states in it, if it does."""
    try:
        if CHART in body:
            parse_chart(body)
        else:
            parse_options(body, NEVER)
    except ProviderError as error:
        return str(error)
    return "holds no result"


def read_options(file: BodyFile, body: Mapping[str, Any]) -> tuple[Quote, dict[date, OptionChain]]:
    """Return the underlying's quote and the chains of a body; what goes wrong names the file."""
    try:
        quote, _, chains = parse_options(body, file.stamp)
    except ProviderError as error:
        raise type(error)(f"{file.path.name}: {error}") from error
    return quote, chains


def read_earnings(file: BodyFile, body: Mapping[str, Any]) -> tuple[Event, ...]:
    """Return the next earnings that a body's quote states, known at the body's time."""
    try:
        return parse_quote_events(options_quote(body), file.stamp, file.ticker)
    except ProviderError as error:
        raise type(error)(f"{file.path.name}: {error}") from error


def read_chart(file: ChartFile, body: Mapping[str, Any]) -> tuple[tuple[Bar, ...], tuple[Event, ...]]:
    """Return a chart's bars as printed, with the splits and dividends that it states."""
    try:
        return parse_chart(body)
    except ProviderError as error:
        raise type(error)(f"{file.path.name}: {error}") from error
