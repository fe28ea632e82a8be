"""Structures of one chain: legs chosen by delta among its tradable contracts, None where these do not allow one."""

from __future__ import annotations

import numpy as np

from collector.alerts.quoted_chain import Band, QuotedChain
from collector.alerts.structures import Contract, OptionType, Structure, bought, sold

AT_THE_MONEY = Band(0.50, 0.35, 0.65)
# What income structures sell and strangles buy.
SHORT = Band(0.27, 0.16, 0.40)
# What limits them.
WING = Band(0.13, 0.03, 0.22)
# What a debit spread at the money sells.
TARGET = Band(0.25, 0.08, 0.38)
# A contract that is a subject is bought itself within these.
SUBJECT = Band(0.40, 0.20, 0.65)
STRIKE_TOLERANCE = 1e-6


def debit_spread(chain: QuotedChain, option_type: OptionType, subject: Contract | None = None) -> Structure | None:
    """Return a bull call spread or a bear put spread: bought at the money, sold at about 25 delta.

    Args:
        chain: whose contracts.
        option_type: call or put.
        subject: bought instead where its type and delta allow, against one of half its delta.
    """
    long, target = chain.nearest(option_type, AT_THE_MONEY), TARGET
    if subject is not None and subject.option_type == option_type:
        delta = abs(subject.delta)
        if SUBJECT.low <= delta <= SUBJECT.high:
            long, target = subject, Band(delta / 2, delta / 5, delta * 0.8)
    short = None if long is None else chain.nearest(option_type, target, beyond=long.strike)
    if long is None or short is None:
        return None
    name = "bull_call_spread" if option_type == "call" else "bear_put_spread"
    return Structure(name, (bought(long), sold(short)))


def credit_spread(chain: QuotedChain, option_type: OptionType) -> Structure | None:
    """Return a bull put spread or a bear call spread: sold at about 27 delta, bought at about 13."""
    sides = _short_and_wing(chain, option_type)
    if sides is None:
        return None
    short, wing = sides
    name = "bear_call_spread" if option_type == "call" else "bull_put_spread"
    return Structure(name, (sold(short), bought(wing)))


def iron_condor(chain: QuotedChain) -> Structure | None:
    """Return a put and a call credit spread around the forward."""
    return _condor(chain, "iron_condor", inside_sold=True)


def reverse_iron_condor(chain: QuotedChain) -> Structure | None:
    """Return a strangle bought, its gain limited by one sold further out."""
    return _condor(chain, "reverse_iron_condor", inside_sold=False)


def iron_butterfly(chain: QuotedChain) -> Structure | None:
    """Return the straddle at the forward sold, limited by wings of about 13 delta."""
    body = chain.at_the_money(AT_THE_MONEY)
    if body is None:
        return None
    call, put = body
    upper = chain.nearest("call", WING, beyond=call.strike)
    lower = chain.nearest("put", WING, beyond=put.strike)
    if upper is None or lower is None:
        return None
    return Structure("iron_butterfly", (bought(lower), sold(put), sold(call), bought(upper)))


def long_straddle(chain: QuotedChain) -> Structure | None:
    """Return the call and the put at the forward, bought."""
    body = chain.at_the_money(AT_THE_MONEY)
    return None if body is None else Structure("long_straddle", (bought(body[0]), bought(body[1])))


def long_strangle(chain: QuotedChain) -> Structure | None:
    """Return the call and the put of about 27 delta, bought."""
    call, put = chain.nearest("call", SHORT), chain.nearest("put", SHORT)
    if call is None or put is None or put.strike >= call.strike:
        return None
    return Structure("long_strangle", (bought(call), bought(put)))


def butterfly_at_the_money(chain: QuotedChain) -> Structure | None:
    """Return the butterfly around the forward, as wide as the 27-delta put is far, of the type cheaper to trade."""
    body, reach = chain.at_the_money(AT_THE_MONEY), chain.nearest("put", SHORT)
    if body is None or reach is None:
        return None
    width = abs(body[0].strike - reach.strike)
    both = [_butterfly(chain, contract, width) for contract in body]
    return cheaper(*both)


