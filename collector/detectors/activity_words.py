"""What an activity alert says in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.detectors.words import days, money, times


def summary(ticker: str, metrics: Mapping[str, Any]) -> str:
    """Return one line."""
    against = f"{times(metrics['volume_to_open_interest'])}x open interest"
    parts = [f"{metrics['volume']:,} traded", against if metrics["open_interest"] else "no open interest"]
    if metrics["volume_to_usual"] is not None:
        parts.append(f"{times(metrics['volume_to_usual'])}x its usual volume")
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
            f"of its last {metrics['sessions']} sessions"
        )
    else:
        usual = f"; with {metrics['sessions']} sessions of its own history nothing tells what is usual"
    dollars = (
        f"At a mid of {metrics['mid']:,.2f} that is {money(metrics['premium'])} of premium, "
        f"with a spread of {100 * metrics['relative_spread']:.1f} % of the mid."
    )
    reading = f"Read as {direction}, naively: who started the trades is not known."
    return f"{traded}{usual}. {dollars} {reading}"


def _contract(ticker: str, metrics: Mapping[str, Any]) -> str:
    return f"{ticker} {metrics['expiration']} {metrics['strike']:g} {metrics['option_type']}"


def _against_open_interest(metrics: Mapping[str, Any]) -> str:
    if metrics["open_interest"] == 0:
        return "against no open interest"
    ratio = times(metrics["volume_to_open_interest"])
    return f"{ratio} times the open interest of {metrics['open_interest']:,}"
