"""A ticker's figures that stand on volatility: three expirations worked by hand, and the reason of every null."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from collector.analytics.exposure import Exposure
from collector.analytics.skew import DeltaVolatilities
from collector.analytics.term_structure import term_structure
from collector.analytics.volatility_features import ChainPoint, ChainsView, volatility_features
from exports.documents import FEATURE_FIELDS
from exports.reasons import FIELD_REASONS

NAN = float("nan")
YEAR = 365.0
EXPOSED = Exposure(gamma=5e6, vanna=2e5, charm=-3e4, call_wall=110.0, put_wall=90.0, flip=97.5)
MATURITIES = ("iv_7d", "iv_14d", "iv_30d", "iv_60d", "iv_90d", "iv_180d")
ON_EXPOSURE = ("gamma_exposure", "gamma_flip", "call_wall", "put_wall", "vanna_exposure", "charm_exposure")


def by_delta(middle: float, put: float, call: float, put_10: float = NAN, call_10: float = NAN) -> DeltaVolatilities:
    return DeltaVolatilities(middle, put, call, put_10, call_10)


def point(days: float, atm_iv: float | None, **more: Any) -> ChainPoint:
    whole: dict[str, Any] = {
        "expiration": date.fromordinal(date(2026, 3, 24).toordinal() + round(days)),
        "root": "ZZTA",
        "tenor": days / YEAR,
        "grade": "A",
        "atm_iv": atm_iv,
        "by_delta": None,
        "straddle": None,
        "max_pain": None,
        "relative_spread": None,
        "spread_in_volatility": None,
    }
    return ChainPoint(**(whole | more))


NEAR = point(20, 0.20, by_delta=by_delta(0.21, 0.25, 0.18, 0.30), relative_spread=0.02, spread_in_volatility=0.004)
MIDDLE = point(60, 0.30, by_delta=by_delta(0.31, 0.35, 0.28, 0.40), grade="B", straddle=9.0, relative_spread=0.06)
FAR = point(120, 0.25, grade="D", max_pain=105.0, relative_spread=0.03, spread_in_volatility=0.008)


def view(*points: ChainPoint, **more: Any) -> ChainsView:
    sigma = np.array([NAN if one.atm_iv is None else one.atm_iv for one in points])
    whole: dict[str, Any] = {
        "points": points,
        "term": term_structure(np.array([one.tenor for one in points]), sigma),
        "spot": 100.0,
        "exposure": EXPOSED,
        "exposed": len(points),
        "release": None,
    }
    return ChainsView(**(whole | more))


def values(seen: ChainsView, cone: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {name: value for name, (value, _) in volatility_features(seen, cone).items()}


def reasons(seen: ChainsView) -> dict[str, str | None]:
    return {name: reason for name, (value, reason) in volatility_features(seen, None).items() if value is None}


def at(days: float, first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return a volatility at a maturity: variance times days is linear between two (days, volatility)."""
    (near, low), (far, high) = first, second
    variance = low * low * near + (days - near) / (far - near) * (high * high * far - low * low * near)
    return math.sqrt(variance / days)


# Variance times days: 0.8, 5.4, 7.5. At 30 days 0.8 + 4.6 / 4 = 1.95, at 90 days 5.4 + 2.1 / 2 = 6.45.
IV_30, IV_90 = math.sqrt(1.95 / 30), math.sqrt(6.45 / 90)


def test_constant_maturities_lie_between_the_expirations_and_nowhere_else() -> None:
    found = values(view(NEAR, MIDDLE, FAR))
    assert [found[name] for name in MATURITIES] == [
        None,
        None,
        pytest.approx(IV_30),
        pytest.approx(0.30),
        pytest.approx(IV_90),
        None,
    ]
    assert found["term_slope"] == pytest.approx(IV_90 - IV_30)
    told = reasons(view(NEAR, MIDDLE, FAR))
    assert {told[name] for name in ("iv_7d", "iv_14d", "iv_180d")} == {"extrapolation"}
    assert found["expected_move_30d"] == pytest.approx(100 * IV_30 * math.sqrt(30 / YEAR))


def test_figures_by_delta_are_brought_to_thirty_days_and_the_worse_grade_around_counts() -> None:
    found = values(view(NEAR, MIDDLE, FAR))
    middle, put, call = (at(30, (20, low), (60, high)) for low, high in ((0.21, 0.31), (0.25, 0.35), (0.18, 0.28)))
    assert found["skew_25d"] == pytest.approx((put - call) / middle)
    assert found["risk_reversal_25d"] == pytest.approx(call - put)
    assert found["butterfly_25d"] == pytest.approx((put + call) / 2 - IV_30)
    assert found["iv_grade"] == "B"
    # No 10-delta call was surrounded: of the three figures of that wing none stands.
    told = reasons(view(NEAR, MIDDLE, FAR))
    assert {told[name] for name in ("skew_10d", "risk_reversal_10d", "butterfly_10d")} == {"extrapolation"}


def test_an_expiration_at_thirty_days_stands_alone() -> None:
    exact = point(30, 0.22, grade="C", by_delta=by_delta(0.22, 0.26, 0.20))
    found = values(view(NEAR, exact, FAR))
    assert (found["iv_grade"], found["iv_30d"]) == ("C", pytest.approx(0.22))
    assert found["skew_25d"] == pytest.approx(0.06 / 0.22)


