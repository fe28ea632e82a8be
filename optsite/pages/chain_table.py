"""One chain as a table by strike: calls on the left, puts on the right."""

from __future__ import annotations

from typing import Any


def strike_rows(chain: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row a strike: {strike, call, put, call_in_the_money, put_in_the_money, at_the_money}.

    The row nearest to the spot is ``at_the_money``. In the money is judged by the spot; without one no row is.
    """
    sides = {
        "call": {contract["strike"]: contract for contract in chain["calls"]},
        "put": {contract["strike"]: contract for contract in chain["puts"]},
    }
    spot = chain["underlying_price"]
    strikes = sorted(sides["call"].keys() | sides["put"].keys())
    nearest = min(strikes, key=lambda strike: abs(strike - spot)) if strikes and spot is not None else None
    return [
        {
            "strike": strike,
            "call": sides["call"].get(strike),
            "put": sides["put"].get(strike),
            "call_in_the_money": spot is not None and strike < spot,
            "put_in_the_money": spot is not None and strike > spot,
            "at_the_money": strike == nearest,
        }
        for strike in strikes
    ]


def volume_by_strike(chain: dict[str, Any]) -> dict[str, Any]:
    """Return strikes with the volume of calls and puts; another session's volume is left out."""
    rows = strike_rows(chain)
    return {
        "strikes": [row["strike"] for row in rows],
        "calls": [_session_volume(row["call"]) for row in rows],
        "puts": [_session_volume(row["put"]) for row in rows],
        "spot": chain["underlying_price"],
    }


def _session_volume(contract: dict[str, Any] | None) -> int | None:
    if contract is None or "volume_carried" in contract["flags"]:
        return None
    volume: int | None = contract["volume"]
    return volume
