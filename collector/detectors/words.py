"""How numbers read in the sentences of alerts."""

from __future__ import annotations


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


def times(ratio: float) -> str:
    """Return a ratio in the digits that tell: 1.04, 12.5, 4,000."""
    decimals = 2 if ratio < 2 else 1 if ratio < 100 else 0
    return f"{ratio:,.{decimals}f}"


def percent(value: float, decimals: int = 1) -> str:
    """Return a decimal as per cent: 0.2534 reads 25.3 %."""
    return f"{100 * value:.{decimals}f} %"


def days(count: float) -> str:
    """Return days with the right noun."""
    return f"{count:g} day" if count == 1 else f"{count:g} days"


def sessions(count: int) -> str:
    """Return sessions with the right noun."""
    return f"{count} session" if count == 1 else f"{count} sessions"
