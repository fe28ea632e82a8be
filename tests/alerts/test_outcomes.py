"""What became of an alert, each claim worked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from collector.alerts.claims import outcome
from collector.alerts.outcomes import Case, Outcome, Release, Standing, chain_of, due_date
from collector.detectors.base import Claim
from collector.market.calendar import exchange_sessions

BEGAN, LATER = date(2026, 3, 24), date(2026, 3, 31)
CALL, CHAIN = "ZZTA260417C00100000", "2026-04-17:ZZTA"


def alert(**changes: Any) -> dict[str, Any]:
    """An alert on ZZTA itself, of a metric that stands above its level."""
    return {
        "subject": "",
        "direction": "bullish",
        "metrics": {},
        "trigger": {"metric": "put_call_volume_ratio", "value": 2.0, "threshold": 1.5, "comparison": ">="},
        **changes,
    }


def on_the_call(**changes: Any) -> dict[str, Any]:
    """An alert on the call at 100, which stood at 2.90 to 3.10."""
    metrics = {
        "contract_symbol": CALL,
        "option_type": "call",
        "strike": 100.0,
        "mid": 3.0,
        "relative_spread": 0.2 / 3.0,
        "settlement_time": "2026-04-17T20:00:00Z",
        "expiration": "2026-04-17",
        "root": "ZZTA",
    }
    return alert(subject=CALL, metrics={**metrics, **changes})


def told(
    claim: Claim | None,
    then: dict[str, Any] | None,
    now: dict[str, Any] | None,
    of: dict[str, Any] | None = None,
    **more: Any,
) -> Outcome:
    """Judge an alert by what figures were then and are five sessions later."""
    volatilities = more.pop("volatilities", ({}, {}))
    mids = more.pop("mids", {})
    case: dict[str, Any] = {"horizon": "5", "market_date": LATER, **more}
    return outcome(
        Case(
            alert=of or alert(),
            claim=claim,
            then=None if then is None else Standing(BEGAN, then, volatilities[0]),
            now=None if now is None else Standing(LATER, now, volatilities[1], mids),
            **case,
        )
    )


def iv(value: float | None, **more: Any) -> dict[str, Any]:
    return {"iv_30d": value, "iv_grade": "A", "spread_in_volatility": 0.01, **more}


@pytest.mark.parametrize(
    ("claim", "now", "hit", "net"),
    [
        # From 0.20 with a spread of 0.01: half of it, 0.005, is taken off.
        ("iv_rises", 0.25, True, 0.045),
        ("iv_rises", 0.19, False, -0.015),
        ("iv_falls", 0.17, True, 0.025),
        ("iv_falls", 0.20, False, -0.005),
        ("iv_stays", 0.219, True, None),
        ("iv_stays", 0.225, False, None),
    ],
)
def test_volatility_moves_net_of_half_the_spread(claim: Claim, now: float, hit: bool, net: float | None) -> None:
    found = told(claim, iv(0.20), iv(now))
    assert (found.metric, found.hit) == ("iv_30d", hit)
    assert found.change == pytest.approx(now - 0.20)
    assert found.net == (None if net is None else pytest.approx(net))
    assert found.reason == ("no_trade" if net is None else None)


def test_an_alert_on_a_chain_is_judged_by_its_own_volatility() -> None:
    of = alert(subject=CHAIN)
    found = told("iv_falls", iv(0.20), iv(0.20), of, volatilities=({CHAIN: 0.50}, {CHAIN: 0.40}))
    assert (found.metric, found.value_then, found.value_now, found.hit) == ("atm_iv", 0.50, 0.40, True)
    gone = told("iv_falls", iv(0.20), iv(0.20), of, volatilities=({CHAIN: 0.50}, {}))
    assert (gone.hit, gone.reason) == (None, "chain_not_scanned")


@pytest.mark.parametrize(
    ("then", "now", "reason"),
    [
        (iv(None), iv(0.2), "not_known_then"),
        (iv(0.2), iv(None), "not_known_now"),
        (iv(0.2), iv(0.3, iv_grade="C"), "low_grade"),
        (iv(0.2), None, "session_not_scanned"),
        (None, iv(0.2), "not_known_then"),
        (iv(0.2), iv(float("nan")), "not_known_now"),
    ],
)
def test_what_is_missing_is_null_with_its_reason(
    then: dict[str, Any] | None, now: dict[str, Any] | None, reason: str
) -> None:
    found = told("iv_rises", then, now)
    assert (found.change, found.hit, found.net, found.reason) == (None, None, None, reason)


def test_without_a_spread_there_is_a_hit_and_no_net() -> None:
    found = told("iv_rises", iv(0.2, spread_in_volatility=None), iv(0.3))
    assert (found.hit, found.net, found.reason) == (True, None, "spread_unknown")


def test_a_detector_that_is_gone_claims_nothing() -> None:
    assert told(None, iv(0.2), iv(0.3)).reason == "claim_unknown"


def test_the_spot_follows_a_call_and_its_contract_pays_half_the_spread() -> None:
    # 3.00 to 3.60 is a fifth; 0.10 of the 3.00, half of 2.90 to 3.10, is a thirtieth.
    found = told("spot_follows", {"price": 100.0}, {"price": 104.0}, on_the_call(), mids={CALL: 3.6})
    assert (found.metric, found.hit) == ("price", True)
    assert found.change == pytest.approx(0.04)
    assert found.net == pytest.approx(0.2 - 1 / 30)
    assert found.reason is None


def test_a_bearish_alert_wants_the_spot_down() -> None:
    found = told("spot_follows", {"price": 100.0}, {"price": 104.0}, alert(direction="bearish"))
    assert (found.hit, found.gain, found.favour) == (False, pytest.approx(-0.04), -1.0)
    assert (found.net, found.reason) == (None, "no_trade")


def test_a_neutral_alert_claims_no_direction() -> None:
    found = told("spot_follows", {"price": 100.0}, {"price": 104.0}, alert(direction="neutral"))
    assert (found.change, found.hit, found.reason) == (pytest.approx(0.04), None, "no_direction")


def test_a_split_is_undone_and_leaves_the_contract_without_a_price() -> None:
    # Ten for one: 100 then is 10 now.
    found = told("spot_follows", {"price": 100.0}, {"price": 10.5}, on_the_call(), split=10.0)
    assert (found.value_then, found.change) == (10.0, pytest.approx(0.05))
    assert (found.net, found.reason) == (None, "split_between")


@pytest.mark.parametrize(("spot", "net"), [(104.5, 0.5 - 1 / 30), (99.0, -1 - 1 / 30)])
def test_at_expiration_the_contract_is_worth_its_exercise(spot: float, net: float) -> None:
    found = told("spot_follows", {"price": 100.0}, {"price": spot}, on_the_call(), horizon="expiration")
    assert found.net == pytest.approx(net)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({}, "no_quote"), ({"settlement_time": "2026-03-27T20:00:00Z"}, "settled"), ({"mid": None}, "spread_unknown")],
)
def test_a_contract_without_a_price_has_no_net(changes: dict[str, Any], reason: str) -> None:
    found = told("spot_follows", {"price": 100.0}, {"price": 101.0}, on_the_call(**changes))
    assert (found.hit, found.net, found.reason) == (True, None, reason)


def test_a_release_moves_less_than_was_implied() -> None:
    # ln(103 / 100) = 0.029559; a straddle prices sqrt(2 / pi) = 0.797885 of the deviation 0.05, less 1 %.
    then = {"implied_earnings_move": 0.05, "median_relative_spread": 0.02}
    release = Release(date(2026, 3, 27), 100.0, 103.0)
    found = told("move_within_implied", then, {}, release=release)
    assert (found.metric, found.value_then, found.hit) == ("implied_earnings_move", 0.05, True)
    assert found.value_now == pytest.approx(0.029559, abs=1e-6)
    assert found.net == pytest.approx(0.05 * 0.797885 * 0.99 - 0.029559, abs=1e-6)
    # ln(0.94) = -0.061875.
    wide = told("move_within_implied", then, {}, release=Release(date(2026, 3, 27), 100.0, 94.0))
    assert (wide.hit, wide.gain) == (False, pytest.approx(0.05 - 0.061875, abs=1e-6))


def test_before_the_release_there_is_nothing_to_judge() -> None:
    then = {"implied_earnings_move": 0.05, "median_relative_spread": 0.02}
    found = told("move_within_implied", then, {}, release=Release(date(2026, 4, 2), None, None))
    assert (found.hit, found.reason) == (None, "event_ahead")


def test_without_a_release_the_implied_move_is_that_of_the_days_between() -> None:
    # 0.365 * sqrt(7 / 365) = 0.050547; ln(104 / 100) = 0.039221.
    found = told("move_within_implied", {"iv_30d": 0.365, "price": 100.0}, {"price": 104.0})
    assert (found.metric, found.hit, found.reason) == ("implied_move", True, "spread_unknown")
    assert found.value_then == pytest.approx(0.050547, abs=1e-6)
    assert found.value_now == pytest.approx(0.039221, abs=1e-6)


@pytest.mark.parametrize(
    ("comparison", "then", "now", "hit"),
    [(">=", 2.0, 1.2, True), (">=", 2.0, 2.3, False), ("<=", 0.4, 0.6, True), ("<=", 0.4, 0.3, False)],
)
def test_a_metric_reverts_where_it_moves_back_to_its_level(comparison: str, then: float, now: float, hit: bool) -> None:
    name = "put_call_volume_ratio"
    of = alert(trigger={"metric": name, "value": then, "threshold": 1.0, "comparison": comparison})
    assert told("metric_reverts", {name: then}, {name: now}, of).hit is hit


@pytest.mark.parametrize(("away", "now", "hit"), [(0.06, 0.12, True), (0.06, 0.18, False), (-0.06, 0.18, True)])
def test_a_distance_reverts_towards_what_is_usual(away: float, now: float, hit: bool) -> None:
    """The skew stands at 0.15, 2.5 deviations from its mean: ``away`` says on which side."""
    of = alert(
        metrics={"skew_change": away},
        trigger={"metric": "skew_deviations", "value": 2.5, "threshold": 2.0, "comparison": ">="},
    )
    found = told("metric_reverts", {"skew_25d": 0.15}, {"skew_25d": now}, of)
    assert (found.metric, found.hit) == ("skew_25d", hit)


def test_a_kink_reverts_by_the_forward_volatility_up_to_its_expiration() -> None:
    def figures(volatility: float) -> dict[str, Any]:
        return {"term_structure": [{"expiration": "2026-04-17", "root": "ZZTA", "forward_volatility": volatility}]}

    trigger = {"metric": "forward_to_curve", "value": 1.4, "threshold": 1.25, "comparison": ">="}
    found = told("metric_reverts", figures(0.40), figures(0.33), alert(subject=CHAIN, trigger=trigger))
    assert (found.metric, found.value_then, found.value_now, found.hit) == ("forward_volatility", 0.40, 0.33, True)
    low = {"metric": "forward_to_curve", "value": 0.7, "threshold": 0.8, "comparison": "<="}
    assert told("metric_reverts", figures(0.20), figures(0.18), alert(subject=CHAIN, trigger=low)).hit is False


@pytest.mark.parametrize("claim", ["iv_falls", "metric_reverts"])
def test_in_its_last_session_a_chains_volatility_says_nothing(claim: Claim) -> None:
    trigger = {"metric": "atm_iv", "value": 0.5, "threshold": 0.4, "comparison": ">="}
    of = alert(subject="2026-03-31:ZZTA", trigger=trigger)
    volatilities = ({"2026-03-31:ZZTA": 0.5}, {"2026-03-31:ZZTA": 0.1})
    found = told(claim, iv(0.2), iv(0.2), of, volatilities=volatilities, horizon="expiration")
    assert (found.metric, found.hit, found.reason) == ("atm_iv", None, "settled")


def test_a_metric_that_no_session_keeps_is_not_judged() -> None:
    of = alert(trigger={"metric": "deviations", "value": 2.5, "threshold": 2.0, "comparison": ">="})
    assert told("metric_reverts", {"iv_30d": 0.2}, {"iv_30d": 0.3}, of).reason == "metric_not_kept"


def test_realised_volatility_rises() -> None:
    name = "realised_volatility_20d"
    found = told("realised_rises", {name: 0.20}, {name: 0.26})
    assert (found.hit, found.change, found.reason) == (True, pytest.approx(0.06), "no_trade")


@pytest.mark.parametrize(
    ("horizon", "settles", "day"),
    [
        ("1", None, date(2026, 3, 31)),
        # Good Friday, 3 April, is no session.
        ("5", None, date(2026, 4, 7)),
        ("20", None, date(2026, 4, 28)),
        ("expiration", None, None),
        ("expiration", datetime(2026, 4, 17, 20, tzinfo=UTC), date(2026, 4, 17)),
        # At the open of 17 April: the session before had closed.
        ("expiration", datetime(2026, 4, 17, 13, 30, tzinfo=UTC), date(2026, 4, 16)),
    ],
)
def test_horizons_are_sessions_of_the_calendar(horizon: Any, settles: datetime | None, day: date | None) -> None:
    assert due_date(date(2026, 3, 30), horizon, settles, exchange_sessions()) == day


def test_beyond_the_calendar_nothing_is_due() -> None:
    assert due_date(date(2199, 1, 4), "1", None, exchange_sessions()) is None


@pytest.mark.parametrize(
    ("of", "chain"),
    [(alert(), None), (alert(subject=CHAIN), CHAIN), (on_the_call(), CHAIN), (alert(subject="X"), None)],
)
def test_the_chain_of_an_alert(of: dict[str, Any], chain: str | None) -> None:
    assert chain_of(of) == chain
