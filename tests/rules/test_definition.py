"""What a rule may be: its keys, its name, and what a re-arm condition may not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collector.rules.definition import RuleDefinition, rule_from, rules_from, slug
from collector.rules.fault import RuleFault
from collector.rules.rule_file import rules_of_file

PLAIN = {"name": "High IV", "condition": "iv_rank > 80"}
WHOLE = {
    "name": "High IV",
    "condition": "iv_rank > 80",
    "rearm": "iv_rank > 70",
    "tickers": ["BRK-B", "^SPX"],
    "direction": "bearish",
    "minimum_grade": "B",
}


def test_what_is_left_out_has_a_default() -> None:
    rule = rule_from(PLAIN)
    assert (rule.rearm, rule.tickers, rule.direction, rule.minimum_grade) == (None, (), "neutral", "C")
    assert rule.detector == "rule:high-iv"
    assert rule.applies_to("AAPL")
    assert not rule.per_chain


def test_it_comes_back_from_json_as_it_was() -> None:
    for table in (PLAIN, WHOLE):
        rule = rule_from(table)
        again: RuleDefinition = rule_from(json.loads(json.dumps(rule.to_json(), allow_nan=False)))
        assert again == rule
    assert rule_from(WHOLE).to_json() == WHOLE


def test_tickers_become_canonical_ones_each_once() -> None:
    rule = rule_from({**PLAIN, "tickers": ["spx", "brk.b", "^SPX"]})
    assert rule.tickers == ("BRK-B", "^SPX")
    assert [rule.applies_to(ticker) for ticker in ("^SPX", "BRK-B", "AAPL")] == [True, True, False]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("High IV!", "high-iv"), ("  Überteuert – 30 T ", "uberteuert-30-t"), ("a|b", "a-b"), ("…", "")],
)
def test_what_tells_names_apart(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_a_rearm_condition_on_chains_makes_the_rule_one_of_chains() -> None:
    rule = rule_from({**PLAIN, "rearm": "chain.atm_iv > 0.2"})
    assert rule.per_chain
    assert [field.name for field in rule.fields] == ["iv_rank", "chain.atm_iv"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"condition": "iv_rnk > 1"}, "condition: at character 1: iv_rnk is no field; the nearest is iv_rank"),
        ({"condition": 3}, "condition: a text such as 'iv_rank > 80' is needed"),
        ({"condition": None}, "condition: a text such as"),
        ({"rearm": "iv_rank >"}, "rearm: at character 10: the condition ends too early"),
        ({"rearm": "iv_rank < 70"}, "rearm: an alert goes on while this holds, so < points the wrong way"),
        ({"rearm": "iv_rank > 90"}, "rearm: an alert goes on while this holds; 90 is beyond 80, where it begins"),
        ({"condition": "iv_rank < 20", "rearm": "iv_rank <= 10"}, "rearm: an alert goes on while this holds; 10 is"),
        ({"name": ""}, "name: a rule needs a name"),
        ({"name": None}, "name: a rule needs a name"),
        ({"name": "…"}, "name: '…' has no letter of a to z and no digit"),
        ({"name": "x" * 61}, "name: a name has at most 60 printable characters"),
        ({"name": "a\x1bb"}, "name: a name has at most 60 printable characters"),
        ({"tickers": "AAPL"}, 'tickers: a list such as ["AAPL", "BRK-B"] is needed'),
        ({"tickers": [3]}, "tickers: a list such as"),
        ({"tickers": ["A$L"]}, "tickers: 'A$L' is not a ticker"),
        ({"direction": "up"}, "direction: 'up' is not one of bullish, bearish, neutral"),
        ({"direction": []}, "direction: [] is not one of"),
        ({"minimum_grade": "F"}, "minimum_grade: 'F' is not one of A, B, C, D"),
        ({"minimum_grade": 1}, "minimum_grade: 1 is not one of"),
        (
            {"ticker": "AAPL"},
            "ticker: no such key; there are name, condition, rearm, tickers, direction, minimum_grade",
        ),
    ],
)
def test_what_can_not_be_is_refused_by_its_key(change: dict[str, Any], says: str) -> None:
    with pytest.raises(RuleFault) as refused:
        rule_from({**PLAIN, **change})
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("condition", "rearm"),
    [
        ("iv_rank > 80", "iv_rank >= 80"),
        ("iv_rank > 80", "70 < iv_rank"),
        ("iv_30d > 1.2 * iv_90d", "iv_30d > 1.1 * iv_90d"),
        ("iv_rank > 80", "iv_percentile < 50"),
        ("iv_rank > 80 and partial", "iv_rank < 10"),
    ],
)
def test_a_rearm_condition_that_may_be(condition: str, rearm: str) -> None:
    assert rule_from({**PLAIN, "condition": condition, "rearm": rearm}).rearm is not None


def test_tables_are_told_by_their_number() -> None:
    with pytest.raises(RuleFault, match=r"^rules\[2\]\.condition: at character 1: x is no field"):
        rules_from([PLAIN, {"name": "b", "condition": "x > 1"}])
    with pytest.raises(RuleFault, match=r"^rules\[2\]\.name: 'high iv' is the name of rules\[1\] too"):
        rules_from([PLAIN, {**PLAIN, "name": "high iv"}])
    for content in ({}, 3, [3], "x"):
        with pytest.raises(RuleFault, match=r"^rules: each is a table \[\[rules\]\] with name and condition"):
            rules_from(content)


def test_rules_of_a_file(tmp_path: Path) -> None:
    config = tmp_path / "rules.toml"
    config.write_text('[[rules]]\nname = "High IV"\ncondition = "iv_rank > 80"\ntickers = ["aapl"]\n')
    assert rules_of_file(config) == (rule_from({**PLAIN, "tickers": ["AAPL"]}),)
    assert rules_of_file(None) == ()
    config.write_text("[[rules]\n")
    with pytest.raises(RuleFault, match="can't be read as TOML"):
        rules_of_file(config)
