"""A condition over fields, such as ``iv_rank > 80 and iv_30d > 1.2 * realised_volatility_20d``: read, typed, judged.

    or · and · not · == != > >= < <= (one a comparison: 1 < x < 2 is not read) · + - · * / · - before a value

Numbers are compared with numbers, texts ("A") with texts, dates with dates or texts that state one, true and false
with == and != alone; two dates may be subtracted, which gives days. A condition is not judged where a field is null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import rule_engine
from rule_engine import ast, errors

from collector.rules.expression import (
    ARITHMETIC,
    COMPARISONS,
    Leaf,
    Node,
    Operation,
    comparisons,
    excess,
    leaves,
    speaks,
)
from collector.rules.fault import RuleFault
from collector.rules.names import NAMES, TYPE_WORDS, Named, Value, as_date, why_not
from collector.rules.tokens import LOGIC, Operand, Token, Tokens

Ordering = Literal[">=", "<=", ">", "<"]
ORDERINGS: dict[str, Ordering] = {">=": ">=", "<=": "<=", ">": ">", "<": "<"}
MIRRORED: dict[Ordering, Ordering] = {">=": "<=", "<=": ">=", ">": "<", "<": ">"}
LINES = re.compile(r"\s*[\r\n]\s*")
# The parser's names of the operators.
OPERATORS = {
    "and": "and",
    "or": "or",
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
    "eq": "==",
    "ne": "!=",
    "add": "+",
    "sub": "-",
    "mul": "*",
    "tdiv": "/",
}


@dataclass(frozen=True, slots=True)
class Simple:
    """A condition that is one comparison of a field with a number: the field is on the left."""

    metric: Named
    comparison: Ordering
    level: Node


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that can be judged. ``fields`` are those that it names, in their order."""

    text: str
    root: Node
    fields: tuple[Named, ...]

    @property
    def per_chain(self) -> bool:
        """Whether it names a field of chains, and so is judged chain by chain."""
        return any(field.of_chain for field in self.fields)

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Return whether it holds, given a value of each of its fields; raise NotComputable."""
        return bool(self.root.value(values))

    def excess(self, values: Mapping[str, Value]) -> float:
        """Return 0-1, how far the numbers stand beyond their levels; 0 where that can't be computed."""
        return excess(self.root, values) or 0.0

    def agreement(self, values: Mapping[str, Value]) -> float:
        """Return the share of its comparisons that hold, 0 where there is only one.

        One that can't be computed does not hold.
        """
        held = [speaks(comparison, values) for comparison in comparisons(self.root)]
        return sum(held) / len(held) if len(held) > 1 else 0.0

    def simple(self) -> Simple | None:
        """Return its one comparison where it is that of a field with a number, None where it is more."""
        root = self.root
        if not isinstance(root, Operation) or root.operator not in ORDERINGS:
            return None
        left, right = root.operands
        comparison = ORDERINGS[root.operator]
        for field, level, order in ((left, right, comparison), (right, left, MIRRORED[comparison])):
            if isinstance(field, Leaf) and field.named is not None and field.type == "number":
                return Simple(field.named, order, level)
        return None


def parse(text: str) -> Condition:
    """Return the condition that a text states.

    Raises:
        RuleFault: the text is none; says at which character, what is wrong, and for an unknown field the nearest.
    """
    if not text.strip():
        raise RuleFault("a condition is missing; write one such as iv_rank > 80", 0)
    try:
        root = _node(_tree(text))
    except RecursionError:
        raise RuleFault("the condition is nested too deep", 0) from None
    if root.type != "boolean":
        raise RuleFault(
            f"{_shown(root)} is {TYPE_WORDS[root.type]}, and a condition is true or false: compare it", root.position
        )
    fields = tuple(dict.fromkeys(leaf.named for leaf in leaves(root) if leaf.named is not None))
    if not fields:
        raise RuleFault("the condition names no field, such as iv_rank", 0)
    return Condition(LINES.sub(" ", text.strip()), root, fields)


