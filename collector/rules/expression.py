"""The tree of a condition: typed, and computed in doubles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv
from typing import Any

from collector.rules.names import Named, Value, ValueType

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le, "==": eq, "!=": ne}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {"+": add, "-": sub, "*": mul, "/": truediv}
# A comparison of a name in this unit ends at 100.
RANK = "0-100"


class NotComputable(ArithmeticError):
    """The numbers of a condition come to nothing: a division by zero, or beyond all doubles."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field, where ``named`` says which, or a constant."""

    text: str
    type: ValueType
    position: int
    named: Named | None = None
    constant: Value | None = None

    def value(self, values: Mapping[str, Value]) -> Value:
        """Return the field's value, or the constant."""
        if self.named is not None:
            return values[self.named.name]
        assert self.constant is not None
        return self.constant


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator and what it works on: one or two nodes."""

    operator: str
    operands: tuple[Node, ...]
    type: ValueType
    position: int

    def value(self, values: Mapping[str, Value]) -> Value:
        """Return what it comes to; raise NotComputable."""
        if self.operator == "and":
            return all(operand.value(values) for operand in self.operands)
        if self.operator == "or":
            return any(operand.value(values) for operand in self.operands)
        found = [operand.value(values) for operand in self.operands]
        if self.operator == "not":
            return not found[0]
        if self.operator in COMPARISONS:
            return COMPARISONS[self.operator](*found)
        return _number(self.operator, found)


Node = Leaf | Operation


def _number(operator: str, found: list[Value]) -> float:
    if len(found) == 1:
        assert isinstance(found[0], float)
        return -found[0]
    left, right = found
    if isinstance(left, date) and isinstance(right, date):
        return float((left - right).days)
    try:
        result = float(ARITHMETIC[operator](left, right))
    except (ZeroDivisionError, OverflowError) as error:
        raise NotComputable from error
    if not math.isfinite(result):
        raise NotComputable
    return result


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the fields and constants, from left to right."""
    if isinstance(node, Leaf):
        yield node
    else:
        for operand in node.operands:
            yield from leaves(operand)


def comparisons(node: Node) -> Iterator[Operation]:
    """Yield the comparisons, from left to right."""
    if isinstance(node, Operation):
        if node.operator in COMPARISONS:
            yield node
        else:
            for operand in node.operands:
                yield from comparisons(operand)


def speaks(comparison: Operation, values: Mapping[str, Value]) -> bool:
    """Return whether a comparison holds; one that can't be computed does not."""
    try:
        return bool(comparison.value(values))
    except NotComputable:
        return False


def excess(node: Node, values: Mapping[str, Value]) -> float | None:
    """Return 0-1, how far the numbers stand beyond their levels; None where no number says that.

    A comparison's is the distance over the larger of both sides, or over what is left to the end of a scale from 0 to
    100; the least of what is joined by ``and``, the most of what is joined by ``or``, 0 for what does not hold or
    can't be computed.
    """
    if isinstance(node, Leaf) or node.operator == "not":
        return None
    if node.operator in ("and", "or"):
        known = [found for operand in node.operands if (found := excess(operand, values)) is not None]
        if not known:
            return None
        return min(known) if node.operator == "and" else max(known)
    try:
        left, right = (operand.value(values) for operand in node.operands)
    except NotComputable:
        # A branch beside the one that holds, which judging never reached.
        return 0.0
    ordered = node.operator not in ("==", "!=")
    if not ordered or not isinstance(left, float) or not isinstance(right, float) or isinstance(left, bool):
        return None
    distance = left - right if node.operator in (">", ">=") else right - left
    room = _room(node, left, right)
    return min(max(distance / room, 0.0), 1.0) if room > 0 else 0.0


def _room(comparison: Operation, left: float, right: float) -> float:
    """Return the distance that counts as full."""
    sides = comparison.operands
    over = comparison.operator in (">", ">=")
    for side, other in ((0, right), (1, left)):
        leaf = sides[side]
        if isinstance(leaf, Leaf) and leaf.named is not None and leaf.named.unit == RANK:
            # On the left of > a rank has the way to 100 left, on its right the way to 0.
            return 100.0 - other if over is (side == 0) else other
    return max(abs(left), abs(right))
