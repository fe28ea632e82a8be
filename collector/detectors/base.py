"""What a detector is given and what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Literal, Protocol

import pandas as pd

Direction = Literal["bullish", "bearish", "neutral"]
Comparison = Literal[">=", "<=", ">", "<"]


class ConfigError(ValueError):
    """A detector's level that can't work; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class ChainView:
    """What a detector sees of one chain of the scan."""

    root: str
    expiration: date
    dte: int
    settlement_time: datetime
    grade: str
    underlying_price: float | None
    reference_price: float | None


@dataclass(frozen=True, slots=True)
class TickerView:
    """One ticker in one scan, with the history that was known then.

    ``contracts`` has one row a contract of this scan, with the columns that collector/normalise.py lists, chain by
    chain, ``grade`` beside them. ``contract_history`` is indexed by contract_symbol with the columns ``mean_volume``
    (mean over the sessions in which the contract was seen, at most the last 20 before ``market_date``, unknown volume
    left out) and ``sessions`` (how many).
    """

    ticker: str
    provider: str
    as_of: datetime
    market_date: date
    chains: tuple[ChainView, ...]
    contracts: pd.DataFrame
    contract_history: pd.DataFrame
    features: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a detector holds to be so in this scan.

    ``armed`` is False where the value lies between the re-arm and the arm level (or beyond the number of alerts that a
    detector begins in one scan): that keeps an alert, and begins none. ``metrics`` are JSON values; where the subject
    dies they hold its ``settlement_time``, at which its alert ends.
    ``subject`` is empty, an expiration with its root (``2026-01-16:SPXW``), or a contract symbol. ``strength`` is 0-1
    (scoring turns it into a score), ``confidence`` 0-1 from the quality of the data.
    """

    detector: str
    ticker: str
    subject: str
    direction: Direction
    metric: str
    value: float
    threshold: float
    comparison: Comparison
    armed: bool
    strength: float
    confidence: float
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a detector says of one ticker: its findings, and why there is none.

    ``evaluated_subjects`` are the subjects (or, for ``None``, all) that it could judge: an alert on a subject that
    could not be judged (its chain missing or too bad) stays as it is. ``status`` is armed, quiet or not_evaluated.
    """

    detector: str
    status: Literal["armed", "quiet", "not_evaluated"]
    findings: tuple[Finding, ...] = ()
    evaluated_subjects: frozenset[str] | None = frozenset()
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    reason: str | None = None


class Detector(Protocol):
    """A detector: a frozen configuration and one question.

    ``name`` is its name in alerts; ``hypothesis``, ``formula`` and ``day_one`` are sentences for meta.json;
    ``minimum_grade`` is the worst chain grade that it accepts.
    """

    name: ClassVar[str]
    hypothesis: ClassVar[str]
    formula: ClassVar[str]
    day_one: ClassVar[str]
    minimum_grade: ClassVar[str]

    def configuration(self) -> dict[str, Any]:
        """Return the effective configuration as JSON values."""
        ...

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge one ticker."""
        ...
