"""Checks that a detector's levels share: each raises ConfigError with the level's name and what would do."""

from __future__ import annotations

from typing import Any

from collector.detectors.base import ConfigError
from collector.toml_file import shown

# No count, premium or multiple of a market comes near it, and every whole number up to it is a double.
GREATEST = 1e15


def check_number(name: str, value: Any, low: float, high: float = GREATEST) -> None:
    """Refuse what is no number within [low, high]; nan and infinities are none."""
    # A bool is an int to isinstance, and `max_armed = true` in a file is a slip.
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        bounds = f"of {low:g} or more, {high:g} at most" if high == GREATEST else f"from {low:g} to {high:g}"
        raise ConfigError(f"{name}: {shown(value)} is no number {bounds}; give one")


def check_whole(name: str, value: Any, low: int, high: float = GREATEST) -> None:
    """Refuse what is no whole number within [low, high]."""
    check_number(name, value, low, high)
    if not isinstance(value, int):
        raise ConfigError(f"{name}: {shown(value)} is no whole number")


def check_rearm(name: str, rearm: float, arm: float, *, above: bool = True) -> None:
    """Refuse a re-arm level beyond the arm level: above it, or below it where low values arm."""
    if (rearm > arm) if above else (rearm < arm):
        side = "above" if above else "below"
        raise ConfigError(f"{name}: {rearm:g} is {side} {arm:g}, which arms; set it on the quiet side of it")
