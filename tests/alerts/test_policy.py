"""The [alerts] table: defaults, what it moves, and what it can't be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.alerts.policy import AlertPolicy, policy_from
from collector.detectors.base import ConfigError


def test_without_a_table_the_defaults_hold() -> None:
    assert policy_from({}) == AlertPolicy()


def test_a_policy_is_made_again_from_what_a_scan_kept_of_it() -> None:
    table = {"cool_down_days": 3, "storm": 7, "weights": {"size": 50.0, "agreement": 30.0}}
    policy = policy_from(table)
    assert (policy.cool_down_days, policy.storm, policy.weights.size, policy.weights.quality) == (3, 7, 50.0, 8.0)
    assert policy_from(json.loads(json.dumps(policy.configuration()))) == policy


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"cool_down": 3}, r"cool_down: no such key; there is cool_down_days, storm, weights"),
        ({"cool_down_days": 31}, r"cool_down_days: 31 is no number from 0 to 30"),
        ({"cool_down_days": 1.5}, r"cool_down_days: 1.5 is no whole number"),
        ({"storm": 0}, r"storm: 0 is no number of 1 or more"),
        ({"storm": 10**20}, r"storm: 100000000000000000000 is no number of 1 or more, 1e\+15 at most; give one"),
        ({"storm": 10**15 + 1}, r"storm: 1000000000000001 is no number"),
        ({"storm": True}, r"storm: True is no number"),
        ({"weights": 3}, r"weights: is a table"),
        ({"verdict": 3}, r"verdict: is a table"),
        ({"verdict": {"opened": 2}}, r"verdict\.opened: 2"),
        ({"verdict": {"open": 0.5}}, r"verdict\.open: no such key; there is opened, closed"),
        ({"weights": {"sise": 3}}, r"weights.sise: no such key; there is size"),
        ({"weights": {"size": 3.0}}, r"weights.size, agreement.*they sum to 43"),
    ],
)
def test_what_can_not_work_is_refused_by_its_key(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        policy_from(table)
