"""What a detector is given and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

import pandas as pd

from collector.detectors.past import NO_PAST, PastSessions
from collector.market.events import Event

Direction = Literal["bullish", "bearish", "neutral"]
Comparison = Literal[">=", "<=", ">", "<"]
# What a structure built on the finding would be after.
Intention = Literal["long_volatility", "short_volatility", "directional", "calendar", "skew"]
# What has to come true for a finding to have been right: see collector/alerts/outcomes.py.
Claim = Literal[
    "iv_rises", "iv_falls", "iv_stays", "move_within_implied", "metric_reverts", "spot_follows", "realised_rises"
]


class ConfigError(ValueError):
    """A detector's level that can't work; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class ChainView:
    """What a detector sees of one chain of the scan.

    ``tenor`` is in years from as_of to settlement, ``relative_spread`` the median (ask - bid) / mid near the money;
    ``analytics`` and ``totals`` are the chain's members of these names in exports/documents.py; ``row`` is all that the
    scan keeps of the chain, as JSON values.
    """

    root: str
    expiration: date
    dte: int
    settlement_time: datetime
    grade: str
    underlying_price: float | None
    reference_price: float | None
    tenor: float | None = None
    forward: float | None = None
    discount_factor: float | None = None
    atm_iv: float | None = None
    relative_spread: float | None = None
    analytics: Mapping[str, Any] = field(default_factory=dict)
    totals: Mapping[str, Any] = field(default_factory=dict)
    open_interest_date: date | None = None
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UsualVolume:
    """A ticker's mean volume over ``sessions`` before; in ``by_time`` of them by this time, else of the whole."""

    mean: float
    sessions: int
    by_time: int


@dataclass(frozen=True, slots=True)
class TickerView:
    """One ticker in one scan, with the history that was known then.

    ``contracts`` has one row a contract of this scan, with the columns that collector/normalise.py lists, chain by
    chain, ``grade`` beside them. ``contract_history`` is indexed by contract_symbol with the columns ``mean_volume``
    (mean over the sessions in which the contract was seen, at most the last 20 before ``market_date``, unknown volume
    left out), ``sessions`` (how many) and ``by_time`` (in how many of them what had traded by this time of the session
    is known; of the others the whole session counts). ``usual_volume`` is the same of the whole ticker.
    ``features`` are the ticker's figures of this scan (``documents.FEATURE_FIELDS``, null with a reason), ``past``
    those of its sessions before ``market_date``, ``events`` what was known at ``as_of`` of the ticker and the market,
    ``standing`` the subjects of the ticker's alerts that have not ended (None: not told). A finding that does not arm
    keeps an alert that stands; where none does it may be left out.
    """

    ticker: str
    provider: str
    as_of: datetime
    market_date: date
    chains: tuple[ChainView, ...]
    contracts: pd.DataFrame
    contract_history: pd.DataFrame
    features: Mapping[str, Any] = field(default_factory=dict)
    past: PastSessions = NO_PAST
    events: tuple[Event, ...] = ()
    standing: frozenset[str] | None = None
    usual_volume: UsualVolume | None = None

    def matters(self, subject: str, armed: bool) -> bool:
        """Return whether a finding on a subject could change an alert: it arms, or an alert on the subject stands."""
        return armed or self.standing is None or subject in self.standing


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding stands on: score and confidence follow from it.

    Attributes:
        size: 0-1, how far the finding stands beyond its level, against the subject's own history.
        agreement: 0-1, the share of independent inputs that say the same; 0 where only one speaks.
        liquidity: 0-1, how well what it is about can be traded.
        grade: worst grade among the chains behind it.
        event_days: calendar days to the known event that matters to it, None without one.
        history: 0-1, the share of the sessions it wants that are there.
        dates_estimated: whether it rests on a date that is not confirmed.
    """

    size: float
    agreement: float
    liquidity: float
    grade: str
    event_days: float | None = None
    history: float = 1.0
    dates_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a detector holds to be so in this scan.

    ``armed`` is False where the value lies between the re-arm and the arm level (or beyond the number of alerts that a
    detector begins in one scan): that keeps an alert, and begins none. ``metrics`` are JSON values; where the subject
    dies they hold its ``settlement_time``, at which its alert ends.
    ``subject`` is empty, an expiration with its root (``2026-01-16:SPXW``), or a contract symbol. ``summary`` is one
    line, ``reason`` one to three sentences with the numbers in them; both follow from the finding alone.
    ``side`` is the direction in the alert's key where that must not move with the reading: a contract whose volume
    turns out to be the leg of a spread is still the same alert.
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
    evidence: Evidence
    metrics: dict[str, Any]
    summary: str
    reason: str
    intention: Intention | None = None
    side: Direction | None = None


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
    comparison: Comparison | None = None


class Detector(Protocol):
    """A detector: a frozen configuration and one question.

    ``name`` is its name in alerts; ``hypothesis``, ``formula`` and ``day_one`` are sentences for meta.json;
    ``minimum_grade`` is the worst chain grade that it accepts; ``claim`` is what its outcomes are judged by. ``config``
    is a frozen dataclass whose fields are levels with defaults.
    """

    @property
    def name(self) -> str:
        """Its name in alerts."""
        ...

    @property
    def claim(self) -> Claim:
        """What its outcomes are judged by."""
        ...

    @property
    def hypothesis(self) -> str:
        """What it holds to be so."""
        ...

    @property
    def formula(self) -> str:
        """How it finds that."""
        ...

    @property
    def day_one(self) -> str:
        """What it does without history."""
        ...

    @property
    def minimum_grade(self) -> str:
        """The worst grade of a chain that it accepts."""
        ...

    @property
    def config(self) -> Any:
        """Its levels."""
        ...

    def configuration(self) -> dict[str, Any]:
        """Return the effective configuration as JSON values."""
        ...

    def evaluate(self, view: TickerView) -> Evaluation:
        """Judge one ticker."""
        ...
