"""Rules of users as detectors: their conditions judged on the ticker's figures, or chain by chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np

from collector.detectors.base import ChainView, Claim, Evaluation, Evidence, Finding, TickerView
from collector.detectors.evidence import days_to_event, liquidity
from collector.rules.definition import RuleDefinition
from collector.rules.judgement import CONDITION, Judgement, as_json, grade_of, in_words, judge
from collector.rules.names import chain_record

# Sessions of a metric's own past from which its spread says how far a value is.
SESSIONS_OF_SPREAD = 20
# So many standard deviations beyond the level are all there is to see.
FULL_DEVIATIONS = 3.0
# Sessions from which a rank counts as one of a normal history.
SESSIONS_OF_RANK = 60
OF_RANK = frozenset({"iv_rank", "iv_percentile"})
OF_EARNINGS = frozenset({"next_earnings_date", "implied_earnings_move", "implied_earnings_expiration"})


@dataclass(frozen=True, slots=True)
class RuleDetector:
    """A user's rule; the subject is the ticker itself, or the chain where the rule names a field of chains."""

    config: RuleDefinition

    @property
    def name(self) -> str:
        """Return ``rule:`` and what tells its name from others'."""
        return self.config.detector

    @property
    def claim(self) -> Claim:
        """Return what its direction claims: the spot follows it, or the metric comes back."""
        return "metric_reverts" if self.config.direction == "neutral" else "spot_follows"

    @property
    def hypothesis(self) -> str:
        """Return its name: why it was made, only its user knows."""
        return f"A rule of this installation: {self.config.name}."

    @property
    def formula(self) -> str:
        """Return its conditions."""
        keeps = f"; an alert goes on while {self.config.rearm.text}" if self.config.rearm else ""
        return f"{self.config.condition.text}{keeps}"

    @property
    def day_one(self) -> str:
        """Return what it does without history."""
        return "Judged where none of its fields is null: one that needs history is null until there is enough."

    @property
    def minimum_grade(self) -> str:
        """Return the worst grade of the chains that its figures may stand on."""
        return self.config.minimum_grade

    def configuration(self) -> dict[str, Any]:
        """Return the rule as JSON values."""
        return self.config.to_json()

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge the ticker, or each of its chains."""
        figures = {**view.features, "ticker": view.ticker}
        if self.config.per_chain:
            return self._chains(view, figures)
        judgement = judge(self.config, grade_of(self.config, figures), figures, {})
        found = self._finding(view, judgement, None, figures)
        if judgement.state == "unknown":
            return Evaluation(self.name, "not_evaluated", metric=judgement.metric, reason=judgement.reason)
        return self._evaluation(judgement, () if found is None else (found,), None)

    def _chains(self, view: TickerView, figures: Mapping[str, Any]) -> Evaluation:
        judged = [(chain, judge(self.config, chain.grade, figures, chain_record(chain.row))) for chain in view.chains]
        known = [(chain, judgement) for chain, judgement in judged if judgement.state != "unknown"]
        if not known:
            # A field that is null says more than a grade.
            told = max((judgement for _, judgement in judged), key=lambda one: one.metric is not None, default=None)
            metric, reason = (told.metric, told.reason) if told else (None, "no_usable_chain")
            return Evaluation(self.name, "not_evaluated", metric=metric, reason=reason)
        findings = [self._finding(view, judgement, chain, figures) for chain, judgement in known]
        return self._evaluation(
            nearest(judgement for _, judgement in known),
            tuple(finding for finding in findings if finding is not None),
            frozenset(subject(chain) for chain, _ in known),
        )

    def _evaluation(
        self, judgement: Judgement, findings: tuple[Finding, ...], subjects: frozenset[str] | None
    ) -> Evaluation:
        return Evaluation(
            self.name,
            "armed" if judgement.state == "armed" else "quiet",
            findings,
            subjects,
            judgement.metric,
            judgement.value,
            judgement.threshold,
            judgement.reason,
            judgement.comparison,
        )

    def _finding(
        self, view: TickerView, judgement: Judgement, chain: ChainView | None, figures: Mapping[str, Any]
    ) -> Finding | None:
        """Return the finding of what is armed or kept."""
        about_chain = "" if chain is None else subject(chain)
        if judgement.state not in ("armed", "kept") or not view.matters(about_chain, judgement.state == "armed"):
            return None
        assert judgement.metric is not None
        assert judgement.value is not None
        assert judgement.threshold is not None
        assert judgement.comparison is not None
        rule = self.config
        about = view.ticker if chain is None else f"{view.ticker} {chain.expiration:%Y-%m-%d} {chain.root}"
        holds = rule.condition if judgement.state == "armed" or rule.rearm is None else rule.rearm
        told = ", ".join(f"{name} is {in_words(name, value)}" for name, value in judgement.values.items())
        return Finding(
            detector=self.name,
            ticker=view.ticker,
            subject=about_chain,
            direction=rule.direction,
            metric=judgement.metric,
            value=judgement.value,
            threshold=judgement.threshold,
            comparison=judgement.comparison,
            armed=judgement.state == "armed",
            evidence=self._evidence(view, judgement, chain, figures),
            metrics=_metrics(view, rule, judgement, chain),
            summary=f"{about}: {rule.name} ({told})",
            reason=f"The rule “{rule.name}” holds for {about}: {holds.text}. Here {told}."
            if judgement.state == "armed"
            else f"The rule “{rule.name}” holds no more for {about}, but it goes on while {holds.text}: {told}.",
            intention=None if rule.direction == "neutral" else "directional",
        )

    def _evidence(
        self, view: TickerView, judgement: Judgement, chain: ChainView | None, figures: Mapping[str, Any]
    ) -> Evidence:
        rule, armed = self.config, judgement.state == "armed"
        names = {one.name for one in rule.condition.fields}
        sessions = figures.get("iv_rank_sessions")
        history = min(sessions / SESSIONS_OF_RANK, 1.0) if names & OF_RANK and sessions is not None else 1.0
        spread = figures.get("median_relative_spread") if chain is None else chain.relative_spread
        grade = grade_of(rule, figures) if chain is None else chain.grade
        assert grade is not None
        return Evidence(
            size=self._size(view, judgement) if armed else 0.0,
            agreement=rule.condition.agreement(judgement.values) if armed else 0.0,
            liquidity=liquidity(spread),
            grade=grade,
            event_days=days_to_event(view, None if chain is None else chain.expiration),
            history=history,
            dates_estimated=bool(names & OF_EARNINGS) and figures.get("next_earnings_confirmed") is not True,
        )

    def _size(self, view: TickerView, judgement: Judgement) -> float:
        """Return how far the figures stand beyond their levels: in the metric's own spread where there is a past."""
        if judgement.metric != CONDITION and judgement.value is not None and judgement.threshold is not None:
            past = view.past.last(str(judgement.metric), 252)
            spread = float(np.std(past, ddof=1)) if past.size >= SESSIONS_OF_SPREAD else 0.0
            if spread > 1e-12:
                return min(abs(judgement.value - judgement.threshold) / (FULL_DEVIATIONS * spread), 1.0)
        return self.config.condition.excess(judgement.values)


