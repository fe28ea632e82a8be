"""The effective configuration of a scan: detectors' levels from the TOML file over their defaults, the users' rules,
the events that the file states, and all else that shapes its numbers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from collector import quality
from collector.alerts.policy import AlertPolicy, policy_from
from collector.detectors.base import ConfigError
from collector.detectors.registry import DetectorSet, configured
from collector.market.events import Event
from collector.rules.definition import RuleDefinition, rule_from, rules_from
from collector.rules.fault import RuleFault
from collector.toml_file import read_toml
from collector.user_events import read_events, to_json

logger = logging.getLogger(__name__)

KNOWN_TABLES = ("alerts", "detectors", "events", "rules")


@dataclass(frozen=True, slots=True)
class Alerting:
    """By what a scan is judged; ``fault`` says why the defaults stand in for what was planned, where they do."""

    detectors: DetectorSet
    policy: AlertPolicy
    fault: str | None = None


def alerting_of(configuration: Any) -> Alerting:
    """Return by what a scan is judged that was planned with a configuration, as ``effective`` gave it.

    Where this version can't use its levels (the scan was planned by another, or they are no tables), the defaults stand
    in for all of them, with a warning.
    """
    if not isinstance(configuration, Mapping):
        return _defaults("the configuration is no table", ())
    rules = _planned_rules(configuration.get("rules", []))
    try:
        detectors = configured(_planned_table(configuration, "detectors")).with_rules(rules)
    except ConfigError as error:
        return _defaults(f"detectors: {error}", rules)
    try:
        return Alerting(detectors, policy_from(_planned_table(configuration, "alerts")))
    except ConfigError as error:
        return _defaults(f"alerts: {error}", rules)


def _defaults(fault: str, rules: Sequence[RuleDefinition]) -> Alerting:
    """Return the default levels with a plan's rules, and warn why."""
    logger.warning("A scan was planned with levels that can't be used; the defaults stand in: %s", fault)
    return Alerting(DetectorSet().with_rules(rules), AlertPolicy(), fault)


