"""The detectors that a scan runs, and how a configuration file changes their levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from collector.detectors.base import ConfigError, Detector
from collector.detectors.unusual_activity import Config as UnusualActivityConfig
from collector.detectors.unusual_activity import UnusualActivity

DETECTORS: tuple[Detector, ...] = (UnusualActivity(),)


def configured(levels: Mapping[str, Mapping[str, Any]]) -> tuple[Detector, ...]:
    """Return the detectors with ``levels`` (detector name to field to value) in place of the defaults.

    Raises:
        ConfigError: an unknown detector or field, or a level that can't work.
    """
    known = tuple(detector.name for detector in DETECTORS)
    for name in levels:
        if name not in known:
            raise ConfigError(f"{name}: no such detector; there is {', '.join(known)}")
    return (_unusual_activity(levels.get(UnusualActivity.name, {})),)


def _unusual_activity(levels: Mapping[str, Any]) -> UnusualActivity:
    names = tuple(field.name for field in fields(UnusualActivityConfig))
    for name in levels:
        if name not in names:
            raise ConfigError(f"{UnusualActivity.name}.{name}: no such level; there is {', '.join(names)}")
    try:
        return UnusualActivity(UnusualActivityConfig(**levels))
    except ConfigError as error:
        raise ConfigError(f"{UnusualActivity.name}.{error}") from error
