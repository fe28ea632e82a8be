"""What an activity alert says in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.detectors.words import days, money, times

_BY_NOW = {"time_of_session": " by now", "mixed": "", "whole_session": " of a whole session"}
_BY = {
    "time_of_session": " by this time",
    "mixed": ", by this time where that is known",
    "whole_session": ", whole ones",
}


def summary(ticker: str, metrics: Mapping[str, Any]) -> str:
    """Return one line."""
    against = f"{times(metrics['volume_to_open_interest'])}x open interest"
    parts = [f"{metrics['volume']:,} traded", against if metrics["open_interest"] else "no open interest"]
    if metrics["volume_to_usual"] is not None:
        parts.append(f"{times(metrics['volume_to_usual'])}x its usual volume{_BY_NOW[metrics['usual_by']]}")
    if metrics["pattern"]:
        parts.append(f"likely a leg of a {metrics['pattern']}")
    return f"{_contract(ticker, metrics)}: {', '.join(parts)}, {money(metrics['premium'])} premium"


def reason(ticker: str, metrics: Mapping[str, Any], direction: str) -> str:
    """Return the explanation."""
    traded = (
        f"{metrics['volume']:,} contracts of the {_contract(ticker, metrics)} traded in the session of "
        f"{metrics['market_date']} with {days(metrics['dte'])} left, {_against_open_interest(metrics)}"
    )
    if metrics["volume_to_usual"] is not None:
        usual = (
            f" and {times(metrics['volume_to_usual'])} times the usual {metrics['usual_volume']:,.0f} "
            f"of its last {metrics['sessions']} sessions{_BY[metrics['usual_by']]}{_rest(ticker, metrics)}"
        )
    else:
        usual = f"; with {metrics['sessions']} sessions of its own history nothing tells what is usual"
    dollars = (
        f"At a mid of {metrics['mid']:,.2f} that is {money(metrics['premium'])} of premium, "
        f"with a spread of {100 * metrics['relative_spread']:.1f} % of the mid."
    )
    return f"{traded}{usual}. {dollars} {_reading(metrics, direction)}"


def _rest(ticker: str, metrics: Mapping[str, Any]) -> str:
    """Return how busy the rest of the ticker is, where that is known."""
    rest = metrics["ticker_volume_to_usual"]
    return "" if rest is None else f", while the rest of {ticker} trades {times(rest)} times its own"


def _reading(metrics: Mapping[str, Any], direction: str) -> str:
    if metrics["pattern"] is None:
        return f"Read as {direction}, naively: who started the trades is not known."
    other = metrics["legs"][1]
    return f"{other} traded as much: likely the legs of one {metrics['pattern']}, which says nothing of a direction."


def _contract(ticker: str, metrics: Mapping[str, Any]) -> str:
    return f"{ticker} {metrics['expiration']} {metrics['strike']:g} {metrics['option_type']}"


def _against_open_interest(metrics: Mapping[str, Any]) -> str:
    if metrics["open_interest"] == 0:
        return "against no open interest"
    ratio = times(metrics["volume_to_open_interest"])
    return f"{ratio} times the open interest of {metrics['open_interest']:,}"