def _planned_table(configuration: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a table of a plan; raise ConfigError where it is something else."""
    table = configuration.get(name, {})
    if not isinstance(table, Mapping):
        raise ConfigError("no table")
    return table


def _planned_rules(content: Any) -> tuple[RuleDefinition, ...]:
    """Return a plan's rules; one that this version can't read is left out, with a warning."""
    if not isinstance(content, list):
        logger.warning("A scan was planned with rules that can't be used: they are no list of tables")
        return ()
    rules = []
    for table in content:
        if not isinstance(table, Mapping):
            logger.warning("A scan was planned with a rule that can't be used: it is no table")
            continue
        try:
            rules.append(rule_from(table))
        except RuleFault as fault:
            logger.warning("A scan was planned with the rule %s, which can't be used: %s", table.get("name"), fault)
    return tuple(rules)


@lru_cache(maxsize=4)
def detectors(config: Path | None) -> DetectorSet:
    """Return the detectors with the levels of the TOML file; the defaults without a file.

    ``[detectors.<name>]`` holds for all tickers, ``[detectors.<name>.tickers.<ticker>]`` for one.

    Raises:
        ConfigError: a file that can't be read, an unknown table, detector or level, or a level that can't work; names
            file and key.
    """
    if config is None:
        return configured({})
    levels = _content(config).get("detectors", {})
    if not isinstance(levels, dict) or not all(isinstance(table, dict) for table in levels.values()):
        raise ConfigError(f"{config}: detectors: each is a table such as [detectors.unusual_activity]")
    try:
        return configured(levels)
    except ConfigError as error:
        raise ConfigError(f"{config}: detectors.{error}") from error


@lru_cache(maxsize=4)
def policy(config: Path | None) -> AlertPolicy:
    """Return how alerts live and score by the TOML file's ``[alerts]``; the defaults without a file.

    Raises:
        ConfigError: a file that can't be read, an unknown table or key, or a value that can't work.
    """
    if config is None:
        return AlertPolicy()
    table = _content(config).get("alerts", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{config}: alerts: is a table, [alerts]")
    try:
        return policy_from(table)
    except ConfigError as error:
        raise ConfigError(f"{config}: alerts.{error}") from error


@lru_cache(maxsize=4)
def events(config: Path | None) -> tuple[Event, ...]:
    """Return the events that the TOML file states (``[[events]]``, see collector/user_events.py); () without a file.

    Raises:
        ConfigError: a file that can't be read, an unknown table, or what can't be an event; names file and key.
    """
    if config is None:
        return ()
    content = _content(config).get("events", [])
    try:
        return read_events(content)
    except ConfigError as error:
        raise ConfigError(f"{config}: {error}") from error


@lru_cache(maxsize=4)
def file_rules(config: Path | None) -> tuple[RuleDefinition, ...]:
    """Return the rules of the TOML file (``[[rules]]``, see collector/rules/definition.py); () without a file.

    Raises:
        ConfigError: a file that can't be read, an unknown table, or what can't be a rule; names file and key.
    """
    if config is None:
        return ()
    try:
        return rules_from(_content(config).get("rules", []))
    except RuleFault as fault:
        raise ConfigError(f"{config}: {fault}") from fault


def rules(config: Path | None, of_admin: Sequence[RuleDefinition]) -> tuple[RuleDefinition, ...]:
    """Return the rules of the TOML file and those made in the admin, by name.

    Raises:
        ConfigError: as ``file_rules``, and where both have a rule of one name.
    """
    both = {rule.detector: rule for rule in of_admin}
    for rule in file_rules(config):
        other = both.get(rule.detector)
        if other is not None:
            raise ConfigError(
                f"{config}: rules: {rule.name!r} is the name of a rule in the admin too ({other.name!r}); "
                "rename or disable one of them"
            )
    return tuple(sorted((*file_rules(config), *of_admin), key=lambda rule: rule.detector))


def check(config: Path | None, of_admin: Sequence[RuleDefinition]) -> None:
    """Read all of the TOML file, for what uses a part of it.

    Raises:
        ConfigError: the file can't be used; names it and the key.
    """
    detectors(config)
    policy(config)
    rules(config, of_admin)
    events(config)


def _content(config: Path) -> dict[str, Any]:
    """Return what the file holds; raise ConfigError where it can't be read or has a table that is not known."""
    try:
        content = read_toml(config)
    except (OSError, ValueError) as error:
        raise ConfigError(f"OPTSITE_CONFIG {config} can't be read as TOML: {error}") from error
    for name in content:
        if name not in KNOWN_TABLES:
            raise ConfigError(f"{config}: {name}: no such table; there are {', '.join(KNOWN_TABLES)}")
    return content


def effective(
    config: Path | None, provider: str, shaping: dict[str, Any], of_admin: Sequence[RuleDefinition] = ()
) -> dict[str, Any]:
    """Return everything that shapes a scan's numbers, JSON-ready.

    Args:
        config: the TOML file, None without one.
        provider: the provider's name.
        shaping: the settings that the plan obeys.
        of_admin: the rules made in the admin for the provider's market.

    Raises:
        ConfigError: the file can't be used; names it and the key.
    """
    return {
        "provider": provider,
        "settings": shaping,
        "quality": {
            "cut_offs": [asdict(cut_off) for cut_off in quality.CUT_OFFS],
            "minimum_deviation": quality.MINIMUM_DEVIATION,
            "straddle_to_deviation": quality.STRADDLE_TO_DEVIATION,
            "minimum_contracts": quality.MINIMUM_CONTRACTS,
            "cap_outside_session": quality.CAP_OUTSIDE_SESSION,
            "cap_stale": quality.CAP_STALE,
            "stale_after_seconds": quality.STALE_AFTER.total_seconds(),
            "cap_open_interest_unknown": quality.CAP_OPEN_INTEREST_UNKNOWN,
        },
        "detectors": detectors(config).configuration(),
        "alerts": policy(config).configuration(),
        "rules": [rule.to_json() for rule in rules(config, of_admin)],
        "events": [to_json(event) for event in events(config)],
    }
