"""A rule tried on the newest published figures: where it would fire, and where it can't be judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.rules.definition import RuleDefinition
from collector.rules.judgement import Judgement, grade_of, in_words, judge
from exports.reader import DocumentReader, Generation
from exports.reasons import explain


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule makes of one ticker, or of one of its chains, named by expiration and root."""

    ticker: str
    chain: str
    as_of: str
    judgement: Judgement

    @property
    def told(self) -> str:
        """Return the values of the fields that the rule names, in words."""
        return ", ".join(f"{name} {in_words(name, value)}" for name, value in self.judgement.values.items())

    @property
    def why(self) -> str:
        """Return why it does not fire, in words; empty where it does."""
        reason, metric = self.judgement.reason, self.judgement.metric
        if reason is None:
            return ""
        return f"{metric} is null" if reason == "null_field" else explain(reason)


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a rule makes of one generation.

    ``fires`` are where its condition holds, ``unknown`` where it can't be judged, ``quiet`` counts the others.
    Published figures have six digits: a value at its level may fall otherwise in a scan, which has them all.
    """

    generation: str
    export_timestamp: str
    fires: tuple[Tried, ...]
    unknown: tuple[Tried, ...]
    quiet: int


def dry_run(rule: RuleDefinition, generation: Generation) -> DryRun:
    """Try a rule on a published generation; raise ExportReadError where that can't be read."""
    tried = list(_tried(rule, generation))
    return DryRun(
        generation=generation.name,
        export_timestamp=generation.export_timestamp,
        fires=tuple(one for one in tried if one.judgement.state == "armed"),
        unknown=tuple(one for one in tried if one.judgement.state == "unknown"),
        quiet=sum(one.judgement.state in ("quiet", "kept") for one in tried),
    )


def _tried(rule: RuleDefinition, generation: Generation) -> Iterator[Tried]:
    figures = {
        record["ticker"]: record
        for record in _records(generation.document("features"))
        if rule.applies_to(record["ticker"])
    }
    if not rule.per_chain:
        for ticker, record in figures.items():
            yield Tried(ticker, "", record["as_of"], judge(rule, grade_of(rule, record), record, {}))
        return
    for chain in _records(generation.document("chains")):
        if chain["ticker"] in figures:
            name = f"{chain['expiration']} {chain['root']}"
            judgement = judge(rule, chain["quality"]["grade"], figures[chain["ticker"]], chain)
            yield Tried(chain["ticker"], name, chain["as_of"], judgement)


def _records(document: DocumentReader | None) -> Iterator[Mapping[str, Any]]:
    for position in range(document.count if document else 0):
        yield document.record(position)  # type: ignore[union-attr]
