"""The rules that were made in the admin, as scans take them."""

from __future__ import annotations

import logging

from collector.models import Rule
from collector.rules.definition import RuleDefinition
from collector.rules.fault import RuleFault

logger = logging.getLogger(__name__)


def rules_of(market: str) -> tuple[RuleDefinition, ...]:
    """Return the enabled rules of a market, by name.

    One that can't be read any more, because a field that it names is gone, is left out with an error in the log.
    """
    rules = []
    for row in Rule.objects.filter(market=market, enabled=True).order_by("slug"):
        try:
            rules.append(row.definition())
        except RuleFault as fault:
            logger.error("The rule %s can't be used any more and is left out: %s", row.name, fault)
    return tuple(rules)
