"""The providers by name: what a user types, and how each is made.

A provider's module is imported when it is made, by its dotted name: none of the others' libraries is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from collector.providers.base import Provider
from collector.providers.call_budget import CallBudget
from collector.providers.feeds import FEEDS
from exports.folders import MarketFolder

# What meta.json says of each; a test holds it against the classes.
PROVIDER_FACTS: dict[str, dict[str, Any]] = {
    "demo": {
        "class": "collector.providers.demo.DemoProvider",
        "feed": "demo",
        "market": "demo",
        "terms": "Simulated prices of invented companies; free of any terms, and of any meaning for a real market.",
        "delay_seconds": 0,
        "pays_per_expiration": False,
    },
    "recorded": {
        "class": "collector.providers.recorded.RecordedProvider",
        "feed": "yahoo",
        "market": "recorded",
        "feeds": {name: FEEDS[name].facts() for name in ("yahoo", "cboe")},
        "terms": "Recordings that you made or were given: the terms of the feed that they came from apply.",
        "delay_seconds": 900,
        "pays_per_expiration": False,
    },
    "yahoo": {
        "class": "collector.providers.yahoo.YahooProvider",
        "feed": "yahoo",
        "market": "live",
        "terms": (
            "Yahoo's quotes are for personal use only, delayed by 15 minutes, "
            "and may be neither resold nor republished."
        ),
        "delay_seconds": 900,
        "pays_per_expiration": True,
    },
}


class UnknownProvider(ValueError):
    """No provider of that name; the message lists those that there are."""


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """What making a provider may need."""

    recordings: Path | None = None
    as_of: datetime | None = None
    calls_per_hour: int = 250
    calls_per_day: int = 2000


def provider_class(name: str) -> type[Any]:
    """Return a provider's class; raise UnknownProvider."""
    try:
        module, _, attribute = str(PROVIDER_FACTS[name]["class"]).rpartition(".")
    except KeyError:
        raise UnknownProvider(f"provider {name!r} is unknown; there is {', '.join(PROVIDER_FACTS)}") from None
    return cast("type[Any]", getattr(import_module(module), attribute))


def call_budget(folder: MarketFolder, options: ProviderOptions) -> CallBudget:
    """Return the budget of a paying provider's calls, kept in the data folder and shared by its processes."""
    return CallBudget(folder.data_dir / "cache" / "calls.json", options.calls_per_hour, options.calls_per_day)


def make_provider(folder: MarketFolder, options: ProviderOptions) -> Provider:
    """Make the provider of a folder.

    Raises:
        UnknownProvider: no such name.
        ProviderError: it can't be made, such as a folder without recordings.
        ValueError: a recorded provider without a folder.
    """
    kind = provider_class(folder.provider)
    if folder.provider == "recorded":
        if options.recordings is None:
            raise ValueError("the provider recorded needs --recordings DIR (or OPTSITE_RECORDINGS)")
        return cast("Provider", kind(options.recordings, options.as_of))
    if folder.provider == "demo":
        return cast("Provider", kind(options.as_of))
    return cast("Provider", kind(folder.data_dir / "cache" / "yahoo", call_budget(folder, options)))