def butterfly_out_of_the_money(chain: QuotedChain, option_type: OptionType) -> Structure | None:
    """Return the butterfly around the 27-delta contract, its inner wing at the money."""
    body, inner = chain.nearest(option_type, SHORT), chain.nearest(option_type, AT_THE_MONEY)
    if body is None or inner is None or body.strike == inner.strike:
        return None
    return _butterfly(chain, body, abs(body.strike - inner.strike))


def spread_risk_reversal(chain: QuotedChain, sold_type: OptionType) -> Structure | None:
    """Return a credit spread on one side that pays for a spread of about the same deltas bought on the other."""
    bought_type: OptionType = "call" if sold_type == "put" else "put"
    income, outlay = _short_and_wing(chain, sold_type), _short_and_wing(chain, bought_type)
    if income is None or outlay is None:
        return None
    put, call = (income, outlay) if sold_type == "put" else (outlay, income)
    if put[0].strike >= call[0].strike:
        return None
    name = "bullish_spread_risk_reversal" if sold_type == "put" else "bearish_spread_risk_reversal"
    return Structure(name, (sold(income[0]), bought(income[1]), bought(outlay[0]), sold(outlay[1])))


def calendar(near: QuotedChain, far: QuotedChain, option_type: OptionType, strike: float) -> Structure | None:
    """Return the near contract of a strike sold and the far one bought; the far one needs a volatility."""
    first, second = near.at(option_type, strike), far.at(option_type, strike)
    if first is None or second is None or first.multiplier != second.multiplier:
        return None
    if not second.implied_volatility > 0:
        return None
    return Structure(f"{option_type}_calendar", (sold(first), bought(second)))


def cheaper(*structures: Structure | None) -> Structure | None:
    """Return the structure whose spreads cost least to cross, of equals the first; None where there is none."""
    return min((one for one in structures if one is not None), key=lambda one: one.crossing_cost, default=None)


def _short_and_wing(chain: QuotedChain, option_type: OptionType) -> tuple[Contract, Contract] | None:
    """Return the contracts of about 27 and 13 delta of one side."""
    short = chain.nearest(option_type, SHORT)
    wing = None if short is None else chain.nearest(option_type, WING, beyond=short.strike)
    return None if short is None or wing is None else (short, wing)


def _condor(chain: QuotedChain, name: str, *, inside_sold: bool) -> Structure | None:
    """Return four legs, those inside sold or bought.

    None where one side is so narrow that it could not turn the sign of the whole: then it is no condor.
    """
    puts, calls = _short_and_wing(chain, "put"), _short_and_wing(chain, "call")
    if puts is None or calls is None or puts[0].strike >= calls[0].strike:
        return None
    inside, outside = (sold, bought) if inside_sold else (bought, sold)
    condor = Structure(name, (outside(puts[1]), inside(puts[0]), inside(calls[0]), outside(calls[1])))
    narrower = min(puts[0].strike - puts[1].strike, calls[1].strike - calls[0].strike)
    return condor if narrower * puts[0].multiplier > abs(condor.net_crossing) else None


def _butterfly(chain: QuotedChain, body: Contract, width: float) -> Structure | None:
    """Return two contracts sold and one bought on each side, equally far, as near to ``width`` as the strikes allow."""
    strikes = chain.strikes(body.option_type)
    below, above = strikes[strikes < body.strike], strikes[strikes > body.strike]
    apart = np.abs((body.strike - below)[:, None] - (above - body.strike)[None, :])
    lower_places, upper_places = np.nonzero(apart <= STRIKE_TOLERANCE)
    if not lower_places.size:
        return None
    best = int(np.argmin(np.abs(body.strike - below[lower_places] - width)))
    lower = chain.at(body.option_type, float(below[lower_places[best]]))
    upper = chain.at(body.option_type, float(above[upper_places[best]]))
    if upper is None or lower is None:
        return None
    return Structure(f"{body.option_type}_butterfly", (bought(lower), sold(body, 2), bought(upper)))
