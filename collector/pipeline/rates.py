"""The rates of a scan: one setting for all tenors, or the provider's yields of a ticker's own day, or an assumption."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from collector.market.rates import RateCurve, RateError, TreasuryYield, assumed, constant, from_yields
from collector.pipeline.plan import CALLS_FOR_RATES, ScanPlan
from collector.providers.base import Provider, ProviderError
from exports.durable_files import write_durably
from exports.folders import MarketFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The yields that a provider stated when it was last asked, and for which date."""

    asked: date
    yields: tuple[TreasuryYield, ...]


class Rates:
    """The curves of one scan by day, each made once.

    A provider that pays for calls is asked only by a scan that may fetch bars; what it stated last is kept for the
    others.

    Args:
        folder: the market's, where the last answer is kept.
        provider: who is asked.
        plan: of the scan.
        ended: told of an error after which the scan must ask nothing more.
    """

    def __init__(
        self, folder: MarketFolder, provider: Provider, plan: ScanPlan, ended: Callable[[ProviderError], None]
    ) -> None:
        self._provider = provider
        self._ended = ended
        self._path = folder.data_dir / "cache" / "rates" / f"{folder.market}.json"
        self._fetches = plan.fetch_bars
        self._setting: float | None = plan.configuration.get("settings", {}).get("risk_free_rate")
        self._yields: dict[date, tuple[TreasuryYield, ...]] = {}
        self._curves: dict[date | None, RateCurve] = {}
        self._lock = threading.Lock()
        asks = self._setting is None and provider.pays_per_expiration
        self._kept = _kept(self._path) if asks else None

    def calls(self, now: datetime) -> int:
        """Return the requests that this scan may spend on rates."""
        if self._setting is not None or not (self._provider.pays_per_expiration and self._fetches):
            return 0
        sessions = self._provider.sessions()
        current = sessions.session_at(now) or sessions.last_closed(now)
        return 0 if self._kept is not None and self._kept.asked == current.date else CALLS_FOR_RATES

    def curve(self, day: date | None) -> RateCurve:
        """Return the curve of a New York date; without a date, and where nothing is known, the assumed one."""
        yields = self._of(day) if day is not None and self._setting is None else ()
        with self._lock:
            if day not in self._curves:
                self._curves[day] = self._made(day, yields)
            return self._curves[day]

    def _made(self, day: date | None, yields: Sequence[TreasuryYield]) -> RateCurve:
        """Make the curve of a date."""
        if self._setting is not None:
            return constant(self._setting)
        try:
            return from_yields(yields) if yields else assumed()
        except RateError as error:
            logger.warning("The yields of %s make no curve: %s", day, error)
            return assumed()

    def rows(self, day: date | None) -> list[dict[str, Any]]:
        """Return the yields of a date as the staging keeps them."""
        if day is None or self._setting is not None:
            return []
        return [asdict(one) for one in self._of(day)]

    def _of(self, day: date) -> tuple[TreasuryYield, ...]:
        """Return the yields of a date, asked for once."""
        with self._lock:
            if day not in self._yields:
                self._yields[day] = self._asked(day)
            return self._yields[day]

    def _asked(self, day: date) -> tuple[TreasuryYield, ...]:
        """Ask the provider, one that pays for calls once a day; or return what it stated last."""
        if not self._provider.pays_per_expiration:
            return self._ask(lambda: self._provider.rates(day))
        before = self._kept.yields if self._kept else ()
        if not self._fetches or (self._kept and self._kept.asked == day):
            return before
        yields = self._ask(lambda: self._provider.rates(day))
        if not yields:
            return before
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(self._path, orjson.dumps({"asked": day, "yields": [asdict(one) for one in yields]}))
        return yields

    def _ask(self, question: Callable[[], tuple[TreasuryYield, ...]]) -> tuple[TreasuryYield, ...]:
        """Return the provider's answer, () where it has none."""
        try:
            return question()
        except ProviderError as error:
            logger.warning("No rates: %s", error)
            if error.ends_scan:
                self._ended(error)
            return ()


def _kept(path: Path) -> _Kept | None:
    """Return what the provider stated last; None where that is nothing, or can't be read."""
    try:
        content = orjson.loads(path.read_bytes())
        yields = tuple(
            TreasuryYield(
                **{
                    **one,
                    "date": date.fromisoformat(one["date"]),
                    "known_at": datetime.fromisoformat(one["known_at"]),
                    "days": int(one["days"]),
                    "rate": float(one["rate"]),
                }
            )
            for one in content["yields"]
        )
        return _Kept(date.fromisoformat(content["asked"]), yields)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        logger.warning("The rates kept in %s can't be read, the next close scan fetches them anew: %s", path, error)
        return None
