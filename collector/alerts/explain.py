"""What an alert says of its end. What it says of its finding, the detector words (collector/detectors)."""

from __future__ import annotations

ENDINGS: dict[str, str] = {
    "rearm": "It ended when the figures fell below the level that keeps it.",
    "expired": "It ended when the contract settled.",
    "withdrawn": "It ended because its detector or rule looks at this ticker no more.",
}


def ending(reason: str, cause: str) -> str:
    """Return ``reason`` with the sentence why the alert ended; ``cause`` is a key of ENDINGS."""
    return f"{reason} {ENDINGS[cause]}"
