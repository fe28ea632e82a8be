"""What the levels of unusual activity make of each contract's ratios."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from collector.detectors.base import Comparison, ConfigError
from collector.detectors.contract_activity import ContractActivity
from collector.detectors.levels import check_number, check_rearm, check_whole

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.intp]

# Strength is full where a ratio stands at 16 times its level, and a premium at 100 times its own.
FULL_EXCESS = 16.0
FULL_PREMIUM = 100.0
EXCESS_WEIGHT = 0.6

ARMING = (
    "min_volume_to_open_interest",
    "min_volume_to_usual",
    "min_volume_to_ticker",
    "day_one_volume_to_open_interest",
)
# The ratios, in the order of Judgement.ratios.
METRICS = ("volume_to_open_interest", "volume_to_usual", "volume_to_ticker")


@dataclass(frozen=True, slots=True)
class Config:
    """Levels of the detector.

    Attributes:
        min_volume_to_open_interest: volume over open interest that arms, with history.
        min_volume_to_usual: volume over the contract's own mean volume that arms, with history.
        day_one_volume_to_open_interest: what volume over open interest has to exceed without history.
        min_volume_to_ticker: volume over usual volume, over that of the rest of the ticker where this trades more than
            usual, that arms, with history of both: on a busy day every contract is busy.
        usual_sessions: sessions of the contract's own volume that count as history.
        min_volume: contracts traded, below which ratios say nothing.
        min_premium: dollars traded at the mid, multiplier included.
        max_relative_spread: (ask - bid) / mid, above which the mid says nothing and the contract is not judged.
        min_dte: calendar days to expiration; what dies today has no open interest tomorrow to confirm it.
        leg_tolerance: ratio by which the volumes of two contracts may differ to be taken for two legs.
        max_armed: contracts of one ticker that one scan may arm, the strongest first; the others only keep an alert.
        rearm_volume_to_open_interest: level below which an alert ends.
        rearm_volume_to_usual: level below which an alert ends, with history.
        rearm_volume_to_ticker: level below which an alert ends, with history of both.
        rearm_premium: dollars below which an alert ends.
    """

    min_volume_to_open_interest: float = 1.0
    min_volume_to_usual: float = 3.0
    min_volume_to_ticker: float = 2.0
    day_one_volume_to_open_interest: float = 1.0
    usual_sessions: int = 5
    min_volume: int = 500
    min_premium: float = 100_000.0
    max_relative_spread: float = 0.3
    min_dte: int = 1
    leg_tolerance: float = 0.03
    max_armed: int = 10
    rearm_volume_to_open_interest: float = 0.7
    rearm_volume_to_usual: float = 2.0
    rearm_volume_to_ticker: float = 1.5
    rearm_premium: float = 50_000.0

    def __post_init__(self) -> None:
        """Refuse levels that can't work, naming the field."""
        for name, value in asdict(self).items():
            check_number(name, value, 0.0)
        for name in ("usual_sessions", "min_volume", "min_dte"):
            check_whole(name, getattr(self, name), 0)
        check_whole("max_armed", self.max_armed, 1)
        check_number("leg_tolerance", self.leg_tolerance, 0.0, 0.2)
        for name in ARMING:
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}: a level that arms has to be above 0")
        ratio = min(self.min_volume_to_open_interest, self.day_one_volume_to_open_interest)
        check_rearm("rearm_volume_to_open_interest", self.rearm_volume_to_open_interest, ratio)
        check_rearm("rearm_volume_to_usual", self.rearm_volume_to_usual, self.min_volume_to_usual)
        check_rearm("rearm_volume_to_ticker", self.rearm_volume_to_ticker, self.min_volume_to_ticker)
        check_rearm("rearm_premium", self.rearm_premium, self.min_premium)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the levels make of each judged contract: arrays of the activity's length.

    ``ratios`` has a row for each of METRICS, NaN where it is not known, ``levels`` the level of each that arms.
    ``excess`` is how many times its level the binding ratio stands at, ``binds`` which of METRICS that is, ``over``
    whether all ratios arm; ``armed`` and ``kept`` count the gates and the re-arm levels too.
    """

    ratios: Floats
    levels: Floats
    day_one: Booleans
    excess: Floats
    binds: Integers
    over: Booleans
    armed: Booleans
    kept: Booleans
    strength: Floats


def judge(activity: ContractActivity, config: Config) -> Judgement:
    """Hold the activity against the levels."""
    day_one = activity.sessions < config.usual_sessions
    to_open_interest = activity.volume / np.maximum(activity.open_interest, 1.0)
    to_usual = np.where(day_one, np.nan, activity.volume / np.maximum(activity.usual, 1.0))
    ratios = np.stack([to_open_interest, to_usual, to_usual / np.maximum(activity.rest, 1.0)])
    levels = np.empty_like(ratios)
    levels[0] = np.where(day_one, config.day_one_volume_to_open_interest, config.min_volume_to_open_interest)
    levels[1:] = np.array([[config.min_volume_to_usual], [config.min_volume_to_ticker]])
    known = np.isfinite(ratios)
    shares = np.where(known, ratios / levels, np.inf)
    excess = shares.min(axis=0)
    over = np.where(day_one, excess > 1.0, excess >= 1.0)
    tight = activity.spread <= config.max_relative_spread
    passed = over & tight & (activity.volume >= config.min_volume) & (activity.premium >= config.min_premium)
    strength = _strength(excess, activity.premium, config)
    rearm = np.array(
        [[config.rearm_volume_to_open_interest], [config.rearm_volume_to_usual], [config.rearm_volume_to_ticker]]
    )
    kept = tight & (~known | (ratios >= rearm)).all(axis=0) & (activity.premium >= config.rearm_premium)
    return Judgement(
        ratios=ratios,
        levels=levels,
        day_one=day_one,
        excess=excess,
        binds=shares.argmin(axis=0),
        over=over,
        armed=_strongest(passed, strength, activity.premium, config.max_armed),
        kept=kept,
        strength=strength,
    )


def _strength(excess: Floats, premium: Floats, config: Config) -> Floats:
    """Return 0-1: the binding ratio and the premium on logarithmic scales from their arm levels."""
    ratio = np.log(np.maximum(excess, 1.0)) / math.log(FULL_EXCESS)
    dollars = np.log(np.maximum(premium / max(config.min_premium, 1.0), 1.0)) / math.log(FULL_PREMIUM)
    strength: Floats = EXCESS_WEIGHT * np.minimum(ratio, 1.0) + (1 - EXCESS_WEIGHT) * np.minimum(dollars, 1.0)
    return strength


def _strongest(passed: Booleans, strength: Floats, premium: Floats, limit: int) -> Booleans:
    """Return ``passed`` with at most ``limit`` left, the strongest first, then those of the largest premium."""
    candidates = np.flatnonzero(passed)
    order = np.lexsort((candidates, -premium[candidates], -strength[candidates]))
    armed = np.zeros_like(passed)
    armed[candidates[order[:limit]]] = True
    return armed


def trigger(judgement: Judgement, i: int) -> tuple[str, float, float, Comparison]:
    """Return metric, value, arm level and comparison of the ratio that binds."""
    place = int(judgement.binds[i])
    comparison: Comparison = ">" if judgement.day_one[i] else ">="
    return METRICS[place], float(judgement.ratios[place, i]), float(judgement.levels[place, i]), comparison
