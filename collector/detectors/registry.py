"""The detectors that a scan runs, and how a configuration changes their levels, for all tickers or for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from collector.detectors.base import ConfigError, Detector
from collector.detectors.earnings_crush import EarningsCrush
from collector.detectors.expected_move_breach import ExpectedMoveBreach
from collector.detectors.gamma_flip_crossed import GammaFlipCrossed
from collector.detectors.low_iv import LowIv
from collector.detectors.put_call_extreme import PutCallExtreme
from collector.detectors.regime_shift import RegimeShift
from collector.detectors.rich_premium import RichPremium
from collector.detectors.rules import RuleDetector
from collector.detectors.skew_anomaly import SkewAnomaly
from collector.detectors.term_kink import TermKink
from collector.detectors.unusual_activity import UnusualActivity
from collector.rules.definition import RuleDefinition
from exports.tickers import TickerError, canonical

DETECTORS: tuple[Detector, ...] = (
    UnusualActivity(),
    PutCallExtreme(),
    ExpectedMoveBreach(),
    GammaFlipCrossed(),
    LowIv(),
    RichPremium(),
    EarningsCrush(),
    TermKink(),
    SkewAnomaly(),
    RegimeShift(),
)
# The table of a detector's levels that holds those of single tickers.
TICKERS = "tickers"


@dataclass(frozen=True, slots=True)
class DetectorSet:
    """Detectors with their effective levels; iterating gives those that hold where no ticker has its own, then rules.

    ``special`` holds, by ticker, the detectors in place of those of the same name; ``rules`` are the users' own.
    """

    detectors: tuple[Detector, ...] = DETECTORS
    special: Mapping[str, Mapping[str, Detector]] = field(default_factory=dict)
    rules: tuple[RuleDetector, ...] = ()

    def __iter__(self) -> Iterator[Detector]:
        """Iterate over the detectors with the levels of all tickers, then the rules."""
        yield from self.detectors
        yield from self.rules

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.detectors) + len(self.rules)

    def of(self, ticker: str) -> tuple[Detector, ...]:
        """Return the detectors with the levels that hold for a ticker, and the rules that apply to it."""
        own = self.special.get(ticker, {})
        detectors = (own.get(detector.name, detector) for detector in self.detectors)
        return (*detectors, *(rule for rule in self.rules if rule.config.applies_to(ticker)))

    def with_rules(self, rules: Iterable[RuleDefinition]) -> DetectorSet:
        """Return the set with these rules in place of its own."""
        return replace(self, rules=tuple(RuleDetector(rule) for rule in rules))

    def configuration(self) -> dict[str, Any]:
        """Return all effective levels as JSON values, rules left out: ``configured`` makes the same set of them."""
        levels: dict[str, Any] = {detector.name: detector.configuration() for detector in self.detectors}
        for ticker, own in sorted(self.special.items()):
            for name, detector in own.items():
                levels[name].setdefault(TICKERS, {})[ticker] = detector.configuration()
        return levels


def configured(levels: Mapping[str, Any], detectors: Sequence[Detector] = DETECTORS) -> DetectorSet:
    """Return the detectors with ``levels`` in place of the defaults.

    Args:
        levels: detector name to field to value; under ``tickers`` a table for each ticker with levels of its own,
            which stand over those of all.
        detectors: which there are.

    Raises:
        ConfigError: an unknown detector, field or ticker, or a level that can't work.
    """
    known = {detector.name: detector for detector in detectors}
    for name in levels:
        if name not in known:
            raise ConfigError(f"{name}: no such detector; there is {', '.join(known)}")
    special: dict[str, dict[str, Detector]] = {}
    general = []
    for name, detector in known.items():
        own = levels.get(name, {})
        if not isinstance(own, Mapping):
            raise ConfigError(f"{name}: is a table of levels, such as [detectors.{name}]")
        shared = _with(detector, {key: value for key, value in own.items() if key != TICKERS}, name)
        general.append(shared)
        for ticker, table in _by_ticker(own.get(TICKERS, {}), name).items():
            special.setdefault(ticker, {})[name] = _with(shared, table, f"{name}.{TICKERS}.{ticker}")
    return DetectorSet(tuple(general), special)


def _by_ticker(tables: Any, name: str) -> dict[str, Mapping[str, Any]]:
    """Return the levels of single tickers by canonical ticker."""
    if not isinstance(tables, Mapping) or not all(isinstance(table, Mapping) for table in tables.values()):
        raise ConfigError(f"{name}.{TICKERS}: each is a table, such as [detectors.{name}.{TICKERS}.AAPL]")
    found: dict[str, Mapping[str, Any]] = {}
    for text, table in tables.items():
        try:
            ticker = canonical(text)
        except TickerError as error:
            raise ConfigError(f"{name}.{TICKERS}.{text}: {error}") from error
        if ticker in found:
            raise ConfigError(f"{name}.{TICKERS}.{text}: {ticker} has a table already")
        found[ticker] = table
    return found


def _with(detector: Detector, levels: Mapping[str, Any], place: str) -> Detector:
    """Return a detector with some levels replaced; the message names the place of what can't be."""
    names = tuple(one.name for one in fields(detector.config))
    for name in levels:
        if name not in names:
            raise ConfigError(f"{place}.{name}: no such level; there is {', '.join(names)}")
    try:
        made: Detector = type(detector)(replace(detector.config, **levels))  # type: ignore[call-arg]
        return made
    except ConfigError as error:
        raise ConfigError(f"{place}.{error}") from error
