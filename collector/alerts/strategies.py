"""Defined-risk structures that fit a finding, of real contracts of the ticker's chains, by delta and expiration.

Profit, loss, break-evens and probability are those at the crossed price: bought at the ask, sold at the bid. One whose
crossed price leaves nothing worth the risk, or that can't lose (then a quote is wrong), is left out. The probability
is risk-neutral: what the options' prices say, no forecast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from collector.alerts import structure_builders as build
from collector.alerts.calendar_spread import MODEL as REVALUED
from collector.alerts.calendar_spread import Interval, calendar_payoff
from collector.alerts.quoted_chain import Band, QuotedChain, quoted_chain, usable_chains
from collector.alerts.structures import Contract, OptionType, Payoff, Structure, payoff_at_expiration
from collector.alerts.terminal_price import TerminalPrice
from collector.detectors.base import ChainView, Direction, Intention, TickerView

MOST = 3
# Days to expiration that structures are built for where no expiration is the subject, and the bounds of what will do.
DAYS, LEAST_DAYS, MOST_DAYS = (30, 45), 7, 120
# Expirations that are tried, the fittest first.
TRIED = 3
# The least profit for a dollar at risk, and the most that crossing the spreads may cost of the lesser of the two.
LEAST_REWARD, MOST_CROSSING = 0.05, 0.2
EXPIRED = "at_expiration"
# Where calendars out of the money are struck.
CALENDAR = Band(0.30, 0.20, 0.42)
GREEKS: tuple[Literal["delta", "gamma", "theta", "vega"], ...] = ("delta", "gamma", "theta", "vega")


@dataclass(frozen=True, slots=True)
class Strategy:
    """A structure with its figures, dollars a structure.

    Attributes:
        structure: its legs and prices.
        payoff: what it comes to at the crossed price.
        payoff_model: at_expiration, or the model that the far contract is revalued by.
        probability: that it ends with a profit, None with ``reason``.
        probability_model: see terminal_price.
        reason: why there is no probability.
    """

    structure: Structure
    payoff: Payoff
    payoff_model: str
    probability: float | None
    probability_model: str | None
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the record of exports/documents.py's STRATEGY_FIELDS."""
        reasons: dict[str, str] = {}
        if not isfinite(self.payoff.max_profit):
            reasons["max_profit"] = "unlimited"
        if self.reason is not None:
            reasons |= dict.fromkeys(("probability_of_profit", "probability_model"), self.reason)
        greeks: dict[str, float | None] = {name: _six(self.structure.greek(name)) for name in GREEKS}
        reasons |= {name: "no_implied_volatility" for name, value in greeks.items() if value is None}
        return {
            "name": self.structure.name,
            "legs": [
                {
                    "contract_symbol": leg.contract.symbol,
                    "side": "buy" if leg.quantity > 0 else "sell",
                    "quantity": abs(leg.quantity),
                    "bid": leg.contract.bid,
                    "ask": leg.contract.ask,
                    "mid": leg.contract.mid,
                }
                for leg in self.structure.legs
            ],
            "net_mid": self.structure.net_mid,
            "net_crossing": self.structure.net_crossing,
            "max_profit": None if "max_profit" in reasons else round(self.payoff.max_profit, 2),
            "max_loss": round(self.payoff.max_loss, 2),
            "break_evens": [round(price, 4) for price in self.payoff.break_evens],
            "payoff_model": self.payoff_model,
            **greeks,
            "probability_of_profit": _six(self.probability),
            "probability_model": self.probability_model,
            "reasons": reasons,
        }


def strategies(view: TickerView, intention: Intention, direction: Direction, subject: str) -> list[dict[str, Any]]:
    """Return at most three strategies for the alert of a finding, as JSON values; see found_strategies."""
    return [one.to_json() for one in found_strategies(view, intention, direction, subject)]


