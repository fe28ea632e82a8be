"""The published documents as plain lists and dictionaries, for notebooks and scripts. No Django, no database.

The data folder is OPTSITE_DATA_DIR (default: data/ beside manage.py), the market that of OPTSITE_PROVIDER (default:
yahoo). Where nothing was published the answers are empty.
"""

from __future__ import annotations

import logging
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from exports.folders import MARKET_OF_PROVIDER, MarketFolder
from exports.reader import DocumentReader, ExportReader
from exports.tickers import TickerError, canonical

logger = logging.getLogger(__name__)

DEFAULT_DATA_DIR = Path(__file__).resolve().parent.parent / "data"


def get_export_dir() -> Path:
    """Return the folder of the published documents; ValueError where OPTSITE_PROVIDER names no provider."""
    provider = os.environ.get("OPTSITE_PROVIDER") or "yahoo"
    if provider not in MARKET_OF_PROVIDER:
        raise ValueError(f"OPTSITE_PROVIDER={provider!r}: use one of {', '.join(sorted(MARKET_OF_PROVIDER))}")
    data_dir = Path(os.environ.get("OPTSITE_DATA_DIR") or DEFAULT_DATA_DIR)
    return MarketFolder(data_dir, provider).export_dir


def load_alerts_from_json(min_score: float = 0.0, limit: int = 500) -> list[dict[str, Any]]:
    """Return the newest alerts of at least ``min_score``, at most ``limit``."""
    document = _document("alerts")
    positions = [] if document is None else np.flatnonzero(document.index.column("score") >= min_score).tolist()
    return _records("alerts", document, positions, limit)


def load_chains_from_json(ticker: str | None = None, limit: int = 100) -> list[dict[str, Any]]:
    """Return the chains, of one ticker where it is given, at most ``limit``."""
    document = _document("chains")
    return _records("chains", document, _positions(document, ticker), limit)


def load_scans_from_json(limit: int = 100) -> list[dict[str, Any]]:
    """Return the newest scans, at most ``limit``."""
    document = _document("scans")
    return _records("scans", document, _positions(document, None), limit)


def load_features_from_json(ticker: str | None = None) -> dict[str, Any] | None:
    """Return the features of ``ticker``, None where there are none.

    Without a ticker: the document whole, as features.json holds it.
    """
    document = _document("features")
    records = _records("features", document, _positions(document, ticker), None)
    if ticker is not None:
        return records[0] if records else None
    if document is None:
        return None
    return {**document.envelope(), "features": records}


@lru_cache(maxsize=8)
def _reader(export_dir: Path) -> ExportReader:
    return ExportReader(export_dir)


def _document(name: str) -> DocumentReader | None:
    generation = _reader(get_export_dir()).current()
    return None if generation is None else generation.document(name)


def _positions(document: DocumentReader | None, ticker: str | None) -> list[int]:
    """Return where the document's records of ``ticker`` are, all of them without one."""
    if document is None:
        return []
    if ticker is None:
        return list(range(document.count))
    try:
        wanted = canonical(ticker)
    except TickerError as error:
        logger.warning("%s", error)
        return []
    return [place for place, found in enumerate(document.index.column("ticker")) if found == wanted]


def _records(
    name: str, document: DocumentReader | None, positions: list[int], limit: int | None
) -> list[dict[str, Any]]:
    if limit is not None and limit < 0:
        raise ValueError(f"limit={limit}: use 0 or more")
    found = [] if document is None else [document.record(position) for position in positions[:limit]]
    if document is None:
        logger.info("load_%s_from_json: nothing is published in %s", name, get_export_dir())
    else:
        logger.info("load_%s_from_json: %d %s", name, len(found), name)
    return found
