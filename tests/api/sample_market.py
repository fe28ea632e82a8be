"""A small invented market, published through the real writer: what the API and the pages are tested on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from exports.documents import CHAINS, DOCUMENTS, Field
from exports.writer import Publication, publish

NOW = datetime(2026, 1, 27, 15, 0, tzinfo=UTC)
SCAN_ID = "20260127T145500Z-0a1b2c"
OLD_SCAN_ID = "20260127T144500Z-00ff00"
CLOSED_SCAN_ID = "20260127T145900Z-c105ed"
CONTRACT_FIELDS = CHAINS.field("calls").fields


def instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def blank(fields: Sequence[Field]) -> dict[str, Any]:
    """Return a record with every field: null where it may be, else the emptiest value of its type."""
    empty = {
        "string": "",
        "number": 0.0,
        "integer": 0,
        "boolean": False,
        "date": "2026-01-27",
        "datetime": instant(NOW),
        "array": [],
    }
    record: dict[str, Any] = {}
    for field in fields:
        if field.nullable:
            record[field.name] = None
        elif field.type == "object":
            record[field.name] = blank(field.fields)
        else:
            value = empty[field.type]
            record[field.name] = list(value) if isinstance(value, list) else value
    return record


def filled(document: str, **values: Any) -> dict[str, Any]:
    return blank(DOCUMENTS[document].fields) | values


def alert(number: int, ticker: str = "ZORA", **values: Any) -> dict[str, Any]:
    seen = NOW - timedelta(minutes=number)
    record = filled(
        "alerts",
        id=f"alert{number:05d}",
        key=f"demo|{ticker}|unusual_activity|{number}|bullish",
        provider="demo",
        ticker=ticker,
        detector="unusual_activity",
        direction="bullish",
        state="new",
        first_scan_id=OLD_SCAN_ID,
        last_scan_id=SCAN_ID if number % 2 == 0 else OLD_SCAN_ID,
        first_seen=instant(seen),
        last_seen=instant(seen),
        score=float(number % 100),
        confidence=0.9,
        summary=f"Calls {number} trade above their open interest",
        reason=f"{1000 + number} contracts traded against an open interest of {100 + number}.",
    )
    return record | values


def contract(root: str, expiration: str, side: str, strike: float, **values: Any) -> dict[str, Any]:
    letter = "C" if side == "call" else "P"
    symbol = f"{root}{expiration[2:].replace('-', '')}{letter}{round(strike * 1000):08d}"
    record = blank(CONTRACT_FIELDS) | {
        "contract_symbol": symbol,
        "root": root,
        "multiplier": 100,
        "strike": strike,
        "bid": 1.1,
        "ask": 1.3,
        "mid": 1.2,
        "last_price": 1.25,
        "volume": 120,
        "open_interest": 340,
        "reasons": {"implied_volatility": "not_computed"},
    }
    return record | values


def chain(
    ticker: str, expiration: str, root: str | None = None, settlement: str = "PM", strikes: int = 7, **values: Any
) -> dict[str, Any]:
    base = root or ticker.lstrip("^")
    prices = [100.0 + 2.5 * (step - strikes // 2) for step in range(strikes)]
    record = filled(
        "chains",
        ticker=ticker,
        root=base,
        provider="demo",
        feed="demo",
        as_of=instant(NOW - timedelta(minutes=5)),
        quote_time=instant(NOW - timedelta(minutes=5)),
        expiration=expiration,
        dte=(date.fromisoformat(expiration) - date(2026, 1, 27)).days,
        settlement=settlement,
        settlement_time=f"{expiration}T21:00:00Z",
        exercise_style="american",
        underlying_price=101.37,
        scan_id=SCAN_ID,
        calls=[contract(base, expiration, "call", strike) for strike in prices],
        puts=[contract(base, expiration, "put", strike, volume=80) for strike in prices],
    )
    record["quality"]["grade"] = "A"
    record["totals"] = record["totals"] | {"volume": 200 * strikes, "open_interest": 680 * strikes}
    record["coverage"] = {"listed": 2 * strikes, "received": 2 * strikes}
    record["reasons"] = {"atm_iv": "not_computed"}
    return record | values


def scan(scan_id: str, minutes_ago: int, status: str = "ok", **values: Any) -> dict[str, Any]:
    started = NOW - timedelta(minutes=minutes_ago)
    record = filled(
        "scans",
        id=scan_id,
        kind="scheduled",
        started_at=instant(started),
        finished_at=instant(started + timedelta(seconds=40)),
        status=status,
        provider="demo",
        feed="demo",
        chains=6,
        contracts=84,
        grades={"A": 5, "F": 1},
    )
    return record | values


def feature(ticker: str, **values: Any) -> dict[str, Any]:
    record = filled(
        "features",
        ticker=ticker,
        provider="demo",
        feed="demo",
        as_of=instant(NOW - timedelta(minutes=5)),
        scan_id=SCAN_ID,
        grade="A",
        price=101.37,
        return_1d=-0.0123,
        volume=2800,
        open_interest=9520,
        reasons={"iv_rank": "short_history", "realised_volatility_20d": "short_history"},
    )
    return record | values


def history(ticker: str, sessions: int = 40) -> dict[str, Any]:
    days = [date(2026, 1, 26) - timedelta(days=back) for back in reversed(range(sessions))]
    record = filled("history", ticker=ticker, provider="demo")
    for name, value in record.items():
        if isinstance(value, list):
            record[name] = [None] * sessions
    return record | {
        "dates": [day.isoformat() for day in days],
        "close": [90.0 + 0.3 * number for number in range(sessions)],
        "split_factor": [1.0] * sessions,
        "source": ["demo"] * sessions,
        "grade": ["A"] * sessions,
    }


def meta_records() -> list[dict[str, Any]]:
    rows = [("detector", "unusual_activity"), ("provider", "demo"), ("reason", "short_history")]
    return [filled("meta", kind=kind, name=name, help=f"What {name} means.") for kind, name in rows]


class SampleSnapshot:
    """One moment of the invented market, as ``exports.writer.publish`` reads it."""

    def __init__(self, documents: dict[str, list[dict[str, Any]]], revision: int = 1, provider: str = "demo") -> None:
        self.documents = documents
        self.provider = provider
        self.store_revision = revision
        self.next_scan_expected_at: datetime | None = None
        self.next_export_expected_at: datetime | None = None

    def document_revision(self, document: str) -> str:
        return f"{document}-{self.store_revision}"

    def records(self, document: str) -> Iterator[dict[str, Any]]:
        return iter(self.documents.get(document, []))

    def errors(self, document: str) -> list[dict[str, Any]]:
        return []


def market_documents() -> dict[str, list[dict[str, Any]]]:
    """Return the documents: ZORA with two expirations, QUIL with a worse newer attempt, ^SPX with two roots."""
    attempt = {
        "as_of": instant(NOW),
        "quote_time": instant(NOW),
        "scan_id": SCAN_ID,
        "grade": "F",
        "reasons": ["no_two_sided_quotes"],
    }
    return {
        "alerts": [alert(number, ("ZORA", "QUIL", "^SPX")[number % 3]) for number in range(120)],
        "chains": [
            chain("QUIL", "2026-02-06", newest_attempt=attempt),
            chain("ZORA", "2026-01-30"),
            chain("ZORA", "2026-02-20"),
            chain("^SPX", "2026-02-20", "SPX", "AM"),
            chain("^SPX", "2026-02-20", "SPXW"),
            chain("^SPX", "2026-03-20", "SPXW"),
        ],
        "scans": [
            scan(CLOSED_SCAN_ID, 1, "skipped", reason="closed", chains=0, contracts=0, grades={}),
            scan(
                SCAN_ID,
                5,
                coverage=[
                    {
                        "ticker": "ZORA",
                        "chains": 2,
                        "contracts": 28,
                        "missing": ["2026-03-20"],
                        "not_recorded": [],
                        "contracts_before": 28,
                    }
                ],
            ),
            scan(OLD_SCAN_ID, 15),
        ],
        "features": [feature("QUIL"), feature("ZORA"), feature("^SPX")],
        "history": [history("ZORA")],
        "meta": meta_records(),
    }


def publish_market(
    export_dir: Path, documents: dict[str, list[dict[str, Any]]], *, revision: int = 1, now: datetime | None = None
) -> Publication:
    """Publish ``documents`` as the next generation of ``export_dir``."""
    export_dir.mkdir(parents=True, exist_ok=True)
    snapshot = SampleSnapshot(documents, revision)
    moment = now or datetime.now(UTC)
    snapshot.next_export_expected_at = moment + timedelta(minutes=5)
    return publish(export_dir, snapshot, now=moment, archive_max_gb=1.0)
