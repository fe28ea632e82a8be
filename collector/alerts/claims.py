"""What became of an alert by its own hypothesis: its claim, held against the figures of a later session.

    iv_rises, iv_falls    volatility now against then; net of half the spread in volatility
    iv_stays              |change of volatility| within a tenth of what it was
    move_within_implied   the release's move (else the move since) against the implied one; net: a straddle sold at its
                          bid, as a share of the spot
    metric_reverts        the figure that armed it moved back: down from above its level, up from below; of a kink the
                          forward volatility up to its expiration
    spot_follows          the spot moved in the alert's direction; net: the contract bought at its ask, sold at the mid
    realised_rises        20-day realised volatility now against then

"Volatility" is the ticker's iv_30d, or the at-the-money volatility of the chain that the alert is about. Half of
ask - bid at the alert is taken off a trade, once: it is entered across the spread and valued at the mid. Figures of a
session are those of the scan that stands for it (store/daily_features.py). Nothing here enters a score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from collector.alerts.outcomes import Case, Outcome, Standing, chain_of, number
from collector.detectors.base import Claim

# Volatility has stayed where it moved by no more than this share of what it was.
STAYS = 0.1
# The mean absolute value of a normal variable of deviation 1: a straddle's price over the implied deviation.
MEAN_ABSOLUTE = math.sqrt(2.0 / math.pi)
DAYS_A_YEAR = 365.0
# Worst grade of the chains around 30 days whose volatility counts as a session's.
VOLATILITY_GRADE = "B"

# Triggers that measure a distance from what is usual: of which figure, and the metric whose sign says on which side.
DISTANCES: dict[str, tuple[str, str | None]] = {
    "skew_deviations": ("skew_25d", "skew_change"),
    "skew_change": ("skew_25d", "skew_change"),
    "forward_to_curve": ("forward_volatility", None),
}
OF_CHAIN = frozenset({"atm_iv", "forward_volatility"})

Judge = Callable[[Case, Standing, Standing], Outcome]


def outcome(case: Case) -> Outcome:
    """Return what became of an alert; what can't be told is None with the reason."""
    if case.claim is None:
        return Outcome(case.horizon, case.market_date, reason="claim_unknown")
    if case.now is None:
        return Outcome(case.horizon, case.market_date, reason="session_not_scanned")
    if case.then is None:
        return Outcome(case.horizon, case.market_date, reason="not_known_then")
    return _JUDGES[case.claim](case, case.then, case.now)


def _judged(
    case: Case, metric: str, then: float | None, now: float | None, favour: float, missing: str = "not_known_now"
) -> Outcome:
    """Return the outcome of a figure that has to move by ``favour`` (1 up, -1 down), without net."""
    if then is None or now is None:
        reason = "not_known_then" if then is None else missing
        return Outcome(case.horizon, case.market_date, metric, then, now, reason=reason)
    return _moved(case, metric, then, now, now - then, favour)


def _moved(case: Case, metric: str, then: float, now: float, change: float, favour: float) -> Outcome:
    gain = favour * change
    return Outcome(case.horizon, case.market_date, metric, then, now, change, gain, gain > 0, favour=favour)


def _with_net(found: Outcome, net: float | None, reason: str) -> Outcome:
    """Return the outcome with what the trade brought, or why that is not known."""
    if found.hit is None:
        return found
    return replace(found, net=net, reason=reason if net is None else None)


def _volatility(case: Case, then: Standing, now: Standing, favour: float) -> Outcome:
    chain = chain_of(case.alert)
    if chain is not None and _settled(chain, case):
        return Outcome(case.horizon, case.market_date, "atm_iv", reason="settled")
    if chain is not None:
        dead = chain not in now.volatilities
        return _judged(
            case,
            "atm_iv",
            number(then.volatilities.get(chain)),
            number(now.volatilities.get(chain)),
            favour,
            "chain_not_scanned" if dead else "not_known_now",
        )
    grade = now.figures.get("iv_grade")
    counts = grade is not None and grade <= VOLATILITY_GRADE
    value = number(now.figures.get("iv_30d")) if counts else None
    missing = "not_known_now" if counts or grade is None else "low_grade"
    return _judged(case, "iv_30d", number(then.figures.get("iv_30d")), value, favour, missing)


def _iv_moves(favour: float) -> Judge:
    def judge(case: Case, then: Standing, now: Standing) -> Outcome:
        found = _volatility(case, then, now, favour)
        spread = number(then.figures.get("spread_in_volatility"))
        net = None if spread is None or found.gain is None else found.gain - spread / 2
        return _with_net(found, net, "spread_unknown")

    return judge


def _iv_stays(case: Case, then: Standing, now: Standing) -> Outcome:
    moved = _volatility(case, then, now, 1.0)
    if moved.change is None or moved.value_then is None:
        return moved
    room = STAYS * moved.value_then - abs(moved.change)
    return _with_net(replace(moved, gain=room, hit=room >= 0), None, "no_trade")


def _realised_rises(case: Case, then: Standing, now: Standing) -> Outcome:
    name = "realised_volatility_20d"
    found = _judged(case, name, number(then.figures.get(name)), number(now.figures.get(name)), 1.0)
    return _with_net(found, None, "no_trade")


