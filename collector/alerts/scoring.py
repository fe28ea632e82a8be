"""The score of a finding and its parts, and the confidence in it.

    score = sum of weight * part, the weights summing to 100

    size        how far it stands beyond its level, against its own history
    agreement   the share of independent inputs that say the same
    quality     the grade of the chains behind it
    liquidity   how well it can be traded
    event       how near the event that matters to it is

The score says how much there is to see, the confidence how sure the data make it: that falls with the grade, with thin
history and with estimated dates, and enters no score.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from collector.detectors.base import ConfigError, Evidence
from collector.detectors.levels import check_number

GRADE_QUALITY = {"A": 1.0, "B": 0.7, "C": 0.3}
GRADE_CONFIDENCE = {"A": 1.0, "B": 0.85, "C": 0.65}
# What is left of confidence without any history, and with an estimated date.
WITHOUT_HISTORY = 0.7
ESTIMATED = 0.8
# Calendar days from which on an event is far.
EVENT_FAR = 10.0


@dataclass(frozen=True, slots=True)
class Weights:
    """Points that each part brings at most; they sum to 100.

    Without size and agreement there is nothing to see, however good the data: what is left has 20 points together.
    """

    size: float = 60.0
    agreement: float = 20.0
    quality: float = 8.0
    liquidity: float = 7.0
    event: float = 5.0

    def __post_init__(self) -> None:
        """Refuse weights that don't sum to 100, naming them."""
        for name, value in asdict(self).items():
            check_number(name, value, 0.0, 100.0)
        total = sum(asdict(self).values())
        if abs(total - 100.0) > 1e-9:
            raise ConfigError(f"{', '.join(asdict(self))}: they sum to {total:g}; make it 100")


WEIGHTS = Weights()


def score(evidence: Evidence, weights: Weights = WEIGHTS) -> tuple[float, dict[str, float]]:
    """Return the score (0-100, one decimal) and its parts, which sum to it.

    Raises:
        ValueError: a part is outside 0-1.
    """
    shares = {
        "size": evidence.size,
        "agreement": evidence.agreement,
        "quality": GRADE_QUALITY.get(evidence.grade, 0.0),
        "liquidity": evidence.liquidity,
        "event": 0.0 if evidence.event_days is None else max(1.0 - evidence.event_days / EVENT_FAR, 0.0),
    }
    for name, share in shares.items():
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name} {share!r} is outside 0-1")
    parts = {name: round(getattr(weights, name) * share, 1) for name, share in shares.items()}
    return round(sum(parts.values()), 1), parts


def confidence(evidence: Evidence) -> float:
    """Return 0-1 from the grade, the length of the history and whether its dates are confirmed.

    Raises:
        ValueError: the history's share is outside 0-1.
    """
    if not 0.0 <= evidence.history <= 1.0:
        raise ValueError(f"history {evidence.history!r} is outside 0-1")
    known = WITHOUT_HISTORY + (1.0 - WITHOUT_HISTORY) * evidence.history
    return GRADE_CONFIDENCE.get(evidence.grade, 0.0) * known * (ESTIMATED if evidence.dates_estimated else 1.0)
