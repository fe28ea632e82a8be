"""How alerts live and score, whatever the detector: the ``[alerts]`` table of the configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from collector.alerts import verdicts
from collector.alerts.scoring import Weights
from collector.detectors.base import ConfigError
from collector.detectors.levels import check_whole


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """What holds for every alert.

    Attributes:
        cool_down_days: calendar days after its end within which a key that arms again goes on with its old episode
            instead of beginning a new one; 0: only within the same session.
        storm: new alerts in one scan above which they are told as one digest.
        weights: points of each part of the score.
        verdict: levels of what the next session's open interest says of an activity alert.
    """

    cool_down_days: int = 5
    storm: int = 20
    weights: Weights = field(default_factory=Weights)
    verdict: verdicts.Config = field(default_factory=verdicts.Config)

    def __post_init__(self) -> None:
        """Refuse what can't work, naming the field."""
        # An ended alert is looked up for 30 days.
        check_whole("cool_down_days", self.cool_down_days, 0, 30)
        check_whole("storm", self.storm, 1)

    def configuration(self) -> dict[str, Any]:
        """Return it as JSON values: ``policy_from`` makes the same of them again."""
        return asdict(self)


def policy_from(table: Mapping[str, Any]) -> AlertPolicy:
    """Return the policy with the table's values in place of the defaults.

    Raises:
        ConfigError: an unknown key, or a value that can't work.
    """
    names = [one.name for one in fields(AlertPolicy)]
    _refuse_unknown(table, names, "")
    values = dict(table)
    for name, kind in (("weights", Weights), ("verdict", verdicts.Config)):
        if name in values:
            values[name] = _made(name, kind, values[name])
    return AlertPolicy(**values)


def _made(name: str, kind: type[Weights] | type[verdicts.Config], table: Any) -> Any:
    """Return what a table of its own makes."""
    if not isinstance(table, Mapping):
        raise ConfigError(f"{name}: is a table of numbers, [alerts.{name}]")
    _refuse_unknown(table, [one.name for one in fields(kind)], f"{name}.")
    try:
        return kind(**table)
    except ConfigError as error:
        raise ConfigError(f"{name}.{error}") from error


def _refuse_unknown(table: Mapping[str, Any], names: list[str], place: str) -> None:
    for name in table:
        if name not in names:
            raise ConfigError(f"{place}{name}: no such key; there is {', '.join(names)}")
