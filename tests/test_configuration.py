"""The effective configuration: levels from a file over the defaults, refused where they can't work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.configuration import alerting_of, detectors, effective, policy
from collector.detectors.base import ConfigError
from collector.pipeline.plan import configuration_hash


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
        ("[rules]\n", "rules: no such table"),
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
