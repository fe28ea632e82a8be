"""The words of a condition: names, numbers, texts, comparisons, arithmetic, and, or, not, parentheses; nothing else.

The grammar and the tree are rule-engine's, the words are ours: it has more of them (attributes, functions, regular
expressions, its own decimals), which a rule must not reach. Numbers and texts are handed over as names, so that it
neither folds them nor turns them into decimals: conditions are computed in doubles, like the figures that they name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from collector.rules.fault import RuleFault
from collector.rules.names import Value, ValueType

MAX_LENGTH = 1000
MAX_TOKENS = 200

WORDS = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    |(?P<text>"[^"\\\r\n]*"|'[^'\\\r\n]*')
    |(?P<sign><=|>=|==|!=|[-+*/<>()])
    """,
    re.VERBOSE,
)
SIGNS = {
    "<=": "LE",
    ">=": "GE",
    "==": "EQ",
    "!=": "NE",
    "<": "LT",
    ">": "GT",
    "+": "ADD",
    "-": "SUB",
    "*": "MUL",
    "/": "TDIV",
    "(": "LPAREN",
    ")": "RPAREN",
}
LOGIC = {"and": "AND", "or": "OR", "not": "NOT"}
CONSTANTS = {"true": True, "false": False}
REMEDIES = {
    "=": "write == to compare",
    "&": "write and",
    "|": "write or",
    "!": "write not, or != to compare",
    "%": "rates are decimals (0.25), ranks and percentiles 0 to 100; write the number alone",
    "$": "a rule names fields and nothing else",
    "[": "a rule compares single values, and has no lists",
    '"': "this text has no end",
    "'": "this text has no end",
    "#": "a condition holds no comment",
}


class Operand(str):
    """The text of a name, number, text or constant, with its place; the parser passes it on as it is.

    ``type`` is None for a name, whose type is its field's; ``value`` is None then too.
    """

    __slots__ = ("position", "type", "value")
    position: int
    type: ValueType | None
    value: Value | None

    def __new__(cls, text: str, position: int, type: ValueType | None = None, value: Value | None = None) -> Operand:
        """Make it of its text."""
        made = super().__new__(cls, text)
        made.position, made.type, made.value = position, type, value
        return made


class Token:
    """One word, with the attributes that the parser asks for."""

    def __init__(self, type: str, value: str, position: int) -> None:
        self.type = type
        self.value = value
        self.lineno = 1
        self.lexpos = position


class Tokens:
    """The words of one condition, in the shape in which the parser takes them."""

    def __init__(self) -> None:
        self._tokens: Iterator[Token] = iter(())

    def input(self, text: str) -> None:
        """Begin with a text."""
        self._tokens = tokens(text)

    def token(self) -> Token | None:
        """Return the next word, None at the end; raise RuleFault where there is none."""
        return next(self._tokens, None)


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a condition; raise RuleFault at what is none."""
    if len(text) > MAX_LENGTH:
        raise RuleFault(f"a condition has at most {MAX_LENGTH:,} characters", MAX_LENGTH)
    position = count = 0
    while position < len(text):
        found = WORDS.match(text, position)
        if found is None:
            sign = text[position]
            raise RuleFault(
                f"{sign!r} can't stand here; {REMEDIES.get(sign, 'see the README for the words')}", position
            )
        if found.lastgroup != "space":
            count += 1
            if count > MAX_TOKENS:
                raise RuleFault(f"a condition has at most {MAX_TOKENS} words and signs", position)
            yield _token(str(found.lastgroup), found.group(), position)
        position = found.end()


def _token(group: str, text: str, position: int) -> Token:
    if group == "sign":
        return Token(SIGNS[text], text, position)
    if group == "name":
        if text in LOGIC:
            return Token(LOGIC[text], text, position)
        if text in CONSTANTS:
            return Token("SYMBOL", Operand(text, position, "boolean", CONSTANTS[text]), position)
        return Token("SYMBOL", Operand(text, position), position)
    if group == "text":
        return Token("SYMBOL", Operand(text, position, "text", text[1:-1]), position)
    number = float(text)
    if not math.isfinite(number):
        raise RuleFault(f"{text} is too large a number", position)
    return Token("SYMBOL", Operand(text, position, "number", number), position)
