"""meta.json: what detectors, providers, fields and reason codes mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings

from collector.configuration import detectors, rules
from collector.providers.catalogue import PROVIDER_FACTS
from collector.rule_book import rules_of
from exports.documents import DOCUMENTS, Field
from exports.reasons import ALL


def meta_records(market: str, track_records: Sequence[Mapping[str, Any]] = ()) -> Iterator[dict[str, Any]]:
    """Yield one record a detector (the market's rules among them), provider, field and reason code.

    ``track_records`` are the detectors' newest, as store/track_records.py reads them.
    """
    config = settings.OPTSITE.config
    for detector in detectors(config).with_rules(rules(config, rules_of(market))):
        yield _record(
            "detector",
            detector.name,
            detector.hypothesis,
            detail={
                "hypothesis": detector.hypothesis,
                "formula": detector.formula,
                "day_one": detector.day_one,
                "minimum_grade": detector.minimum_grade,
                "configuration": detector.configuration(),
                "claim": detector.claim,
                "track_records": [dict(one) for one in track_records if one["detector"] == detector.name],
            },
        )
    for name, facts in sorted(PROVIDER_FACTS.items()):
        yield _record("provider", name, str(facts["terms"]), detail=dict(facts))
    for document in DOCUMENTS.values():
        yield from _fields(document.name, document.fields)
    for group, codes in ALL.items():
        for code, sentence in codes.items():
            yield _record("reason", f"{group}.{code}", sentence, detail={"group": group, "code": code})


def meta_revision(market: str, track_records: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return a hash of what a market's meta.json holds."""
    content = orjson.dumps(list(meta_records(market, track_records)), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:12]


def _fields(path: str, fields: tuple[Field, ...]) -> Iterator[dict[str, Any]]:
    """Yield a record a field, members of objects after their object."""
    for field in fields:
        name = f"{path}.{field.name}"
        yield _record("field", name, field.help, unit=field.unit or None, type=field.type)
        yield from _fields(name, field.fields)


def _record(
    kind: str,
    name: str,
    help: str,
    *,
    unit: str | None = None,
    type: str | None = None,
    detail: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return one record of meta.json."""
    return {"kind": kind, "name": name, "help": help, "unit": unit, "type": type, "detail": detail or {}}
