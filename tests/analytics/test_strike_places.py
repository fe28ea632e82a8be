"""Rows by strike, and the median, against numpy's own."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from collector.analytics.median import median
from collector.analytics.strike_places import strike_places

numbers = st.floats(-1e6, 1e6)


@given(st.lists(st.one_of(numbers, st.sampled_from([90.0, 95.0, 100.0]))))
def test_strikes_and_places_are_those_of_unique(listed: list[float]) -> None:
    strike = np.array(listed, dtype=np.float64)
    strikes, place = strike_places(strike)
    expected, expected_place = np.unique(strike, return_inverse=True)
    assert strikes.tolist() == expected.tolist()
    assert place.tolist() == expected_place.tolist()


@given(st.lists(numbers, min_size=1))
def test_the_median_is_numpys(listed: list[float]) -> None:
    assert median(np.array(listed)) == np.median(np.array(listed))
