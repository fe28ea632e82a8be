"""The score of a finding, and the parts that it is the sum of.

    score = 70 * strength + 20 * confidence + 10 if it arms now

``strength`` is how far the finding stands beyond its levels (the detector says how), ``confidence`` how good the data
behind it is. A finding between its re-arm and its arm level keeps its alert without the last ten points.
"""

from __future__ import annotations

from collector.detectors.base import Finding

STRENGTH_POINTS = 70.0
CONFIDENCE_POINTS = 20.0
ARMED_POINTS = 10.0


def score(finding: Finding) -> tuple[float, dict[str, float]]:
    """Return the score (0-100, one decimal) and its parts, which sum to it.

    Raises:
        ValueError: strength or confidence is outside 0-1.
    """
    for name in ("strength", "confidence"):
        value = getattr(finding, name)
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{finding.detector}: {name} {value!r} is outside 0-1")
    parts = {
        "strength": round(STRENGTH_POINTS * finding.strength, 1),
        "confidence": round(CONFIDENCE_POINTS * finding.confidence, 1),
        "armed": ARMED_POINTS if finding.armed else 0.0,
    }
    return round(sum(parts.values()), 1), parts
