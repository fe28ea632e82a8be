"""Levels that a ticker has to pass all at once, and what they make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from collector.detectors.base import Comparison, Evaluation, Evidence, Finding, Intention, TickerView

# The subject of what is said of a ticker as a whole.
WHOLE = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition: ``value`` against the level that arms and the one that ends; ``reason`` is told where it fails.

    ``comparison`` says on which side of the levels the value has to lie.
    """

    metric: str
    value: float
    arm: float
    rearm: float
    comparison: Literal[">=", "<="]
    reason: str

    def passes(self, level: float) -> bool:
        """Return whether the value lies on the side of a level that is asked for."""
        return self.value >= level if self.comparison == ">=" else self.value <= level


@dataclass(frozen=True, slots=True)
class Passed:
    """What gates make of a value: whether it arms, whether it keeps an alert, and the first gate that stops it.

    ``shown`` is that gate, the first of all where none stops it.
    """

    armed: bool
    kept: bool
    shown: Gate


def passed(gates: Sequence[Gate]) -> Passed:
    """Hold values against their levels; the first gate is that of the trigger."""
    stopping = next((gate for gate in gates if not gate.passes(gate.arm)), None)
    kept = stopping is None or all(gate.passes(gate.rearm) for gate in gates)
    return Passed(stopping is None, kept, stopping or gates[0])


def whole_finding(
    name: str,
    view: TickerView,
    judged: Passed,
    evidence: Evidence,
    metrics: dict[str, Any],
    words: tuple[str, str],
    intention: Intention | None,
) -> Finding:
    """Return what a detector of whole tickers found, triggered by the gate shown; ``words``: summary and reason."""
    gate = judged.shown
    return Finding(
        detector=name,
        ticker=view.ticker,
        subject=WHOLE,
        direction="neutral",
        metric=gate.metric,
        value=gate.value,
        threshold=gate.arm,
        comparison=gate.comparison,
        armed=judged.armed,
        evidence=evidence,
        metrics=metrics,
        summary=words[0],
        reason=words[1],
        intention=intention,
    )


def whole_ticker(name: str, view: TickerView, judged: Passed, finding: Finding | None) -> Evaluation:
    """Return what a detector of whole tickers says, with its finding where there is one that matters."""
    gate = judged.shown
    findings = () if finding is None or not view.matters(WHOLE, judged.armed) else (finding,)
    return Evaluation(
        name,
        "armed" if judged.armed else "quiet",
        findings,
        None,
        gate.metric,
        gate.value,
        gate.arm,
        None if judged.armed else gate.reason,
        gate.comparison,
    )


def lacking(name: str, have: int, need: int, metric: str = "sessions", reason: str = "short_history") -> Evaluation:
    """Return that a detector lacks history, and how much of how much it has."""
    comparison: Comparison = ">="
    return Evaluation(
        name,
        "not_evaluated",
        metric=metric,
        value=float(have),
        threshold=float(need),
        reason=reason,
        comparison=comparison,
    )


def mute(name: str, reason: str) -> Evaluation:
    """Return that a detector can't judge, and why."""
    return Evaluation(name, "not_evaluated", reason=reason)
