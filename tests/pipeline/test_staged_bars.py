"""Bars of a collected scan as the store takes them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

import orjson

from collector.pipeline.staged_bars import bars_of, staged_bars
from collector.providers.base import Bar

BARS = (Bar(date(2026, 3, 23), 1.0, 2.0, 0.5, 1.5, 100), Bar(date(2026, 3, 24), 1.5, 2.5, 1.0, 2.0, None))


def test_bars_that_an_older_version_staged_one_by_one_are_read_the_same() -> None:
    shared = {"ticker": "ZZTA", "recorded_at": "2026-03-24T20:00:00+00:00"}
    columns = {**shared, "bars": orjson.loads(orjson.dumps(staged_bars(BARS)))}
    objects = {**shared, "bars": orjson.loads(orjson.dumps([asdict(bar) for bar in BARS]))}
    bare = {**shared, "ticker": "ZZTB", "bars": []}
    frame = bars_of([columns]).frame
    assert frame["close"].tolist() == [1.5, 2.0]
    assert frame["date"].dt.date.tolist() == [bar.date for bar in BARS]
    assert bars_of([objects, bare]).frame.equals(frame)
