"""What ``up`` does once, before the programs run: whose market, who may sign in, the first documents."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model

from collector.models import Heartbeat, ScanJob
from collector.parent_death import child_setup
from exports.folders import MarketFolder

MANAGE = Path(settings.BASE_DIR) / "manage.py"
STAFF_USER = "admin"
BACKFILL_SESSIONS = 90
FRESH = timedelta(minutes=10)


class NoMarket(Exception):
    """The options name no market that can be served; the message is one line."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The market that is served, and why where that needs saying."""

    folder: MarketFolder
    recordings: Path | None = None
    remark: str = ""


def held_live_scan(data_dir: Path) -> bool:
    """Return whether a live scan was ever joined in this data folder: its Parquet history is there."""
    live = MarketFolder(data_dir, "yahoo")
    return any(live.parquet_dir.rglob("*.parquet"))


def choose_market(
    data_dir: Path,
    asked: str | None,
    recordings: Path | None,
    reaches_yahoo: Callable[[], bool],
) -> Choice:
    """Choose the market: what was asked for, else Yahoo, else the demo where Yahoo was never reached from here.

    Args:
        data_dir: the data folder.
        asked: the provider by --provider or OPTSITE_PROVIDER, None where neither says.
        recordings: the folder of recordings, for the provider recorded.
        reaches_yahoo: tries the way to Yahoo.

    Raises NoMarket where recordings are asked for and no folder is given.
    """
    if asked == "recorded" and recordings is None:
        raise NoMarket("The provider recorded needs its folder: --recordings DIR or OPTSITE_RECORDINGS.")
    if asked is not None:
        return Choice(MarketFolder(data_dir, asked), recordings)
    yahoo = MarketFolder(data_dir, "yahoo")
    if reaches_yahoo():
        return Choice(yahoo)
    if held_live_scan(data_dir):
        return Choice(yahoo, remark="Yahoo can't be reached now: the pages show what was scanned before.")
    return Choice(
        MarketFolder(data_dir, "demo"),
        remark="Yahoo can't be reached: this is the demo market, with invented tickers; the next start tries again.",
    )


def served(folder: MarketFolder) -> str:
    """Return the market in the words of the commands that serve it alone."""
    return f"the {folder.market} market (OPTSITE_PROVIDER={folder.provider}) in {folder.data_dir}"


def somebody_may_sign_in() -> bool:
    """Return whether there is an active staff user."""
    return get_user_model().objects.filter(is_staff=True, is_active=True).exists()


def make_staff_user() -> str | None:
    """Make the staff user ``admin`` where nobody may sign in yet; return its password, None where somebody may."""
    if somebody_may_sign_in():
        return None
    password = secrets.token_urlsafe(15)
    get_user_model().objects.create_superuser(username=STAFF_USER, password=password)
    return password


def published(folder: MarketFolder) -> bool:
    """Return whether the market has documents."""
    return (folder.export_dir / "manifest.json").exists()


def first_scans(
    folder: MarketFolder,
    recordings: Path | None,
    now: datetime | None = None,
    backfill: int = BACKFILL_SESSIONS,
) -> list[list[str]]:
    """Return the scan commands that a start owes: no scan where the newest one is under ten minutes old.

    The demo fills its last ``backfill`` sessions first: at every start, because the command adds only what is missing,
    be it that the start before was interrupted or that the folder was off for a week.
    """
    past = [["scan", "--backfill", str(backfill)]] if folder.market == "demo" and backfill else []
    scan = ["scan", *(["--recordings", str(recordings)] if recordings else [])]
    if not published(folder):
        return [*past, scan]
    newest = (
        ScanJob.objects.filter(market=folder.market, state=ScanJob.State.DONE)
        .order_by("-finished_at")
        .values_list("finished_at", flat=True)
        .first()
    )
    fresh = newest is not None and newest > (now or datetime.now(UTC)) - FRESH
    return past if fresh else [*past, scan]


def first_words(folder: MarketFolder, backfill: int) -> str:
    """Return what the first start of a market says before the wait, in one line."""
    if folder.market == "demo" and backfill:
        return f"filling {backfill} sessions of the demo's past, about a second each; the next start is quick"
    return "scanning for the first time; the pages are served after that"


def note_start(folder: MarketFolder) -> None:
    """Write the heartbeat of the cluster that is about to start, so that nobody takes it for dead before its own."""
    Heartbeat.objects.update_or_create(
        market=folder.market, host=socket.gethostname(), defaults={"at": datetime.now(UTC)}
    )


def run_on_terminal(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run ``manage.py`` with the arguments on this terminal; return its exit code. It ends with this process."""
    child = subprocess.Popen([sys.executable, str(MANAGE), *arguments], env=dict(environment), preexec_fn=child_setup())
    try:
        return child.wait()
    except BaseException:
        # Ctrl-C reaches the child as well: it gets a moment to say how far it came.
        try:
            child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise


def child_environment(choice: Choice) -> dict[str, str]:
    """Return the environment of this process with the chosen market in it."""
    chosen = {"OPTSITE_DATA_DIR": str(choice.folder.data_dir), "OPTSITE_PROVIDER": choice.folder.provider}
    if choice.recordings is not None:
        chosen["OPTSITE_RECORDINGS"] = str(choice.recordings)
    return {**os.environ, **chosen, "PYTHONUNBUFFERED": "1"}
