"""How many chains of each ticker have which grade, from the index alone."""

from __future__ import annotations

from collections import Counter

from api.source import Export


def grade_counts(export: Export) -> dict[str, str]:
    """Return the grades of each ticker's chains as one text, best first, such as "2 A · 7 B"."""
    document = export.document("chains")
    if document is None:
        return {}
    columns = (document.index.column("ticker"), document.index.column("quality.grade"))
    counted = sorted(Counter(zip(*columns, strict=True)).items())
    texts: dict[str, list[str]] = {}
    for (ticker, grade), count in counted:
        texts.setdefault(ticker, []).append(f"{count} {grade}")
    return {ticker: " · ".join(parts) for ticker, parts in texts.items()}
