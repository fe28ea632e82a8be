"""Small tables in the shape of Cboe's delayed quotes, of an invented ticker."""

from __future__ import annotations

from pathlib import Path

ENGLISH = "Date: March 24, 2026 at 1:00 PM EDT"
COLUMNS = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,"
    "Strike,Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
)
CELLS = {
    "day": "Fri Mar 27 2026",
    "call": "ZZTA260327C00050000",
    "call_last": "1.2",
    "call_net": "0.1",
    "call_bid": "1.15",
    "call_ask": "1.25",
    "call_volume": "7",
    "call_iv": "0.3104",
    "call_delta": "0.5512",
    "call_gamma": "0.0712",
    "call_open": "12",
    "strike": "50.00",
    "put": "ZZTA260327P00050000",
    "put_last": "0.7",
    "put_net": "0",
    "put_bid": "0.65",
    "put_ask": "0.75",
    "put_volume": "0",
    "put_iv": "0",
    "put_delta": "-0.4488",
    "put_gamma": "0.0712",
    "put_open": "34",
}


def row(**cells: str) -> str:
    """Return one line of a table: ZZTA's contracts at 50 expiring on 2026-03-27, but for the cells given."""
    return ",".join(f'"{cell}"' if "," in cell else cell for cell in (CELLS | cells).values())


def strike_row(
    strike: float, ticker: str = "ZZTA", day: str = "Fri Mar 27 2026", code: str = "260327", **cells: str
) -> str:
    """Return one line of a table at another strike, with the symbols that it has there."""
    thousandths = f"{round(strike * 1000):08d}"
    symbols = {"call": f"{ticker}{code}C{thousandths}", "put": f"{ticker}{code}P{thousandths}"}
    return row(**({"day": day, "strike": f"{strike:.2f}"} | symbols | cells))


def table_text(*rows: str, when: str = ENGLISH, last: str = "Last: 50.5", columns: str = COLUMNS) -> str:
    """Return a table of the rows (one of ZZTA where none is given); ``when`` is quoted where it holds a comma."""
    written = f'"{when}"' if "," in when and not when.startswith('"') else when
    lines = ["", f"Zzta Inc,{last},Change:  0.42", f'{written},Bid: 50.49,Ask: 50.51,Size: 2*3,"Volume: 1,234,567"']
    return "\r\n".join([*lines, columns, *(rows or (row(),))]) + "\r\n"


def write_table(folder: Path, *rows: str, name: str = "zzta.csv", **more: str) -> Path:
    """Write a table and return its file."""
    file = folder / name
    file.write_bytes(table_text(*rows, **more).encode())
    return file
