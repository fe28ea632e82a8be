"""What is wrong with a rule, and where."""

from __future__ import annotations


class RuleFault(ValueError):
    """A rule that can't be; the message is one line.

    ``position`` is the place in the condition's text, from 0, None where it is of no place; ``key`` names what of the
    rule is wrong (condition, rearm, tickers …), empty where a condition stands alone.
    """

    def __init__(self, what: str, position: int | None = None, key: str = "") -> None:
        self.what = what
        self.position = position
        self.key = key
        place = "" if position is None else f"at character {position + 1}: "
        super().__init__(f"{f'{key}: ' if key else ''}{place}{what}")

    def under(self, key: str) -> RuleFault:
        """Return the same fault as one of the rule's ``key``."""
        return RuleFault(self.what, self.position, key)
