"""What an alert of a lopsided put/call ratio says in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.detectors.words import sessions, times


def summary(ticker: str, metrics: Mapping[str, Any]) -> str:
    """Return one line."""
    heavy, light, ratio = _sides(metrics, metrics["put_call_volume_ratio"])
    against = (
        f"fixed level, {sessions(metrics['sessions'])} of history"
        if metrics["mode"] == "day_one"
        else f"{_deviations(metrics)} standard deviations from its usual {_usual(metrics)}"
    )
    return f"{ticker}: {ratio} {heavy} traded for a {light}, {against}"


def reason(ticker: str, metrics: Mapping[str, Any], direction: str) -> str:
    """Return the explanation."""
    heavy, light, ratio = _sides(metrics, metrics["put_call_volume_ratio"])
    traded = (
        f"{ticker} traded {ratio} {heavy} for a {light} in the session of {metrics['market_date']}{_counts(metrics)}"
    )
    if metrics["mode"] == "day_one":
        wanted = metrics["sessions_wanted"]
        against = f"; {metrics['sessions']} of {sessions(wanted)} of its own past are known, so a fixed level stands in"
    else:
        against = (
            f", {_deviations(metrics)} standard deviations from the usual {_usual(metrics)} "
            f"of its last {sessions(metrics['sessions'])}"
        )
    return (
        f"{traded}{against}. {_held(metrics)}Read as {direction}, with the flow and naively: who bought is not known."
    )


def _sides(metrics: Mapping[str, Any], put_call: float) -> tuple[str, str, str]:
    """Return the heavy side, one of the light side, and how many of the former come on one of the latter."""
    if metrics["side"] == "puts":
        return "puts", "call", times(put_call)
    return "calls", "put", times(1 / put_call) if put_call > 0 else "100 or more"


def _counts(metrics: Mapping[str, Any]) -> str:
    if metrics["put_volume"] is None or metrics["call_volume"] is None:
        return ""
    return f" ({metrics['put_volume']:,} puts, {metrics['call_volume']:,} calls)"


def _deviations(metrics: Mapping[str, Any]) -> str:
    name = "put_call_deviations" if metrics["side"] == "puts" else "call_put_deviations"
    return f"{metrics[name]:.1f}"


def _usual(metrics: Mapping[str, Any]) -> str:
    return _sides(metrics, metrics["usual_put_call_volume_ratio"])[2]


def _held(metrics: Mapping[str, Any]) -> str:
    """Return the sentence on open interest, empty where it is not known."""
    ratio = metrics["put_call_open_interest_ratio"]
    if ratio is None or ratio == 0:
        return ""
    heavy, light, held = _sides(metrics, ratio)
    usual = metrics["usual_put_call_open_interest_ratio"]
    beside = f" against a usual {_sides(metrics, usual)[2]}" if usual else ""
    return f"Open are {held} {heavy} for a {light}{beside}. "
