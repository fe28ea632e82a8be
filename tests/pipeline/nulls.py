"""Walks published records for what is null and does not say why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from exports.documents import CHAINS, CONTRACT_FIELDS, FEATURES, Field

# What is null by its nature: nothing newer was tried, nothing was scanned before.
NATURAL = frozenset({"newest_attempt", "coverage.listed"})


def null_paths(fields: Sequence[Field], content: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the path of each null in a record and in the objects within it; lists are not entered."""
    for field in fields:
        value = content[field.name]
        if value is None:
            yield f"{path}{field.name}"
        elif field.type == "object" and field.fields:
            yield from null_paths(field.fields, value, f"{path}{field.name}.")


def unexplained_in_chain(chain: dict[str, Any]) -> list[str]:
    """Return the nulls of a published chain and its contracts without a reason; facts of its grade are none."""
    told = chain["reasons"]
    found = [
        path
        for path in null_paths(CHAINS.fields, chain)
        if path not in told and path not in NATURAL and not path.startswith("quality.")
    ]
    for side in ("calls", "puts"):
        for one in chain[side]:
            found += [
                f"{one['contract_symbol']} {path}"
                for path in null_paths(CONTRACT_FIELDS, one)
                if path not in one["reasons"] and f"contracts.{path}" not in told
            ]
    return found


def unexplained_in_feature(feature: dict[str, Any]) -> list[str]:
    """Return the nulls of a published feature without a reason."""
    return [path for path in null_paths(FEATURES.fields, feature) if path not in feature["reasons"]]


def without_null(chain: dict[str, Any]) -> list[str]:
    """Return the reasons of a published chain, and of its contracts, that stand beside a value."""
    nulls = set(null_paths(CHAINS.fields, chain))
    contracts = [*chain["calls"], *chain["puts"]]
    found = [
        path
        for path in chain["reasons"]
        if path not in nulls
        and not (path.startswith("contracts.") and all(one[path.split(".")[1]] is None for one in contracts))
    ]
    for one in contracts:
        found += [f"{one['contract_symbol']} {name}" for name in one["reasons"] if one[name] is not None]
    return found


def codes(record: dict[str, Any]) -> set[str]:
    """Return every reason code of a published chain or feature."""
    found = set(record["reasons"].values())
    for side in ("calls", "puts"):
        for one in record.get(side, []):
            found |= set(one["reasons"].values())
    return found
