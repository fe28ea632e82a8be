"""The rules of the configuration file, read without what else a scan's configuration needs."""

from __future__ import annotations

from pathlib import Path

from collector.rules.definition import RuleDefinition, rules_from
from collector.rules.fault import RuleFault
from collector.toml_file import read_toml


def rules_of_file(config: Path | None) -> tuple[RuleDefinition, ...]:
    """Return the rules of the TOML file; () without one.

    Raises:
        RuleFault: the file can't be read, or what can't be a rule.
    """
    if config is None:
        return ()
    try:
        content = read_toml(config)
    except (OSError, ValueError) as error:
        raise RuleFault(f"{config} can't be read as TOML: {error}", key="rules") from error
    return rules_from(content.get("rules", []))
