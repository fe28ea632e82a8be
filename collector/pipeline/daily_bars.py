"""A ticker's daily bars: asked of the provider where that is due, else those that it gave last."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path

import orjson

from collector.providers.base import Bar, Provider
from exports.durable_files import write_durably
from exports.folders import MarketFolder

logger = logging.getLogger(__name__)

LONG_DAYS = 600
RECORDED_DAYS = 40 * 365  # a recording gives all that it holds
SHORT_DAYS = 60


def daily_bars(
    folder: MarketFolder, provider: Provider, ticker: str, market_date: date, *, fetch: bool, days: int = LONG_DAYS
) -> tuple[Bar, ...]:
    """Return the bars of the closed sessions up to ``market_date``, oldest first.

    Args:
        folder: whose cache keeps what a paying provider gave.
        provider: whom to ask.
        ticker: canonical ticker.
        market_date: last date that is asked for.
        fetch: ask the provider, and keep its answer; else return what it gave last, () where that is nothing.
        days: how many calendar days to go back.

    Raises:
        ProviderError: the provider could not answer.
    """
    path = _path(folder, ticker)
    if fetch:
        bars = provider.bars(ticker, market_date - timedelta(days=days), market_date)
        if provider.pays_per_expiration:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(path, orjson.dumps([asdict(bar) for bar in bars]))
        return bars
    try:
        kept = orjson.loads(path.read_bytes())
        return tuple(Bar(**{**bar, "date": date.fromisoformat(bar["date"])}) for bar in kept)
    except FileNotFoundError:
        return ()
    except (ValueError, TypeError, KeyError) as error:
        logger.warning("The bars kept in %s can't be read, the next close scan fetches them anew: %s", path, error)
        return ()


def _path(folder: MarketFolder, ticker: str) -> Path:
    """Return where a ticker's bars are kept."""
    return folder.data_dir / "cache" / "bars" / folder.market / f"{ticker}.json"
