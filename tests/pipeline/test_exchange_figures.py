"""An exchange's own figures through the whole product: scanned by the command, read from the published JSON."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import override_settings

from exports.folders import MarketFolder
from exports.reader import ExportReader
from tests.pipeline.exchange_figures import compare, on_whole_days, told

pytestmark = [pytest.mark.recordings, pytest.mark.accuracy, pytest.mark.django_db]

Tell = Callable[[str], None]
QQQ_CLOCK = "2023-06-12T13:44-04:00"


@pytest.fixture
def folder(data_dir: Path) -> Iterator[MarketFolder]:
    made = MarketFolder(data_dir, "recorded")
    with override_settings(MARKET_FOLDER=made):
        yield made


def published(folder: MarketFolder, recordings: Path, *options: str) -> list[dict[str, Any]]:
    """Scan recordings by the command; return the published chains."""
    call_command(
        "scan", "--provider", "recorded", "--recordings", str(recordings), "--json", *options, stdout=StringIO()
    )
    current = ExportReader(folder.export_dir).current()
    assert current is not None
    opened = current.document("chains")
    assert opened is not None
    return [json.loads(record) for record in opened.records(range(opened.count))]


def test_spx_in_the_session(folder: MarketFolder, shared_data: Path, tell: Tell) -> None:
    found = compare(published(folder, shared_data / "cboe", "--tickers", "SPX"), "^SPX")
    tell(f"SPX 2022-07-12: IV on {found.rows - found.missing.total()} of {found.rows} {dict(found.missing)}")
    tell(f"SPX 2022-07-12: IV {told(found.errors)}; out of the money {told(found.out)}; delta {told(found.deltas)}")
    assert found.rows > 13_000
    assert found.coverage >= 0.995
    assert np.median(found.errors) <= 0.00018
    assert np.percentile(found.errors, 95) <= 0.0020
    assert np.median(found.out) <= 0.00016
    assert np.percentile(found.out, 95) <= 0.0008
    assert np.median(found.deltas) <= 0.0017


def test_spy_and_xsp_after_the_close(folder: MarketFolder, shared_data: Path, tell: Tell) -> None:
    chains = published(folder, shared_data / "cboe", "--tickers", "SPY,XSP")
    spy, xsp = compare(chains, "SPY"), compare(chains, "^XSP")
    for name, found in (("SPY", spy), ("XSP", xsp)):
        tell(f"{name} 2023-09-14: IV on {found.rows - found.missing.total()} of {found.rows} {dict(found.missing)}")
        assert found.coverage >= 0.99
    # SPY goes ex the next morning.
    beyond = spy.beyond(1.0)
    tell(f"SPY 2023-09-14: out of the money beyond the ex-date's day {told(beyond)}")
    assert np.median(beyond) <= 0.0003
    assert np.percentile(beyond, 95) <= 0.0019
    beyond = xsp.beyond(2.5)
    tell(f"XSP 2023-09-14: out of the money beyond 2.5 days {told(beyond)}")
    assert np.median(beyond) <= 0.0005
    assert np.percentile(beyond, 95) <= 0.0021


def test_qqq_at_the_clock_of_its_quotes(folder: MarketFolder, shared_data: Path, tell: Tell) -> None:
    found = compare(published(folder, shared_data / "cboe", "--tickers", "QQQ", "--as-of", QQQ_CLOCK), "QQQ")
    tell(f"QQQ 2023-06-12: IV on {found.rows - found.missing.total()} of {found.rows} {dict(found.missing)}")
    tell(f"QQQ 2023-06-12: out of the money {told(found.out)}")
    assert found.coverage >= 0.99
    assert np.median(found.out) <= 0.00025
    assert np.percentile(found.out, 95) <= 0.0009


def test_single_stocks_at_the_close(folder: MarketFolder, shared_data: Path, tell: Tell) -> None:
    chains = published(folder, shared_data / "cboe", "--tickers", "NVDA,TSLA")
    nvda, tsla = compare(chains, "NVDA"), compare(chains, "TSLA")
    tell(f"NVDA 2025-01-06: IV on {nvda.rows - nvda.missing.total()} of {nvda.rows}; out of the money {told(nvda.out)}")
    assert nvda.coverage >= 0.99
    assert np.median(nvda.out) <= 0.0013
    assert np.percentile(nvda.out, 95) <= 0.0036
    # 2023-11-24 is a half day: trading ends at 13:00. The exchange's figures run to 16:00, so its volatility of that
    # expiration is lower by the root of the tenors' ratio; on its own clock ours is the same.
    for chain in chains:
        if (chain["ticker"], chain["expiration"]) == ("TSLA", "2023-11-24"):
            assert chain["settlement_time"] == "2023-11-24T18:00:00Z"
            for row in chain["calls"] + chain["puts"]:
                if row["implied_volatility"] is not None:
                    row["implied_volatility"] = on_whole_days(chain, row["implied_volatility"])
    same_clock = compare(chains, "TSLA")
    tell(f"TSLA 2023-11-10: IV on {tsla.rows - tsla.missing.total()} of {tsla.rows}; out of the money {told(tsla.out)}")
    tell(f"TSLA 2023-11-10: with the half day to 16:00, as the file has it, {told(same_clock.out)}")
    assert tsla.coverage >= 0.99
    assert np.percentile(tsla.out, 95) <= 0.0040
    assert np.median(same_clock.out) <= 0.0014
    assert np.percentile(same_clock.out, 95) <= 0.0040


def noisy(source: Path, target: Path) -> None:
    """Copy a table with every volatility, delta and gamma of the exchange overwritten."""
    random = np.random.default_rng(11)
    with source.open(encoding="utf-8-sig", newline="") as opened:
        lines = list(csv.reader(opened))
    header = next(number for number, line in enumerate(lines) if line[:1] == ["Expiration Date"])
    columns = [place for place, name in enumerate(lines[header]) if name.strip() in ("IV", "Delta", "Gamma")]
    assert len(columns) == 6
    for line in lines[header + 1 :]:
        for place in columns:
            line[place] = f"{random.uniform(0, 3):.4f}"
    with target.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows(lines)


def without_the_feeds_own(chains: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return chains without what the feed states of volatility, and what compares it."""
    for chain in chains:
        chain.pop("scan_id")
        chain["coverage"].pop("listed")
        for name in ("vendor_difference", "vendor_compared"):
            chain["quality"]["facts"].pop(name)
        for name in ("contracts.vendor_delta", "contracts.vendor_implied_volatility"):
            chain["reasons"].pop(name, None)
        for row in chain["calls"] + chain["puts"]:
            for name in ("vendor_implied_volatility", "vendor_delta"):
                row.pop(name)
                row["reasons"].pop(name, None)
    return chains


def test_no_number_of_ours_moves_with_the_exchanges(folder: MarketFolder, shared_data: Path, tmp_path: Path) -> None:
    sound, overwritten = tmp_path / "sound", tmp_path / "overwritten"
    for made in (sound, overwritten):
        made.mkdir()
    for name in ("spy-2023-09-14.csv", "nvda-2025-01-06.csv"):
        shutil.copy(shared_data / "cboe" / name, sound)
        noisy(shared_data / "cboe" / name, overwritten / name)
    before = without_the_feeds_own(published(folder, sound))
    after = without_the_feeds_own(published(folder, overwritten))
    assert len(before) == len(after) > 30
    for one, other in zip(before, after, strict=True):
        assert one == other, (one["ticker"], one["expiration"])
