"""The language of conditions: what holds, what is refused and where, and that nothing but fields can be reached."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.rules.condition import Condition, parse
from collector.rules.expression import NotComputable
from collector.rules.fault import RuleFault
from collector.rules.names import NAMES
from collector.rules.tokens import LOGIC, SIGNS


def holds(text: str, **values: Any) -> bool:
    return parse(text).holds(values)


DEAR = "iv_rank > 80 and iv_30d > 1.2 * realised_volatility_20d"


@pytest.mark.parametrize(
    ("rank", "implied", "realised", "expected"),
    [
        (81.0, 0.37, 0.30, True),  # 1.2 * 0.30 = 0.36
        (80.0, 0.37, 0.30, False),
        (81.0, 0.35, 0.30, False),
        (100.0, 0.2401, 0.2, True),
    ],
)
def test_a_condition_on_three_fields(rank: float, implied: float, realised: float, expected: bool) -> None:
    assert holds(DEAR, iv_rank=rank, iv_30d=implied, realised_volatility_20d=realised) is expected


def test_it_names_its_fields_once_and_in_order() -> None:
    fields = parse(f"{DEAR} or iv_rank < 5").fields
    assert [field.name for field in fields] == ["iv_rank", "iv_30d", "realised_volatility_20d"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('grade == "A"', False),
        ("grade <= 'C'", True),
        ('grade != "A" and not partial', True),
        ("partial", False),
        ("partial == false", True),
        ("partial != true", True),
        ("next_earnings_date - market_date <= 7", True),
        ("next_earnings_date - market_date == 7", True),
        ("-2 * (market_date - next_earnings_date) == 14", True),
        ("(iv_rank > 60) == partial", True),
        ('next_earnings_date < "2026-03-01"', False),
        ('"2026-03-01" < next_earnings_date', True),
        ("-iv_rank < -49.5", True),
        ("(iv_rank + 10) / 2 == 30", True),
        ("iv_rank > 60 or iv_rank < 40 or iv_rank == 50", True),
        ("not iv_rank > 60", True),
        ("iv_rank - 10 - 10 == 30", True),
        ("iv_rank / 5 / 2 == 5", True),
        ("2 + iv_rank * 2 == 102", True),
        ("iv_rank > 1e1 and iv_rank < .5e3 and iv_rank > 1.", True),
        ("iv_rank\n> 10\tand iv_rank < 60", True),
    ],
)
def test_types_and_operators(text: str, expected: bool) -> None:
    values: dict[str, Any] = {
        "grade": "B",
        "partial": False,
        "next_earnings_date": date(2026, 3, 4),
        "market_date": date(2026, 2, 25),
        "iv_rank": 50.0,
    }
    assert parse(text).holds(values) is expected


def test_a_condition_over_lines_is_kept_as_one() -> None:
    condition = parse(" iv_rank > 80\r\n  and grade == 'A  B'\n")
    assert condition.text == "iv_rank > 80 and grade == 'A  B'"
    assert parse(condition.text).fields == condition.fields


def test_numbers_are_doubles_everywhere() -> None:
    # In decimals each of these would fall the other way.
    assert not holds("iv_30d == 0.3", iv_30d=0.1 + 0.2)
    assert holds("iv_30d == 0.1 + 0.2", iv_30d=0.1 + 0.2)
    assert holds("iv_30d > 0.3", iv_30d=0.1 + 0.2)
    assert holds("iv_30d == 3 * 0.1", iv_30d=0.30000000000000004)
    assert holds("iv_30d < 0.1 * 3", iv_30d=0.3)
    assert holds("volume == 9007199254740993", volume=9007199254740992.0), "beyond 2^53 neighbours are one double"


@pytest.mark.parametrize("text", ["iv_30d / iv_60d > 1", "1e308 * iv_90d * 10 > 1", "iv_90d / iv_60d - 1 > 0"])
def test_a_division_by_zero_and_numbers_beyond_bounds_are_not_computable(text: str) -> None:
    with pytest.raises(NotComputable):
        holds(text, iv_30d=0.2, iv_60d=0.0, iv_90d=1.0)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        # names
        ("iv_rnk > 80", 1, "iv_rnk is no field; the nearest is iv_rank"),
        ("iv_rank > 80 and iv30d > 1", 18, "iv30d is no field; the nearest is iv_30d"),
        ("  IV_RANK > 80", 3, "IV_RANK is no field; the nearest is iv_rank"),
        ("chain.max_pain > 1", 1, "chain.max_pain is no field; the nearest is chain.analytics.max_pain"),
        ("chain.grade == 'A'", 1, "the nearest is chain.quality.grade"),
        ("1 < atm_iv", 5, "atm_iv is no field; the nearest is chain.atm_iv"),
        ("term_structure > 1", 1, "term_structure is a list; a rule compares single values"),
        ("chain.analytics > 1", 1, "chain.analytics holds several values; name one of them"),
        ("chain.calls > 1", 1, "chain.calls is no field"),
        ("as_of > 1", 1, "as_of is a time"),
        ("iv_rank == null", 12, "a rule is not judged where a field that it names is null"),
        # types
        ('iv_rank > "80"', 1, 'iv_rank is a number and can\'t be compared with "80", a text'),
        ("iv_rank > 1 and grade < 3", 17, "grade is a text and can't be compared with 3, a number"),
        ("iv_rank + 3", 1, "what stands here is a number, and a condition is true or false: compare it"),
        ("iv_rank", 1, "iv_rank is a number, and a condition is true or false: compare it"),
        ("iv_rank and partial", 1, "iv_rank is a number, and “and” takes true or false; compare it with something"),
        ("partial or 3", 12, "3 is a number, and “or” takes true or false"),
        ("not iv_rank", 5, "iv_rank is a number, and “not” takes true or false"),
        ("partial > true", 1, "partial is true or false; only == and != compare that"),
        ("grade + 1 > 2", 1, "grade is a text, and “+” takes a number"),
        ("-grade > 2", 2, "grade is a text, and “-” takes a number"),
        ("market_date + 1 > 2", 1, "market_date is a date, and “+” takes a number"),
        ("market_date - 1 > 2", 1, "market_date is a date, and “-” takes a number"),
        ('next_earnings_date > "soon"', 22, '"soon" is no date such as 2026-10-29'),
        ('next_earnings_date > "2026-02-30"', 22, "is no date such as 2026-10-29"),
        ("(iv_rank > 1) > 3", 2, "what stands here is true or false and can't be compared with 3, a number"),
        ("iv_rank + (iv_rank > 3) > 2", 22, "a number and a true or false meet here"),
        ("1 < 2", 1, "the condition names no field, such as iv_rank"),
        ("true", 1, "the condition names no field"),
        # syntax
        ("", 1, "a condition is missing"),
        ("  ", 1, "a condition is missing"),
        ("iv_rank >", 10, "the condition ends too early"),
        ("(iv_rank > 3", 13, "the condition ends too early"),
        ("iv_rank > 3)", 12, ") can't stand here"),
        ("iv_rank > 80 partial", 14, "partial can't stand here"),
        ("iv_rank > 80 AND partial", 14, "AND can't stand here; write and"),
        ("1 < iv_rank < 3", 13, "< can't stand here; join two comparisons by and"),
        ("iv_rank = 3", 9, "'=' can't stand here; write == to compare"),
        ("iv_rank > 80%", 13, "'%' can't stand here; rates are decimals"),
        ("iv_rank > 1 && partial", 13, "'&' can't stand here; write and"),
        ("iv_rank > 1 || partial", 13, "'|' can't stand here; write or"),
        ("!partial", 1, "'!' can't stand here; write not"),
        ("iv_rank ** 2 > 3", 10, "* can't stand here"),
        ("iv_rank // 2 > 3", 10, "/ can't stand here"),
        ('grade == "A', 10, "this text has no end"),
        ("iv_rank > 1e999", 11, "1e999 is too large a number"),
        ("iv_rank > ٣", 11, "can't stand here"),
        ("iv_rank in [1, 2]", 9, "in can't stand here"),
        ("iv_rank > 1 # high", 13, "a condition holds no comment"),
        # what would reach beyond fields
        ('__import__("os")', 1, "__import__ is no field"),
        ("iv_rank.__class__ > 3", 1, "iv_rank.__class__ is no field"),
        ("grade.length > 3", 1, "grade.length is no field"),
        ('"A".length > 3', 4, "'.' can't stand here"),
        ("(iv_rank).real > 3", 10, "'.' can't stand here"),
        ("$now > 3", 1, "a rule names fields and nothing else"),
        ("iv_rank(3) > 2", 1, "iv_rank is no function, and a rule calls none"),
        ("abs(iv_rank) > 2", 1, "abs is no field"),
        ('grade =~ "(a+)+$"', 7, "'=' can't stand here"),
        ("{1} == 1", 1, "'{' can't stand here"),
        ("iv_rank > 1 ? true : false", 13, "'?' can't stand here"),
        ('d"2026-01-01" < market_date', 2, "can't stand here"),
    ],
)
def test_what_is_refused_and_where(text: str, position: int, says: str) -> None:
    with pytest.raises(RuleFault) as refused:
        parse(text)
    assert says in str(refused.value)
    assert str(refused.value).startswith(f"at character {position}: ")
    assert refused.value.position == position - 1
    assert "\n" not in str(refused.value)


def test_the_length_and_the_nesting_have_bounds() -> None:
    with pytest.raises(RuleFault, match="at most 1,000 characters"):
        parse("iv_rank > 1" + " " * 1000)
    with pytest.raises(RuleFault, match="at most 200 words and signs"):
        parse("(" * 250 + "iv_rank > 1")
    deep = "not " * 190 + "partial"
    assert holds(deep, partial=True) is True
    assert holds("not " + deep, partial=True) is False
    assert holds("-" * 190 + "iv_rank > 1", iv_rank=2.0)
    assert holds(" and ".join(["partial"] * 70), partial=True)


@pytest.mark.parametrize(
    ("text", "metric", "comparison", "level"),
    [
        ("iv_rank > 80", "iv_rank", ">", 80.0),
        ("80 <= iv_rank", "iv_rank", ">=", 80.0),
        ("(iv_30d < 1.5 * iv_90d)", "iv_30d", "<", 0.75),
        ("iv_90d * 2 >= iv_30d", "iv_30d", "<=", 1.0),
    ],
)
def test_a_single_comparison_of_a_field_says_metric_and_level(
    text: str, metric: str, comparison: str, level: float
) -> None:
    simple = parse(text).simple()
    assert simple is not None
    assert (simple.metric.name, simple.comparison) == (metric, comparison)
    assert simple.level.value({"iv_90d": 0.5}) == level


@pytest.mark.parametrize(
    "text", [DEAR, "not iv_rank > 80", 'grade == "A"', "partial", "iv_rank == 80", "iv_rank * 2 > 1"]
)
def test_any_other_condition_has_none(text: str) -> None:
    assert parse(text).simple() is None


def test_every_single_value_of_features_and_chains_has_a_name() -> None:
    assert NAMES["iv_30d"].type == "number"
    assert NAMES["next_earnings_confirmed"].type == "boolean"
    assert NAMES["next_earnings_date"].type == "date"
    assert NAMES["ticker"].type == "text"
    assert NAMES["chain.dte"].type == "number"
    assert NAMES["chain.analytics.skew.skew_25d"].type == "number"
    assert NAMES["chain.quality.facts.two_sided_share"].type == "number"
    for name in NAMES:
        comparable = {"number": f"{name} > 1", "text": f'{name} == "x"', "boolean": name, "date": f"{name} == {name}"}
        assert [field.name for field in parse(comparable[NAMES[name].type]).fields] == [name]
        assert parse(comparable[NAMES[name].type]).per_chain is name.startswith("chain.")


# Conditions and Python share this much of their grammar, so Python says what each comes to.
FIELDS = ("iv_rank", "iv_30d", "iv_60d")
numbers = st.one_of(
    st.sampled_from(FIELDS), st.floats(0, 1e6, allow_nan=False).map(repr), st.integers(0, 10**6).map(str)
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner)
    return st.one_of(
        pair.map(" ".join), pair.map(lambda parts: f"({' '.join(parts)})"), inner.map(lambda text: f"-{text}")
    )


arithmetic = st.recursive(numbers, combined, max_leaves=5)
compared = st.tuples(arithmetic, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), arithmetic).map(" ".join)


def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, st.sampled_from(["and", "or"]), inner)
    return st.one_of(
        pair.map(" ".join), pair.map(lambda parts: f"({' '.join(parts)})"), inner.map(lambda text: f"not {text}")
    )


@settings(deadline=None, max_examples=300)
@given(
    st.recursive(compared, joined, max_leaves=5),
    st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
)
def test_it_comes_to_what_python_makes_of_it(text: str, values: list[float]) -> None:
    figures = dict(zip(FIELDS, values, strict=True))
    text = f"{text} or iv_rank > 1e5"
    condition = parse(text)
    try:
        expected = eval(text, {"__builtins__": {}}, {**dict.fromkeys(FIELDS, 0.0), **figures})
    except (ZeroDivisionError, OverflowError):
        expected = None
    try:
        assert condition.holds(figures) == expected
    except NotComputable:
        # Python goes on with infinity.
        assert expected is None or any(math.isinf(value) for value in _parts(text, figures))


def _parts(text: str, figures: dict[str, float]) -> list[float]:
    """Return the values of the products and quotients of a text that Python computes."""
    import ast

    found = []
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.BinOp | ast.UnaryOp) and not isinstance(getattr(node, "op", None), ast.Not):
            try:
                found.append(float(eval(ast.unparse(node), {"__builtins__": {}}, figures)))
            except (ZeroDivisionError, OverflowError):
                found.append(math.inf)
    return found


def fault_of(text: str) -> RuleFault | None:
    """Return what is wrong with a text, None where it is a condition that can be judged."""
    try:
        condition: Condition = parse(text)
    except RuleFault as fault:
        return fault
    assert condition.fields
    assert condition.root.type == "boolean"
    return None


def stands_in(text: str, fault: RuleFault | None) -> bool:
    """Whether a fault is one line, and at a place of the text or at its end."""
    if fault is None:
        return True
    return fault.position is not None and 0 <= fault.position <= len(text) and "\n" not in str(fault)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_at_a_place_in_it(text: str) -> None:
    assert stands_in(text, fault_of(text))


WORDS = (
    *SIGNS,
    *LOGIC,
    "true",
    "iv_rank",
    "partial",
    "grade",
    "market_date",
    "chain.dte",
    "3",
    '"A"',
    "__class__",
    ".",
)


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_words_in_any_order_are_read_or_refused_at_a_place(text: str) -> None:
    fault = fault_of(text)
    assert stands_in(text, fault)
    assert fault is not None or "__class__" not in text