def _tree(text: str) -> ast.ExpressionBase:
    """Return the parser's tree of a condition's text."""
    reached = [0]

    def undefined(name: str) -> rule_engine.DataType:
        """Note how far the parser came; types are checked here, where their places are known."""
        reached[0] = name.position if isinstance(name, Operand) else reached[0]
        return rule_engine.DataType.UNDEFINED

    try:
        context = rule_engine.Context(type_resolver=undefined)
        return rule_engine.Rule.parser.parse(text, context, lexer=Tokens()).expression
    except errors.RuleSyntaxError as error:
        token = error.token
        if isinstance(token, Token):
            raise RuleFault(_misplaced(token), token.lexpos) from None
        raise RuleFault("the condition ends too early", len(text.rstrip())) from None
    except errors.EngineError:
        raise RuleFault("a number and a true or false meet here", reached[0]) from None


def _misplaced(token: Token) -> str:
    """Return what is wrong with a word that the grammar does not expect."""
    word = token.value
    if word.lower() in LOGIC and word not in LOGIC:
        return f"{word} can't stand here; write {word.lower()}"
    if word in COMPARISONS:
        return f"{word} can't stand here; join two comparisons by and"
    return f"{word} can't stand here"


def _node(tree: ast.ExpressionBase) -> Node:
    """Return the typed node of a parser's one."""
    if isinstance(tree, ast.SymbolExpression):
        return _leaf(tree.name)
    if isinstance(tree, ast.UnaryExpression):
        return _unary("not" if tree.type == "not" else "-", _node(tree.right))
    if isinstance(tree, ast.FunctionCallExpression):
        function = _node(tree.function)
        raise RuleFault(f"{_shown(function)} is no function, and a rule calls none", function.position)
    operator = OPERATORS[tree.type]
    return _binary(operator, _node(tree.left), _node(tree.right))


def _leaf(operand: Operand) -> Leaf:
    if operand.type is not None:
        return Leaf(str(operand), operand.type, operand.position, constant=operand.value)
    named = NAMES.get(str(operand))
    if named is None:
        raise RuleFault(why_not(str(operand)), operand.position)
    return Leaf(named.name, named.type, operand.position, named=named)


def _unary(operator: str, operand: Node) -> Operation:
    wanted: Literal["boolean", "number"] = "boolean" if operator == "not" else "number"
    _want(operator, operand, wanted)
    return Operation(operator, (operand,), wanted, operand.position)


def _binary(operator: str, left: Node, right: Node) -> Operation:
    if operator in COMPARISONS:
        left, right = _dated(left, right), _dated(right, left)
        if left.type != right.type:
            what = f"{TYPE_WORDS[left.type]} and can't be compared with {_shown(right)}, {TYPE_WORDS[right.type]}"
            raise RuleFault(f"{_shown(left)} is {what}", left.position)
        if left.type == "boolean" and operator in ORDERINGS:
            raise RuleFault(f"{_shown(left)} is true or false; only == and != compare that", left.position)
        return Operation(operator, (left, right), "boolean", left.position)
    if operator in ARITHMETIC:
        if operator == "-" and left.type == "date" and right.type == "date":
            return Operation(operator, (left, right), "number", left.position)
        for side in (left, right):
            _want(operator, side, "number")
        return Operation(operator, (left, right), "number", left.position)
    for side in (left, right):
        _want(operator, side, "boolean")
    return Operation(operator, (left, right), "boolean", left.position)


def _want(operator: str, node: Node, wanted: Literal["boolean", "number"]) -> None:
    if node.type != wanted:
        remedy = "; compare it with something" if wanted == "boolean" else ""
        what = f"{TYPE_WORDS[node.type]}, and “{operator}” takes {TYPE_WORDS[wanted]}"
        raise RuleFault(f"{_shown(node)} is {what}{remedy}", node.position)


def _dated(node: Node, other: Node) -> Node:
    """Return a text beside a date as the date that it states."""
    if not isinstance(node, Leaf) or node.type != "text" or node.named is not None or other.type != "date":
        return node
    day = as_date(str(node.constant))
    if day is None:
        raise RuleFault(f"{node.text} is no date such as 2026-10-29", node.position)
    return Leaf(node.text, "date", node.position, constant=day)


def _shown(node: Node) -> str:
    return node.text if isinstance(node, Leaf) else "what stands here"
