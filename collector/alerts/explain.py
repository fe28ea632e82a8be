"""What an alert says in words: one line, and a sentence with the numbers behind it.

The words follow from the finding alone, so the same finding always reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collector.detectors.base import Finding
from collector.detectors.unusual_activity import UnusualActivity

ENDINGS: dict[str, str] = {
    "rearm": "It ended when the figures fell below the level that keeps it.",
    "expired": "It ended when the contract settled.",
}


def summary(finding: Finding) -> str:
    """Return one line."""
    words = WORDS.get(finding.detector)
    return words[0](finding) if words else _plain(finding)


def reason(finding: Finding) -> str:
    """Return the explanation: one or two sentences."""
    words = WORDS.get(finding.detector)
    return words[1](finding) if words else f"{_plain(finding)}."


def ending(reason: str, cause: str) -> str:
    """Return ``reason`` with the sentence why the alert ended; ``cause`` is a key of ENDINGS."""
    return f"{reason} {ENDINGS[cause]}"


def money(dollars: float) -> str:
    """Return dollars in short: $950, $125K, $4.2M, $1.3B."""
    # The boundaries lie where the smaller unit would round up to four digits.
    if dollars < 999.5:
        return f"${dollars:.0f}"
    if dollars < 999_500:
        return f"${dollars / 1e3:.0f}K"
    if dollars < 999_950_000:
        return f"${dollars / 1e6:.1f}M"
    return f"${dollars / 1e9:.1f}B"


def _plain(finding: Finding) -> str:
    subject = f" {finding.subject}" if finding.subject else ""
    comparison = f"{finding.comparison} {finding.threshold:g}" if finding.armed else f"(arms at {finding.threshold:g})"
    return f"{finding.ticker}{subject} {finding.detector}: {finding.metric} {finding.value:g} {comparison}"


def _contract(finding: Finding) -> str:
    metrics = finding.metrics
    return f"{finding.ticker} {metrics['expiration']} {metrics['strike']:g} {metrics['option_type']}"


def _times(ratio: float) -> str:
    decimals = 2 if ratio < 2 else 1 if ratio < 100 else 0
    return f"{ratio:,.{decimals}f}"


def _activity_summary(finding: Finding) -> str:
    metrics = finding.metrics
    against = f"{_times(metrics['volume_to_open_interest'])}x open interest"
    parts = [f"{metrics['volume']:,} traded", against if metrics["open_interest"] else "no open interest"]
    if metrics["volume_to_usual"] is not None:
        parts.append(f"{_times(metrics['volume_to_usual'])}x its usual volume")
    return f"{_contract(finding)}: {', '.join(parts)}, {money(metrics['premium'])} premium"


def _activity_reason(finding: Finding) -> str:
    metrics = finding.metrics
    traded = (
        f"{metrics['volume']:,} contracts of the {_contract(finding)} traded in the session of "
        f"{metrics['market_date']} with {_days(metrics['dte'])} left, {_against_open_interest(metrics)}"
    )
    if metrics["volume_to_usual"] is not None:
        usual = (
            f" and {_times(metrics['volume_to_usual'])} times the usual {metrics['usual_volume']:,.0f} "
            f"of its last {metrics['sessions']} sessions"
        )
    else:
        usual = f"; with {metrics['sessions']} sessions of its own history nothing tells what is usual"
    dollars = (
        f"At a mid of {metrics['mid']:,.2f} that is {money(metrics['premium'])} of premium, "
        f"with a spread of {100 * metrics['relative_spread']:.1f} % of the mid."
    )
    reading = f"Read as {finding.direction}, naively: who started the trades is not known."
    return f"{traded}{usual}. {dollars} {reading}"


def _against_open_interest(metrics: Mapping[str, Any]) -> str:
    if metrics["open_interest"] == 0:
        return "against no open interest"
    ratio = _times(metrics["volume_to_open_interest"])
    return f"{ratio} times the open interest of {metrics['open_interest']:,}"


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


WORDS: dict[str, tuple[Callable[[Finding], str], Callable[[Finding], str]]] = {
    UnusualActivity.name: (_activity_summary, _activity_reason),
}
