"""Scans in a child process, and what they left in its data folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from exports.folders import MarketFolder
from tests.site.processes import ROOT

QUICK = {"connect": 1.0, "read": 0.5, "operation": 3.0}
PLENTY = "100000"


@dataclass(frozen=True, slots=True)
class Ran:
    """One command that has ended; ``output`` is both of its streams."""

    code: int
    output: str


class DataFolder:
    """What a child's scans left behind, read as anyone may read it."""

    def __init__(self, path: Path, provider: str = "yahoo") -> None:
        self.market = MarketFolder(path, provider)

    def document(self, name: str) -> list[dict[str, Any]]:
        """Return the records of a published document."""
        records: list[dict[str, Any]] = json.loads((self.market.export_dir / f"{name}.json").read_bytes())[name]
        return records

    def newest_scan(self) -> dict[str, Any]:
        """Return the row of the newest scan."""
        return max(self.document("scans"), key=lambda scan: (scan["started_at"], scan["finished_at"]))

    def chains(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Return the published chains by ticker, expiration and root."""
        return {(c["ticker"], c["expiration"], c["root"]): c for c in self.document("chains")}

    def features(self) -> dict[str, dict[str, Any]]:
        """Return the published features by ticker."""
        return {record["ticker"]: record for record in self.document("features")}

    def calls_counted(self) -> int:
        """Return the calls that the budget's file holds, of all minutes that it keeps."""
        kept = json.loads((self.market.data_dir / "cache" / "calls.json").read_bytes())
        return sum(kept["minutes"].values())

    def log(self) -> str:
        """Return the log file."""
        return (self.market.data_dir / "logs" / "option_chain_dashboard.log").read_text()


class ScanProcess:
    """Runs commands in one child, since a process a scan costs seconds; each starts as a new process would.

    ``clock`` is the child's time, which goes on by a minute a scan; None leaves it the machine's.
    """

    def __init__(self, data_dir: Path, clock: datetime | None, url: str, watchlist: Iterable[str]) -> None:
        self.folder = DataFolder(data_dir)
        self.clock = clock
        settings = {
            "OPTSITE_YAHOO_URL": url,
            "OPTSITE_WATCHLIST": ",".join(watchlist),
            "OPTSITE_CALLS_PER_HOUR": PLENTY,
            "OPTSITE_CALLS_PER_DAY": PLENTY,
        }
        self._errors = (data_dir.parent / "child-errors.txt").open("w+")
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.scans_in_one_process"],
            cwd=ROOT,
            env={**os.environ, "OPTSITE_PROVIDER": "yahoo", "OPTSITE_DATA_DIR": str(data_dir), **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._child.stdin.close()  # type: ignore[union-attr]
        self._child.wait(30)
        self._child.stdout.close()  # type: ignore[union-attr]
        self._errors.close()

    def scan(self, *arguments: str, at: datetime | None = None, **circumstances: Any) -> Ran:
        """Run `manage.py scan` with the arguments and return what came of it.

        Keywords: timeouts, time_limit (seconds), settings, environment.
        """
        self.begin("scan", *arguments, at=at, **circumstances)
        return self.end()

    def begin(self, *arguments: str, at: datetime | None = None, **circumstances: Any) -> None:
        """Let the child begin a command."""
        if self.clock is not None and at is None:
            self.clock += timedelta(minutes=1)
        moment = at or self.clock
        order = {
            "arguments": arguments,
            "at": moment.isoformat() if moment else None,
            "timeouts": QUICK,
            "time_limit": 600.0,
            "settings": {},
            "environment": {},
            **circumstances,
        }
        self._child.stdin.write(json.dumps(order) + "\n")  # type: ignore[union-attr]
        self._child.stdin.flush()  # type: ignore[union-attr]

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._child.send_signal(signal.SIGINT)

    def end(self) -> Ran:
        """Wait for the command that was begun."""
        line = self._child.stdout.readline()  # type: ignore[union-attr]
        if not line:
            self._errors.seek(0)
            raise AssertionError(f"The child died: {self._errors.read()[-3000:]}")
        answer = json.loads(line)
        return Ran(answer["code"], answer["output"] + answer["errors"])


def reasons(scan: dict[str, Any], group: str = "failed") -> dict[str, str]:
    """Return the reason code by ticker in a group of a scan's row; of an expiration by `TICKER expiration DATE`."""
    rows = scan["tickers"][group]
    of_expirations = [str(row["detail"]).startswith("expiration ") for row in rows]
    names = [
        f"{row['ticker']} {row['detail']}" if of else row["ticker"]
        for row, of in zip(rows, of_expirations, strict=True)
    ]
    return dict(zip(names, (row["reason"] for row in rows), strict=True))
