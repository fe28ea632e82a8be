"""Legs that trade together: which two contracts make which pattern, and what is chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from collector.detectors.legs import Legs, TradedTogether
from tests.detectors.views import Row, chain, view

FAR = date(2026, 4, 17)
CHAINS = [chain(), chain(expiration=FAR), chain("QLMTW")]
ONE = Row(volume=3_000.0)
# Five contracts of each chain and type that trade 100.
CROWD = [
    Row(strike=60.0 + i, option_type=kind, expiration=expiration, root=root)
    for i in range(5)
    for kind in ("call", "put")
    for expiration, root in ((ONE.expiration, "QLMT"), (FAR, "QLMT"), (ONE.expiration, "QLMTW"))
]


def legs(*others: Row, one: Row = ONE) -> Legs | None:
    return TradedTogether(view([one, *others, *CROWD], CHAINS), least=500, tolerance=0.03).of(0)


def test_another_strike_is_a_spread() -> None:
    other = replace(ONE, strike=105.0)
    assert legs(other) == Legs("spread", (ONE.symbol, other.symbol))


def test_another_expiration_is_a_roll() -> None:
    other = replace(ONE, expiration=FAR)
    assert legs(other) == Legs("roll", (ONE.symbol, other.symbol))
    weekly = replace(ONE, root="QLMTW")
    assert legs(weekly) == Legs("roll", (ONE.symbol, weekly.symbol))


def test_the_other_type_is_a_straddle() -> None:
    other = replace(ONE, option_type="put")
    assert legs(other) == Legs("straddle", (ONE.symbol, other.symbol))


def test_what_differs_twice_is_no_pattern() -> None:
    for other in (
        replace(ONE, strike=105.0, expiration=FAR),
        replace(ONE, option_type="put", strike=105.0),
        replace(ONE, option_type="put", expiration=FAR),
    ):
        assert legs(other) is None
    assert legs() is None


def test_three_per_cent_of_the_larger_volume_are_the_same() -> None:
    for volume, same in ((2_911.0, True), (2_909.0, False), (3_092.0, True), (3_093.0, False)):
        assert (legs(replace(ONE, strike=105.0, volume=volume)) is not None) == same, volume


def test_the_rarest_pattern_then_the_nearest_volume_and_strike_are_told() -> None:
    spread, roll = replace(ONE, strike=105.0), replace(ONE, expiration=FAR, volume=2_950.0)
    straddle = replace(ONE, option_type="put", volume=2_920.0)
    assert legs(spread, roll, straddle) == Legs("straddle", (ONE.symbol, straddle.symbol))
    assert legs(spread, roll) == Legs("roll", (ONE.symbol, roll.symbol))
    far, near = replace(ONE, strike=120.0), replace(ONE, strike=110.0)
    assert legs(far, near) == legs(near, far) == Legs("spread", (ONE.symbol, near.symbol))
    assert legs(near, replace(far, volume=3_001.0), one=replace(ONE, volume=3_001.0)) == Legs(
        "spread", (ONE.symbol, far.symbol)
    )


def test_equal_volumes_in_a_chain_that_all_trades_so_are_chance() -> None:
    crowd = [replace(ONE, strike=100.0 + i, volume=2_000.0 + 50 * i) for i in range(1, 40)]
    assert legs(*crowd) is None


def test_both_legs_stand_out_among_their_four_nearest_strikes() -> None:
    other = replace(ONE, strike=150.0)
    for beside, at in ((ONE, 98.0), (other, 148.0)):
        for volume, found in ((1_500.0, True), (1_501.0, False)):
            # Three of the four nearest: the median of all four is that of their middle two.
            crowd = [replace(beside, strike=at + i, volume=volume) for i in (0, 1, 3)]
            assert (legs(other, *crowd) is not None) == found, (at, volume)


def test_volume_that_is_small_unknown_or_adjusted_is_no_leg() -> None:
    other = replace(ONE, strike=105.0)
    assert legs(replace(other, volume_known=False)) is None
    assert legs(replace(other, adjusted=True)) is None
    assert legs(replace(other, volume=480.0), one=replace(ONE, volume=480.0)) is None
    assert legs(replace(other, volume=490.0), one=replace(ONE, volume=500.0)) is not None
