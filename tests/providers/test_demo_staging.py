"""The demo market without anything staged, in a process of its own: what is made once is kept."""

from __future__ import annotations

import json
import subprocess
import sys

ASK = """
import json, sys
from collector.providers.demo import staging
staging.STAGED = sys.argv[1] == "True"
import numpy as np
from collector.providers.demo.market_events import heavy_side, price_jumps
from collector.providers.demo.script import KINDS, scripted_trade
from collector.providers.demo.surface import priced_move
from collector.providers.demo.surface_events import dear_expiration_at, dear_side_at
from collector.providers.demo.corporate_actions import reports
from collector.providers.demo.universe import UNIVERSE
from collector.providers.demo.volatility_events import extreme_at

SESSIONS = range(5000, 5126)
print(json.dumps({
    "trades": sum(scripted_trade(kind, ordinal) is not None for kind in KINDS for ordinal in range(5000, 5010)),
    "extremes": sum(extreme_at(ticker, ordinal) is not None for ticker in UNIVERSE for ordinal in SESSIONS),
    "skews": sum(dear_side_at(ticker, ordinal) is not None for ticker in UNIVERSE for ordinal in SESSIONS),
    "kinks": sum(dear_expiration_at(ticker, ordinal) is not None for ticker in UNIVERSE for ordinal in SESSIONS),
    "releases": sum(
        priced_move(ticker.name, int(ordinal)) != ticker.earnings_move
        for ticker in UNIVERSE for ordinal in reports(ticker, 5126)[-2:]
    ),
    "jumps": int(sum(np.count_nonzero(price_jumps(ticker, np.array(SESSIONS))) for ticker in UNIVERSE)),
    "lopsided": sum(heavy_side(ticker, ordinal) is not None for ticker in UNIVERSE for ordinal in SESSIONS),
}))
"""


def counts(staged: bool) -> dict[str, int]:
    done = subprocess.run([sys.executable, "-c", ASK, str(staged)], capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_the_switch_removes_every_staged_event() -> None:
    with_events = counts(staged=True)
    assert all(with_events.values())
    assert counts(staged=False) == dict.fromkeys(with_events, 0)
