"""What a replay says of the levels by which a scan was judged: those that this version can't use as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collector.configuration import Alerting


def levels_told(configuration: Any, alerting: Alerting, detector: str) -> Iterator[str]:
    """Yield, as notes, what of a scan's levels this version can't use or uses otherwise; levels added since are none.

    Args:
        configuration: the scan's, as its row has it, whatever its shape.
        alerting: what ``alerting_of`` made of it.
        detector: the alert's.
    """
    if detector not in {one.name for one in alerting.detectors}:
        yield f"{detector}: this version has no such detector, or can't use the rule of then"
    if alerting.fault is not None:
        yield f"this version can't use the levels of then; the defaults stand in: {alerting.fault}"
        return
    planned = table_of(configuration)
    then = table_of(table_of(planned.get("detectors")).get(detector))
    policy = table_of(planned.get("alerts"))
    unlike = [
        *_unlike(then, alerting.detectors.configuration().get(detector, {}), f"detectors.{detector}"),
        *_unlike(policy, alerting.policy.configuration(), "alerts"),
    ]
    if unlike:
        yield f"this version does not use these levels of then as they were: {', '.join(unlike)}"


def _unlike(then: Mapping[str, Any], now: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the keys of ``then`` that have another value now, as dotted paths."""
    for name, value in then.items():
        other = now.get(name)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            yield from _unlike(value, other, f"{path}.{name}")
        elif value != other:
            yield f"{path}.{name}"


def table_of(content: Any) -> dict[str, Any]:
    """Return a part of a recorded configuration; {} where it is no table, which ``alerting_of`` has told."""
    return dict(content) if isinstance(content, Mapping) else {}
