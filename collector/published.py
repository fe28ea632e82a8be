"""Names that the published documents of a market know, for what staff enter: its detectors, its alerts."""

from __future__ import annotations

from django.conf import settings

from exports.folders import MARKET_OF_PROVIDER, MarketFolder
from exports.reader import DocumentReader, ExportReader

PROVIDERS = {market: provider for provider, market in MARKET_OF_PROVIDER.items()}
# Records of the meta document that raise alerts.
ALERTING = ("detector", "rule")


def published_detectors(market: str) -> list[str]:
    """Return the names of the detectors and rules in the newest meta document; none where nothing is published.

    Args:
        market: live, demo or recorded; nothing is published of another.
    """
    document = _document(market, "meta")
    records = [document.record(position) for position in range(document.count)] if document else []
    return [record["name"] for record in records if record["kind"] in ALERTING]


def published_alerts(market: str) -> frozenset[str] | None:
    """Return the ids of the newest document's alerts; None where nothing is published.

    Args:
        market: as in ``published_detectors``.
    """
    document = _document(market, "alerts")
    return None if document is None else frozenset(document.index.column("id").tolist())


def _document(market: str, name: str) -> DocumentReader | None:
    if market not in PROVIDERS:
        return None
    folder = MarketFolder(settings.MARKET_FOLDER.data_dir, PROVIDERS[market])
    current = ExportReader(folder.export_dir).current()
    return current.document(name) if current else None
