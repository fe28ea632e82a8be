"""A rule as its user states it, checked: what the configuration file, the admin and a scan's configuration hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from collector.rules.condition import Condition, Simple, parse
from collector.rules.expression import Leaf
from collector.rules.fault import RuleFault
from collector.rules.names import Named
from collector.toml_file import shown
from exports.tickers import TickerError, canonical

Direction = Literal["bullish", "bearish", "neutral"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
GRADES = ("A", "B", "C", "D")
KEYS = ("name", "condition", "rearm", "tickers", "direction", "minimum_grade")
PREFIX = "rule:"
NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class RuleDefinition:
    """One rule.

    Attributes:
        name: as its user calls it.
        condition: what has to hold for an alert to begin.
        rearm: what has to hold for an alert to go on; the condition itself where it is None.
        tickers: whose figures it is judged on; () for the whole watchlist.
        direction: what its alerts say of the price.
        minimum_grade: worst grade of the chains that its figures may stand on.
    """

    name: str
    condition: Condition
    rearm: Condition | None = None
    tickers: tuple[str, ...] = ()
    direction: Direction = "neutral"
    minimum_grade: str = "C"

    @property
    def detector(self) -> str:
        """Return the name of its detector."""
        return f"{PREFIX}{slug(self.name)}"

    @property
    def fields(self) -> tuple[Named, ...]:
        """Return the fields that it names, those of the re-arm condition last."""
        return tuple(dict.fromkeys((*self.condition.fields, *(self.rearm.fields if self.rearm else ()))))

    @property
    def per_chain(self) -> bool:
        """Whether it is judged chain by chain."""
        return any(field.of_chain for field in self.fields)

    def applies_to(self, ticker: str) -> bool:
        """Return whether a ticker is one of its own."""
        return not self.tickers or ticker in self.tickers

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values: ``rule_from`` makes the same rule of them again."""
        return {
            "name": self.name,
            "condition": self.condition.text,
            "rearm": self.rearm.text if self.rearm else None,
            "tickers": list(self.tickers),
            "direction": self.direction,
            "minimum_grade": self.minimum_grade,
        }


def slug(name: str) -> str:
    """Return a name in a to z, 0 to 9 and hyphens: what tells rules apart. High IV! is high-iv."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def rule_from(table: Mapping[str, Any]) -> RuleDefinition:
    """Return the rule that a table states: a name, a condition, and optionally the other keys of KEYS.

    Raises:
        RuleFault: an unknown key, or a value that can't be; names the key and, in a condition, the character.
    """
    for key in table:
        if key not in KEYS:
            raise RuleFault(f"no such key; there are {', '.join(KEYS)}", key=str(key))
    condition = _condition(table, "condition")
    rearm = _condition(table, "rearm") if table.get("rearm") is not None else None
    if rearm is not None:
        _check_rearm(condition, rearm)
    return RuleDefinition(
        name=_name(table.get("name")),
        condition=condition,
        rearm=rearm,
        tickers=_tickers(table.get("tickers", ())),
        direction=_direction(table.get("direction", "neutral")),
        minimum_grade=_grade(table.get("minimum_grade", "C")),
    )


def rules_from(content: Any) -> tuple[RuleDefinition, ...]:
    """Return the rules of a list of tables, in its order.

    Raises:
        RuleFault: no list of tables, a table that states no rule, or a name that two have; the key begins with the
            table's number, from 1.
    """
    if not isinstance(content, list) or not all(isinstance(table, Mapping) for table in content):
        raise RuleFault("each is a table [[rules]] with name and condition", key="rules")
    found: dict[str, str] = {}
    rules = []
    for number, table in enumerate(content, start=1):
        place = f"rules[{number}]"
        try:
            rule = rule_from(table)
        except RuleFault as fault:
            raise fault.under(f"{place}.{fault.key}" if fault.key else place) from None
        if rule.detector in found:
            raise RuleFault(f"{rule.name!r} is the name of {found[rule.detector]} too", key=f"{place}.name")
        found[rule.detector] = place
        rules.append(rule)
    return tuple(rules)


def _name(stated: Any) -> str:
    if not isinstance(stated, str) or not stated.strip():
        raise RuleFault("a rule needs a name", key="name")
    name = " ".join(stated.split())
    if not name.isprintable() or len(name) > NAME_LENGTH:
        raise RuleFault(f"a name has at most {NAME_LENGTH} printable characters", key="name")
    if not slug(name):
        raise RuleFault(f"{name!r} has no letter of a to z and no digit; its alerts are told by those", key="name")
    return name


def _condition(table: Mapping[str, Any], key: str) -> Condition:
    stated = table.get(key)
    if not isinstance(stated, str):
        raise RuleFault("a text such as 'iv_rank > 80' is needed", key=key)
    try:
        return parse(stated)
    except RuleFault as fault:
        raise fault.under(key) from None


def _check_rearm(condition: Condition, rearm: Condition) -> None:
    """Refuse a re-arm condition that would end an alert where it begins, as far as two simple comparisons tell."""
    arm, keep = condition.simple(), rearm.simple()
    if arm is None or keep is None or arm.metric != keep.metric:
        return
    if arm.comparison[0] != keep.comparison[0]:
        raise RuleFault(
            f"an alert goes on while this holds, so {keep.comparison} points the wrong way: "
            f"write it like the condition, with a level that is reached sooner",
            key="rearm",
        )
    begins, goes_on = _constant(arm), _constant(keep)
    if begins is None or goes_on is None:
        return
    if (goes_on > begins) if arm.comparison[0] == ">" else (goes_on < begins):
        raise RuleFault(
            f"an alert goes on while this holds; {goes_on:g} is beyond {begins:g}, where it begins", key="rearm"
        )


def _constant(simple: Simple) -> float | None:
    level = simple.level
    return level.constant if isinstance(level, Leaf) and isinstance(level.constant, float) else None


def _tickers(stated: Any) -> tuple[str, ...]:
    if isinstance(stated, str) or not isinstance(stated, Sequence) or not all(isinstance(one, str) for one in stated):
        raise RuleFault(
            'a list such as ["AAPL", "BRK-B"] is needed; leave it out for the whole watchlist', key="tickers"
        )
    try:
        return tuple(sorted({canonical(one) for one in stated}))
    except TickerError as error:
        raise RuleFault(str(error), key="tickers") from error


def _direction(stated: Any) -> Direction:
    for direction in DIRECTIONS:
        if stated == direction:
            return direction
    raise RuleFault(f"{shown(stated)} is not one of {', '.join(DIRECTIONS)}", key="direction")


def _grade(stated: Any) -> str:
    if stated not in GRADES:
        raise RuleFault(f"{shown(stated)} is not one of {', '.join(GRADES)}", key="minimum_grade")
    return str(stated)
