"""What a rule makes of one ticker's figures, or of one of its chains: the same in a scan and in a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from collector.rules.condition import Ordering
from collector.rules.definition import RuleDefinition
from collector.rules.expression import NotComputable
from collector.rules.names import NAMES, Value

State = Literal["armed", "kept", "quiet", "unknown"]
# The metric of a condition that is more than one comparison of a field with a number: 1 where it holds, else 0.
CONDITION = "condition"
# Figures that stand on the chains around 30 days, whose grade is iv_grade.
AROUND_30_DAYS = frozenset(
    name
    for name in NAMES
    if name.startswith(("iv_30d", "iv_rank", "iv_percentile", "skew_", "risk_reversal_", "butterfly_"))
    or name in ("volatility_risk_premium", "term_slope", "expected_move_30d")
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule makes of some figures.

    Attributes:
        state: armed (the condition holds), kept (the re-arm condition alone does), quiet, or unknown.
        values: what each field that the rule names holds; without those that hold nothing.
        metric: what is compared: the field of a simple condition, else CONDITION; the field without a value where the
            state is unknown for that.
        value, threshold, comparison: of the metric; None where the state is unknown.
        reason: a code of exports/reasons.py where it is not armed.
    """

    state: State
    values: Mapping[str, Value] = field(default_factory=dict)
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    comparison: Ordering | None = None
    reason: str | None = None


def judge(rule: RuleDefinition, grade: str | None, record: Mapping[str, Any], chain: Mapping[str, Any]) -> Judgement:
    """Judge a rule.

    Args:
        rule: the rule.
        grade: of the chains that the figures stand on, None without any.
        record: the ticker's figures, as a record of features.json.
        chain: one chain, as a record of chains.json; {} where the rule names no field of chains.
    """
    found = {one.name: one.read(chain if one.of_chain else record) for one in rule.fields}
    values = {name: value for name, value in found.items() if value is not None}
    for name, value in found.items():
        if value is None:
            return Judgement("unknown", values, metric=name, reason="null_field")
    if grade is None or grade > rule.minimum_grade:
        return Judgement("unknown", values, reason="no_usable_chain" if grade is None else "grade_too_low")
    try:
        holds = rule.condition.holds(values)
        metric, value, threshold, comparison = _compared(rule, values, holds)
    except NotComputable:
        return Judgement("unknown", values, metric=CONDITION, reason="not_computable")
    state: State = "armed" if holds else "kept" if _kept(rule, values) else "quiet"
    reason = None if holds else "below_threshold" if metric != CONDITION else "condition_not_met"
    return Judgement(state, values, metric, value, threshold, comparison, reason)


def _kept(rule: RuleDefinition, values: Mapping[str, Value]) -> bool:
    """Return whether the re-arm condition holds; one that can't be computed does not."""
    try:
        return rule.rearm is not None and rule.rearm.holds(values)
    except NotComputable:
        return False


def _compared(rule: RuleDefinition, values: Mapping[str, Value], holds: bool) -> tuple[str, float, float, Ordering]:
    """Return metric, value, level and comparison; raise NotComputable."""
    simple = rule.condition.simple()
    if simple is None:
        return CONDITION, float(holds), 1.0, ">="
    value, level = values[simple.metric.name], simple.level.value(values)
    assert isinstance(value, float)
    assert isinstance(level, float)
    return simple.metric.name, value, level, simple.comparison


def grade_of(rule: RuleDefinition, record: Mapping[str, Any]) -> str | None:
    """Return the grade of the chains behind the figures that a rule names of a ticker, None without a usable one."""
    around = any(one.name in AROUND_30_DAYS for one in rule.fields)
    grade = record.get("iv_grade" if around else "grade")
    return grade if isinstance(grade, str) else None


def as_json(values: Mapping[str, Value]) -> dict[str, Any]:
    """Return values as JSON ones: whole numbers of whole fields, dates as text."""
    return {
        name: value.isoformat()
        if isinstance(value, date)
        else int(value)
        if NAMES[name].whole and isinstance(value, float)
        else value
        for name, value in values.items()
    }


def in_words(name: str, value: Value) -> str:
    """Return a value in the digits that tell."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = NAMES[name].whole or (abs(value) >= 1e5 and value.is_integer())
        return f"{value:,.0f}" if whole or abs(value) >= 1e5 else f"{value:.6g}"
    return value.isoformat() if isinstance(value, date) else value
