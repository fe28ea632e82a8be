"""Which scan's figures stand for a session: its close scan's, else its last good one's."""

from __future__ import annotations

# The last grade of chains that figures are computed from.
USABLE_GRADE = "D"
# What a session's figures may come from where no close scan brought usable ones.
GOOD_GRADE = "B"
# One bad day must not set a year's extreme: a session's implied volatilities count only where the chains around 30 days
# earned this grade.
VOLATILITY_GRADE = "B"


def daily_features(condition: str) -> str:
    """Return the query of one row a ticker and session: the features ``f`` that stand for it, of those that meet the
    condition.
    """
    return f"""
        SELECT f.*, s.kind = 'close' AS at_close
        FROM features f JOIN scans s USING (scan_id)
        WHERE (s.kind = 'close' OR f.grade <= '{GOOD_GRADE}') AND {condition}
        QUALIFY row_number() OVER (PARTITION BY f.ticker, f.market_date
            ORDER BY s.kind = 'close' AND f.grade <= '{USABLE_GRADE}' DESC, f.grade <= '{GOOD_GRADE}' DESC,
                f.as_of DESC, f.scan_id DESC) = 1
    """
