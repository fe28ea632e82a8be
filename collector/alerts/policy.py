"""How alerts live and score, whatever the detector: the ``[alerts]`` table of the configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

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
    """

    cool_down_days: int = 5
    storm: int = 20
    weights: Weights = field(default_factory=Weights)

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
    if "weights" in values:
        weights = values["weights"]
        if not isinstance(weights, Mapping):
            raise ConfigError("weights: is a table of points, [alerts.weights]")
        _refuse_unknown(weights, [one.name for one in fields(Weights)], "weights.")
        try:
            values["weights"] = Weights(**weights)
        except ConfigError as error:
            raise ConfigError(f"weights.{error}") from error
    return AlertPolicy(**values)


def _refuse_unknown(table: Mapping[str, Any], names: list[str], place: str) -> None:
    for name in table:
        if name not in names:
            raise ConfigError(f"{place}{name}: no such key; there is {', '.join(names)}")