def found_strategies(
    view: TickerView, intention: Intention, direction: Direction, subject: str
) -> tuple[Strategy, ...]:
    """Return at most three strategies that fit a finding; () where the chains allow none.

    Args:
        view: the ticker; ``contracts`` with the columns of quoted_chain.NUMBERS and contract_symbol, root, expiration,
            option_type, adjusted.
        intention: long_volatility (volatility is cheap), short_volatility (it is rich), directional, calendar (sell an
            expiration that is rich against its neighbours, or buy one that is cheap) or skew (sell the puts' spread
            where bullish, the calls' where bearish).
        direction: of the finding.
        subject: of the finding: empty, an expiration with its root (``2026-01-16:SPXW``) or a contract symbol; the
            structures are of its expiration, else of the one nearest to 30 to 45 days that allows any.
    """
    usable = usable_chains(view)
    for chain in _chosen(view, usable, subject):
        quoted = quoted_chain(view, chain)
        if intention == "calendar":
            found = _calendars(view, usable, chain, quoted, direction)
        else:
            structures = _structures(quoted, intention, direction, quoted.by_symbol(subject))
            found = [_at_expiration(structure, quoted) for structure in structures]
        kept = tuple(one for one in found if one is not None and _worth_it(one))
        if kept:
            return kept[:MOST]
    return ()


def _chosen(view: TickerView, usable: Sequence[ChainView], subject: str) -> list[ChainView]:
    """Return the chains to build from, the fittest first: the subject's own, else those around 30 to 45 days."""
    if subject:
        key = _chain_of_contract(view, subject)
        return [one for one in usable if subject == f"{one.expiration}:{one.root}" or key == (one.root, one.expiration)]
    low, high = DAYS
    fitting = [one for one in usable if LEAST_DAYS <= one.dte <= MOST_DAYS]
    return sorted(fitting, key=lambda one: (max(low - one.dte, one.dte - high, 0), one.grade, one.dte, one.root))[
        :TRIED
    ]


def _chain_of_contract(view: TickerView, subject: str) -> tuple[Any, Any] | None:
    """Return root and expiration of a contract of the view, None where it is none."""
    frame = view.contracts
    rows = (frame["contract_symbol"] == subject).to_numpy().nonzero()[0]
    return (frame["root"].iloc[rows[0]], frame["expiration"].iloc[rows[0]]) if rows.size else None


def _structures(
    chain: QuotedChain, intention: Intention, direction: Direction, subject: Contract | None
) -> Iterator[Structure | None]:
    """Yield what an intention calls for, the plainest first."""
    towards: OptionType = "call" if direction == "bullish" else "put"
    away: OptionType = "put" if direction == "bullish" else "call"
    neutral = direction == "neutral"
    if intention == "long_volatility":
        yield build.long_straddle(chain)
        yield build.long_strangle(chain)
        yield build.reverse_iron_condor(chain) if neutral else build.debit_spread(chain, towards)
    elif intention == "short_volatility":
        yield build.iron_condor(chain)
        yield build.iron_butterfly(chain)
        yield build.butterfly_at_the_money(chain) if neutral else build.credit_spread(chain, away)
    elif intention == "directional" and not neutral:
        yield build.debit_spread(chain, towards, subject)
        yield build.credit_spread(chain, away)
        yield build.butterfly_out_of_the_money(chain, towards)
    elif intention == "skew" and not neutral:
        yield build.credit_spread(chain, away)
        yield build.spread_risk_reversal(chain, away)
        yield build.debit_spread(chain, towards)
    elif intention == "skew":
        yield build.butterfly_out_of_the_money(chain, "put")
        yield build.butterfly_out_of_the_money(chain, "call")


def _at_expiration(structure: Structure | None, chain: QuotedChain) -> Strategy | None:
    """Return a structure of one expiration with its figures."""
    if structure is None:
        return None
    payoff = payoff_at_expiration(structure, structure.net_crossing)
    return _strategy(structure, payoff, EXPIRED, chain)


def _strategy(structure: Structure, payoff: Payoff, payoff_model: str, chain: QuotedChain) -> Strategy:
    """Return a structure with the probability of its profit when ``chain`` settles."""
    distribution: TerminalPrice | None = chain.terminal_price()
    if distribution is None:
        reason = "no_implied_volatility" if chain.view.forward else "no_forward"
        return Strategy(structure, payoff, payoff_model, None, None, reason)
    probability = distribution.within(payoff.profitable)
    return Strategy(structure, payoff, payoff_model, probability, distribution.model, None)