def test_the_term_structure_tells_the_variance_between_its_points() -> None:
    found = values(view(NEAR, MIDDLE, FAR))["term_structure"]
    assert [(one["days"], one["atm_iv"], one["used"]) for one in found] == [
        (pytest.approx(20), 0.20, True),
        (pytest.approx(60), 0.30, True),
        (pytest.approx(120), 0.25, True),
    ]
    # 0.8 / 20, 4.6 / 40, 2.1 / 60 of variance a day.
    assert [one["forward_volatility"] for one in found] == [
        pytest.approx(0.2),
        pytest.approx(math.sqrt(4.6 / 40)),
        pytest.approx(math.sqrt(2.1 / 60)),
    ]


def test_an_expiration_that_contradicts_the_others_is_shown_and_not_used() -> None:
    high = point(25, 0.90)
    found = values(view(NEAR, high, MIDDLE, FAR))
    assert [(one["used"], one["forward_volatility"] is None) for one in found["term_structure"]] == [
        (True, False),
        (False, True),
        (True, False),
        (True, False),
    ]
    assert found["iv_30d"] == pytest.approx(IV_30)


def test_straddle_and_max_pain_are_those_of_the_nearest_expiration_that_has_one() -> None:
    found = values(view(NEAR, MIDDLE, FAR))
    assert (found["expected_move_straddle"], found["expected_move_expiration"]) == (9.0, MIDDLE.expiration)
    assert (found["max_pain"], found["max_pain_expiration"]) == (105.0, FAR.expiration)


def test_spreads_are_the_medians_of_the_expirations_that_have_one() -> None:
    found = values(view(NEAR, MIDDLE, FAR))
    assert (found["median_relative_spread"], found["spread_in_volatility"]) == (0.03, pytest.approx(0.006))


def test_a_release_takes_the_variance_beyond_that_of_ordinary_days() -> None:
    # An ordinary day between 60 and 120 days has 2.1 / 60 = 0.035 of variance times days; 20 to 60 holds 4.6, of which
    # 40 ordinary days are 1.4: 3.2 a year's days are left for the release at 40 days.
    found = values(view(NEAR, MIDDLE, FAR, release=40 / YEAR))
    assert found["implied_earnings_move"] == pytest.approx(math.sqrt(3.2 / YEAR))
    assert found["implied_earnings_expiration"] == MIDDLE.expiration
    late = reasons(view(NEAR, MIDDLE, FAR, release=100 / YEAR))
    assert late["implied_earnings_move"] == "no_expiration_after"
    assert reasons(view(NEAR, MIDDLE, FAR))["implied_earnings_move"] == "no_event"


def test_exposures_pass_and_say_what_lacks() -> None:
    whole = values(view(NEAR, MIDDLE))
    assert [whole[name] for name in ON_EXPOSURE] == [5e6, 97.5, 110.0, 90.0, 2e5, -3e4]
    assert whole["exposure_expirations_used"] == 2
    bare = reasons(view(NEAR, MIDDLE, exposure=replace(EXPOSED, flip=None, put_wall=None)))
    assert (bare["gamma_flip"], bare["put_wall"]) == ("no_crossing", "no_wall")
    none = reasons(view(NEAR, MIDDLE, exposure=None, exposed=0))
    assert {none[name] for name in ON_EXPOSURE} == {"open_interest_unknown"}


def test_without_a_spot_no_move_in_dollars() -> None:
    told = reasons(view(NEAR, MIDDLE, FAR, spot=None))
    assert told["expected_move_30d"] == "no_spot"
    # Where the volatility is what lacks, its own reason is told.
    assert reasons(view(NEAR))["expected_move_30d"] == "extrapolation"


def test_the_cone_stands_beside_the_implied_volatility_of_its_tenor() -> None:
    cone = [{"sessions": sessions, "median": 0.2} for sessions in (20, 60)]
    found = values(view(NEAR, MIDDLE, FAR), cone)["volatility_cone"]
    # 20 sessions are a month, 60 three: iv_30d and iv_90d.
    assert found == [
        {"sessions": 20, "median": 0.2, "implied": pytest.approx(IV_30)},
        {"sessions": 60, "median": 0.2, "implied": pytest.approx(IV_90)},
    ]


VIEWS = {
    "no chain": view(exposure=None, exposed=0),
    "one chain": view(NEAR),
    "no volatility": view(point(20, None), point(60, None), exposure=None),
    "one of two": view(NEAR, point(60, None)),
    "no spot": view(NEAR, MIDDLE, FAR, spot=None, exposure=None),
    "a release too late": view(NEAR, MIDDLE, FAR, release=1.0),
    "a release in calm days": view(point(20, 0.2), point(60, 0.2), point(120, 0.2), release=0.1),
}


@pytest.mark.parametrize("seen", VIEWS.values(), ids=VIEWS.keys())
def test_every_null_says_why_in_a_code_of_the_list(seen: ChainsView) -> None:
    found = volatility_features(seen, None)
    nulls = {name: reason for name, (value, reason) in found.items() if value is None}
    assert nulls
    assert set(nulls.values()) <= set(FIELD_REASONS)
    assert set(found) <= {field.name for field in FEATURE_FIELDS}
    assert not any(isinstance(value, float) and math.isnan(value) for value, _ in found.values())


def test_without_a_usable_chain_there_is_one_reason() -> None:
    told = volatility_features(view(exposure=None, exposed=0, spot=None), None)
    empty = {"term_structure", "volatility_cone", "exposure_expirations_used"}
    assert {reason for name, (_, reason) in told.items() if name not in empty} == {"no_usable_chain"}
    assert [told[name][0] for name in sorted(empty)] == [0, [], []]