def _metric_reverts(case: Case, then: Standing, now: Standing) -> Outcome:
    trigger, metrics = case.alert["trigger"], case.alert["metrics"]
    name, distance = DISTANCES.get(str(trigger["metric"]), (str(trigger["metric"]), None))
    if name not in then.figures and name not in OF_CHAIN:
        return Outcome(case.horizon, case.market_date, name, reason="metric_not_kept")
    # What stands above its level, or above what is usual, comes back down.
    above = trigger["comparison"] in (">=", ">")
    if distance is not None:
        away = number(metrics.get(distance))
        above = above if away is None else away > 0
    chain = chain_of(case.alert)
    if name in OF_CHAIN and chain is not None and _settled(chain, case):
        return Outcome(case.horizon, case.market_date, name, reason="settled")
    before, after = (_figure(name, chain, standing) for standing in (then, now))
    return _with_net(_judged(case, name, before, after, -1.0 if above else 1.0), None, "no_trade")


def _settled(chain: str, case: Case) -> bool:
    """Return whether a chain's last session has come: there its volatility says nothing any more."""
    return date.fromisoformat(chain.split(":")[0]) <= case.market_date


def _figure(name: str, chain: str | None, standing: Standing) -> float | None:
    """Return a figure of the ticker, or of the chain where it is one of chains."""
    if name == "atm_iv":
        return number(standing.volatilities.get(chain or ""))
    if name == "forward_volatility":
        points = standing.figures.get("term_structure") or ()
        found = (point[name] for point in points if f"{point['expiration']}:{point['root']}" == chain)
        return number(next(found, None))
    return number(standing.figures.get(name))


def _spot_follows(case: Case, then: Standing, now: Standing) -> Outcome:
    before, after = number(then.figures.get("price")), number(now.figures.get("price"))
    before = None if before is None else before / case.split
    favour = {"bullish": 1.0, "bearish": -1.0}.get(str(case.alert["direction"]))
    if before is None or after is None:
        return _judged(case, "price", before, after, 1.0)
    change = after / before - 1.0
    if favour is None:
        return Outcome(case.horizon, case.market_date, "price", before, after, change, reason="no_direction")
    found = _moved(case, "price", before, after, change, favour)
    return _with_net(found, *_contract_net(case, now, after))


def _contract_net(case: Case, now: Standing, spot: float) -> tuple[float | None, str]:
    """Return what the alert's contract brought on its mid then, half its spread then taken off; or why not known."""
    metrics = case.alert["metrics"]
    symbol, mid, spread = metrics.get("contract_symbol"), number(metrics.get("mid")), metrics.get("relative_spread")
    if symbol is None or symbol != case.alert["subject"]:
        return None, "no_trade"
    width = number(spread)
    if mid is None or width is None or not mid > 0:
        return None, "spread_unknown"
    if case.split != 1.0:
        return None, "split_between"
    if case.horizon == "expiration":
        worth: float | None = _payoff(metrics, spot)
    elif datetime.fromisoformat(metrics["settlement_time"]).date() < case.market_date:
        return None, "settled"
    else:
        worth = number(now.mids.get(symbol))
    return (None, "no_quote") if worth is None else ((worth - mid) / mid - width / 2, "")


def _payoff(metrics: Mapping[str, Any], spot: float) -> float:
    """Return what a contract is worth at its settlement."""
    favour = 1.0 if metrics["option_type"] == "call" else -1.0
    return max(favour * (spot - float(metrics["strike"])), 0.0)


def _move_within_implied(case: Case, then: Standing, now: Standing) -> Outcome:
    name = "implied_earnings_move" if case.release is not None else "implied_move"
    implied, move, missing = _implied(case, then), _move(case, then, now), "not_known_now"
    if case.release is not None and case.release.first_session > case.market_date:
        move, missing = None, "event_ahead"
    if implied is None or move is None:
        return _judged(case, name, implied, move, -1.0, missing)
    gain = implied - move
    found = replace(_moved(case, name, implied, move, -gain, -1.0), hit=gain >= 0)
    spread = number(then.figures.get("median_relative_spread"))
    net = None if spread is None else implied * MEAN_ABSOLUTE * (1.0 - spread / 2) - move
    return _with_net(found, net, "spread_unknown")


def _implied(case: Case, then: Standing) -> float | None:
    """Return the deviation of the move that was implied: of the release, else of the time until the horizon."""
    if case.release is not None:
        return number(then.figures.get("implied_earnings_move"))
    sigma = number(then.figures.get("iv_30d"))
    return None if sigma is None else implied_move(sigma, then.market_date, case.market_date)


def implied_move(sigma: float, start: date, end: date) -> float:
    """Return the deviation of ln(price) between two dates at a volatility: sigma * sqrt(days / 365)."""
    return sigma * math.sqrt((end - start).days / DAYS_A_YEAR)


def _move(case: Case, then: Standing, now: Standing) -> float | None:
    """Return |ln| of the move over the release, else since the alert."""
    if case.release is not None:
        before, after = case.release.before, case.release.after
    else:
        before, after = number(then.figures.get("price")), number(now.figures.get("price"))
        before = None if before is None else before / case.split
    if before is None or after is None or not before > 0 or not after > 0:
        return None
    return abs(math.log(after / before))


_JUDGES: dict[Claim, Judge] = {
    "iv_rises": _iv_moves(1.0),
    "iv_falls": _iv_moves(-1.0),
    "iv_stays": _iv_stays,
    "move_within_implied": _move_within_implied,
    "metric_reverts": _metric_reverts,
    "spot_follows": _spot_follows,
    "realised_rises": _realised_rises,
}