def subject(chain: ChainView) -> str:
    """Return the subject of alerts on a chain."""
    return f"{chain.expiration:%Y-%m-%d}:{chain.root}"


def nearest(judgements: Iterable[Judgement]) -> Judgement:
    """Return the judgement that an evaluation tells: the one furthest on the way to its level, the first of equals."""

    def way(judgement: Judgement) -> tuple[int, float]:
        order = {"armed": 2, "kept": 1}.get(judgement.state, 0)
        if judgement.value is None or judgement.threshold is None:
            return order, -np.inf
        distance = judgement.value - judgement.threshold
        return order, distance if judgement.comparison in (">", ">=") else -distance

    return max(judgements, key=way)


def _metrics(view: TickerView, rule: RuleDefinition, judgement: Judgement, chain: ChainView | None) -> dict[str, Any]:
    """Return the figures behind a finding, as JSON values."""
    metrics: dict[str, Any] = {
        "market_date": view.market_date.isoformat(),
        "rule": rule.name,
        "condition": rule.condition.text,
        "fields": as_json(judgement.values),
    }
    if chain is None:
        return metrics
    return metrics | {
        "root": chain.root,
        "expiration": chain.expiration.isoformat(),
        "dte": chain.dte,
        "settlement_time": f"{chain.settlement_time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "grade": chain.grade,
    }