def _worth_it(strategy: Strategy) -> bool:
    """Say whether a structure risks a defined amount above 0 for a profit that is worth it at the crossed price."""
    payoff = strategy.payoff
    if not isfinite(payoff.max_loss) or payoff.max_loss <= 0 or payoff.max_profit < LEAST_REWARD * payoff.max_loss:
        return False
    return strategy.structure.crossing_cost <= MOST_CROSSING * min(payoff.max_profit, payoff.max_loss)


def _calendars(
    view: TickerView, usable: Sequence[ChainView], chain: ChainView, quoted: QuotedChain, direction: Direction
) -> list[Strategy | None]:
    """Return calendar spreads between an expiration and the one beside it, of one root."""
    pair = _pair(view, usable, chain, quoted)
    if pair is None:
        return []
    near, far = pair
    body = near.at_the_money(build.AT_THE_MONEY)
    above, below = near.nearest("call", CALENDAR), near.nearest("put", CALENDAR)
    at_money = body[0] if body else None
    order = {"neutral": (at_money, above, below), "bullish": (above, at_money), "bearish": (below, at_money)}
    strikes = dict.fromkeys(one.strike for one in order[direction] if one is not None)
    return [_calendar(near, far, strike) for strike in strikes]


def _pair(
    view: TickerView, usable: Sequence[ChainView], chain: ChainView, quoted: QuotedChain
) -> tuple[QuotedChain, QuotedChain] | None:
    """Return the expiration to sell and the later one to buy, None without.

    An expiration that holds more variance than lies between its neighbours is sold against the later one, one that
    holds less is bought against the earlier one; where there are not both, or no volatilities, it is sold.
    """
    of_root = sorted((one for one in usable if one.root == chain.root), key=lambda one: one.expiration)
    place = of_root.index(chain)
    earlier = of_root[place - 1] if place else None
    later = of_root[place + 1] if place + 1 < len(of_root) else None
    if later is None:
        return None
    if earlier is not None and _is_cheap(earlier, chain, later):
        return quoted_chain(view, earlier), quoted
    return quoted, quoted_chain(view, later)


def _is_cheap(earlier: ChainView, chain: ChainView, later: ChainView) -> bool:
    """Say whether total variance at the money lies below the line between the neighbours'."""
    points = [(one.tenor, one.atm_iv**2 * one.tenor) for one in (earlier, chain, later) if one.tenor and one.atm_iv]
    if len(points) < 3:
        return False
    (start, low), (middle, own), (end, high) = points
    return own < low + (middle - start) / (end - start) * (high - low)


def _calendar(near: QuotedChain, far: QuotedChain, strike: float) -> Strategy | None:
    """Return the calendar spread of a strike, of the type cheaper to trade; European calls have no bound to loss."""
    types: tuple[OptionType, ...] = ("call", "put") if near.american else ("put",)
    structure = build.cheaper(*(build.calendar(near, far, option_type, strike) for option_type in types))
    interval = _interval(near, far)
    if structure is None or interval is None or structure.net_crossing <= 0:
        return None
    sold_leg, bought_leg = structure.legs
    payoff = calendar_payoff(sold_leg.contract, bought_leg.contract, structure.net_crossing, interval)
    return _strategy(structure, payoff, REVALUED, near)


def _interval(near: QuotedChain, far: QuotedChain) -> Interval | None:
    """Return what lies between two expirations, None where a chain's terms are not known."""
    first, second = near.view, far.view
    if not first.forward or not second.forward or not first.discount_factor or not second.discount_factor:
        return None
    if first.tenor is None or second.tenor is None:
        return None
    return Interval(
        near_tenor=first.tenor,
        far_tenor=second.tenor,
        growth=second.forward / first.forward,
        discount=second.discount_factor / first.discount_factor,
        american=near.american,
    )


def _six(value: float | None) -> float | None:
    """Return a number in six significant digits."""
    return None if value is None else float(f"{value:.5e}")
