"""Figures of chains: what lacks names its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from collector.market.rates import constant
from collector.pipeline.analyse import Fetched, analyse, full_record, normalise_fetched
from exports.reasons import FIELD_REASONS
from tests.pipeline.scripted_provider import ScriptedProvider
from tests.quotes import EXPIRATION, live_chain, quote


def record_of(chain: Any) -> dict[str, Any]:
    provider = ScriptedProvider({"ZZTA": [chain]})
    fetched = Fetched("ZZTA", quote(), (EXPIRATION,), [chain])
    normalised = normalise_fetched(fetched, provider, None)
    return full_record(fetched, analyse(normalised, (), constant(0.04), provider.sessions()), "yahoo")


@pytest.mark.parametrize(("open_side", "wall"), [("call", "put_wall"), ("put", "call_wall")])
def test_without_open_interest_on_one_side_its_wall_is_missing_and_says_why(open_side: str, wall: str) -> None:
    whole = live_chain()
    contracts = tuple(one if one.option_type == open_side else replace(one, open_interest=0) for one in whole.contracts)
    record = record_of(replace(whole, contracts=contracts))
    chain, feature = record["chains"][0], record["feature"]
    other = {"call_wall", "put_wall"} - {wall}
    assert chain["analytics"]["exposure"][wall] is None
    assert chain["reasons"][f"analytics.exposure.{wall}"] == "no_wall"
    assert feature[wall] is None
    assert feature["reasons"][wall] == "no_wall"
    for name in other:
        assert chain["analytics"]["exposure"][name] is not None
        assert f"analytics.exposure.{name}" not in chain["reasons"]
        assert feature[name] is not None
    assert set(chain["reasons"].values()) <= set(FIELD_REASONS)
