"""The effective configuration: levels from a file over the defaults, refused where they can't work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.configuration import alerting_of, check, detectors, effective, policy
from collector.detectors.base import ConfigError
from collector.pipeline.plan import configuration_hash
from collector.rules.definition import rule_from


def written(folder: Path, text: str) -> Path:
    path = folder / "levels.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_detectors_have_their_defaults() -> None:
    found = detectors(None)
    assert "unusual_activity" in [detector.name for detector in found]
    levels = {detector.name: detector.configuration() for detector in found}
    assert effective(None, "demo", {})["detectors"] == levels


def test_a_file_moves_the_level_it_names_and_no_other(tmp_path: Path) -> None:
    standard, *_ = detectors(None)
    plain = standard.configuration()
    moved, *_ = detectors(written(tmp_path, "[detectors.unusual_activity]\nmin_premium = 123456.0\n"))
    assert plain["min_premium"] != 123456.0
    assert moved.configuration() == plain | {"min_premium": 123456.0}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[rule]\n", "rule: no such table; there are alerts, detectors, events, rules"),
        ("detectors = 3\n", "detectors: each is a table"),
        ("[detectors]\nunusual_activity = 3\n", "detectors: each is a table"),
        ("[detectors.no_such]\nx = 1\n", "no_such"),
        ("[detectors.unusual_activity]\nno_such = 1\n", "no_such"),
        ('[detectors.unusual_activity]\nmin_premium = "much"\n', "min_premium"),
    ],
)
def test_what_can_not_work_is_refused_by_its_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        detectors(written(tmp_path, text))
    assert str(tmp_path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["[detectors\n", "\x00"])
def test_a_file_that_is_no_toml_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"levels\.toml"):
        detectors(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[alerts]\nstorm = " + "9" * 5000, "storm (at line 2): a whole number of thousands of digits"),
        (
            "[[events]]\nkind = 'split'\namount = -" + "9" * 5000,
            "amount (at line 3): a whole number of thousands of digits",
        ),
        ("x = [\n" + "9" * 5000 + "]", "x (at line 2): a whole number of thousands of digits"),
        ("[alerts]\nstorm = " + "[" * 3000 + "]" * 3000, "storm (at line 2): lists or tables are nested too deep"),
        (
            "[alerts]\nstorm = 0x" + "f" * 5000,
            "alerts.storm: a number of thousands of digits is no number of 1 or more",
        ),
        ("[alerts]\nstorm." + "a." * 5000 + "a = 1", "alerts.storm: what is nested too deep is no number"),
        ("[alerts]\nstorm = " + "9" * 400, "alerts.storm: 9999999999999999999999999999999999999999… is no number"),
        ("[[rules]]\nname = 'a'\ncondition = 'price > 1'\ndirection = 0x" + "f" * 5000, "rules[1].direction: a number"),
        ("[[rules]]\nname = 'a'\ncondition = 'price > " + "9" * 400 + "'", "rules[1].condition: at character 9"),
    ],
)
def test_numbers_and_lists_beyond_all_sense_are_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    config = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        check(config, ())
    line = str(refused.value)
    assert says in line
    assert str(config) in line
    assert "\n" not in line


def test_a_missing_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml"):
        detectors(tmp_path / "no.toml")


def test_all_that_shapes_the_numbers_is_in_it_and_in_its_hash(tmp_path: Path) -> None:
    shaping = {"risk_free_rate": None, "max_expirations": 5}
    whole = effective(None, "yahoo", shaping)
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    assert (whole["provider"], whole["settings"]) == ("yahoo", shaping)
    assert whole["quality"]["cut_offs"][0] == {
        "grade": "A",
        "two_sided_share": 0.95,
        "median_relative_spread": 0.05,
        "at_fault_share": 0.10,
        "band_overlap_share": 0.90,
    }
    moved = written(tmp_path, "[detectors.unusual_activity]\nmin_premium = 123456.0\n")
    hashes = {
        configuration_hash(content)
        for content in (
            whole,
            effective(None, "demo", shaping),
            effective(None, "yahoo", {**shaping, "max_expirations": 6}),
            effective(moved, "yahoo", shaping),
        )
    }
    assert len(hashes) == 4
    assert configuration_hash(dict(reversed(whole.items()))) == configuration_hash(whole)


def test_the_policy_of_alerts_comes_from_its_table(tmp_path: Path) -> None:
    path = written(tmp_path, "[alerts]\nstorm = 7\n[alerts.weights]\nsize = 50.0\nagreement = 30.0\n")
    assert (policy(path).storm, policy(path).cool_down_days, policy(path).weights.size) == (7, 5, 50.0)
    assert effective(path, "demo", {})["alerts"]["storm"] == 7
    assert policy(None).storm == 20


@pytest.mark.parametrize(
    ("text", "named"),
    [("alerts = 3\n", "alerts: is a table"), ("[alerts]\nstrom = 7\n", "alerts.strom: no such key; there is")],
)
def test_a_policy_that_can_not_be_is_refused_by_its_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        policy(written(tmp_path, text))


def test_a_scan_is_judged_by_what_its_plan_fixed(tmp_path: Path) -> None:
    text = "[alerts]\nstorm = 7\n[detectors.unusual_activity]\nmin_volume = 5\n"
    text += "[detectors.unusual_activity.tickers.SPX]\nmin_volume = 9\n"
    planned = json.loads(json.dumps(effective(written(tmp_path, text), "demo", {})))
    judges = alerting_of(planned)
    assert judges.policy.storm == 7
    assert [one.configuration()["min_volume"] for one in judges.detectors.of("^SPX")[:1]] == [9]
    assert [one.configuration()["min_volume"] for one in judges.detectors.of("AAPL")[:1]] == [5]


def test_levels_of_another_version_do_not_keep_a_scan_out_of_the_store(caplog: pytest.LogCaptureFixture) -> None:
    judges = alerting_of({"detectors": {"unusual_activity": {"gone": 1}}})
    assert [one.configuration() for one in judges.detectors] == [one.configuration() for one in detectors(None)]
    assert "unusual_activity.gone: no such level" in caplog.text


HIGH = rule_from({"name": "High IV", "condition": "iv_rank > 80"})
LOW = rule_from({"name": "Low IV", "condition": "iv_rank < 10", "tickers": ["AAPL"]})
HIGH_IN_FILE = '[[rules]]\nname = "High IV"\ncondition = "iv_rank > 80"\n'


def test_rules_of_the_file_and_of_the_admin_are_in_it_by_name_and_move_its_hash(tmp_path: Path) -> None:
    config = written(tmp_path, HIGH_IN_FILE)
    assert effective(None, "demo", {})["rules"] == []
    assert effective(config, "demo", {}, [LOW])["rules"] == [HIGH.to_json(), LOW.to_json()]
    assert effective(None, "demo", {}, [LOW, HIGH])["rules"] == [HIGH.to_json(), LOW.to_json()]
    higher = rule_from({"name": "High IV", "condition": "iv_rank > 81"})
    kept = rule_from({"name": "High IV", "condition": "iv_rank > 80", "rearm": "iv_rank > 70"})
    hashes = {
        configuration_hash(effective(None, "demo", {}, rules)) for rules in ((), [HIGH], [higher], [kept], [HIGH, LOW])
    }
    assert len(hashes) == 5


def test_a_name_in_both_is_refused_and_both_are_named(tmp_path: Path) -> None:
    other = rule_from({"name": "high-iv", "condition": "iv_rank > 90"})
    with pytest.raises(ConfigError) as refused:
        effective(written(tmp_path, HIGH_IN_FILE), "demo", {}, [other])
    assert "rules: 'High IV' is the name of a rule in the admin too ('high-iv'); rename or disable" in str(
        refused.value
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[rules]\nname = 'x'\n", r"rules: each is a table \[\[rules\]\]"),
        ("[[rules]]\nname = 'x'\n", r"rules\[1\]\.condition: a text such as"),
        ("[[rules]]\nname = 'x'\ncondition = 'iv_rnk > 1'\n", r"rules\[1\]\.condition: at character 1: iv_rnk is no"),
        (f"{HIGH_IN_FILE}level = 3\n", r"rules\[1\]\.level: no such key"),
        (f"{HIGH_IN_FILE}{HIGH_IN_FILE}", r"rules\[2\]\.name: 'High IV' is the name of rules\[1\] too"),
    ],
)
def test_a_rule_that_can_not_be_is_refused_by_its_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as refused:
        effective(written(tmp_path, text), "demo", {})
    assert str(tmp_path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_scan_is_judged_by_the_rules_of_its_plan(caplog: pytest.LogCaptureFixture) -> None:
    planned = json.loads(json.dumps(effective(None, "demo", {}, [HIGH, LOW])))
    judges = alerting_of(planned).detectors
    assert [detector.name for detector in judges.of("AAPL")][-2:] == ["rule:high-iv", "rule:low-iv"]
    assert [rule.config for rule in judges.rules] == [HIGH, LOW]
    planned["rules"][0]["condition"] = "a_field_of_another_version > 1"
    assert [rule.config for rule in alerting_of(planned).detectors.rules] == [LOW]
    assert "High IV" in caplog.text
    planned["detectors"]["unusual_activity"]["no_such"] = 1
    assert [rule.config for rule in alerting_of(planned).detectors.rules] == [LOW]


@pytest.mark.parametrize(
    ("configuration", "told"),
    [
        ({"detectors": [], "rules": {"a": 1}}, "detectors: no table"),
        ({"detectors": None}, "detectors: no table"),
        ({"detectors": {"unusual_activity": []}}, "detectors: unusual_activity: is a table"),
        ({"detectors": {"unusual_activity": {"min_volume": None}}}, "detectors: unusual_activity.min_volume"),
        ({"alerts": [1]}, "alerts: no table"),
        ({"alerts": {"weights": 3}}, "alerts: weights: is a table"),
        ([], "the configuration is no table"),
        (None, "the configuration is no table"),
    ],
)
def test_levels_of_any_other_shape_are_told_and_the_defaults_stand_in(
    configuration: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    judges = alerting_of(configuration)
    assert [one.configuration() for one in judges.detectors] == [one.configuration() for one in detectors(None)]
    assert judges.policy == policy(None)
    assert judges.fault is not None
    assert judges.fault.startswith(told)
    assert f"the defaults stand in: {told}" in caplog.text


@pytest.mark.parametrize("planned", [{"a": 1}, None, "x", [1], ["High IV"], [{}]])
def test_rules_of_any_other_shape_are_told_and_left_out(planned: Any, caplog: pytest.LogCaptureFixture) -> None:
    judges = alerting_of({"rules": planned})
    assert (judges.detectors.rules, judges.fault) == ((), None)
    assert "which can't be used" in caplog.text or "that can't be used" in caplog.text
