"""The call budget: rolling hour and day, one count for all processes, kept over restarts."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.providers.call_budget import BudgetSpent, CallBudget, CallsUsed

NOON = datetime(2026, 1, 27, 12, 0, tzinfo=UTC)
SPENDER = """
import sys
from pathlib import Path
from collector.providers.call_budget import BudgetSpent, CallBudget

budget = CallBudget(Path(sys.argv[1]), 60, 1000)
spent = 0
for _ in range(30):
    try:
        budget.spend()
        spent += 1
    except BudgetSpent:
        pass
print(spent)
"""


def test_counts_each_call_of_the_hour_and_day(tmp_path: Path) -> None:
    budget = CallBudget(tmp_path / "calls.json", per_hour=10, per_day=100)
    assert (budget.used(NOON), budget.left(NOON)) == (CallsUsed(0, 0), 10)
    budget.spend(3, NOON)
    budget.spend(now=NOON + timedelta(minutes=20))
    assert budget.used(NOON + timedelta(minutes=20)) == CallsUsed(hour=4, day=4)
    assert budget.left(NOON + timedelta(minutes=20)) == 6


def test_a_call_is_free_again_after_an_hour_and_never_sooner(tmp_path: Path) -> None:
    budget = CallBudget(tmp_path / "calls.json", per_hour=5, per_day=100)
    budget.spend(5, NOON + timedelta(seconds=59))
    assert budget.left(NOON + timedelta(minutes=60, seconds=58)) == 0
    assert budget.left(NOON + timedelta(minutes=62)) == 5
    assert budget.used(NOON + timedelta(minutes=62)) == CallsUsed(hour=0, day=5)


def test_the_day_binds_where_the_hour_does_not(tmp_path: Path) -> None:
    budget = CallBudget(tmp_path / "calls.json", per_hour=5, per_day=12)
    for hour in (0, 2, 4):
        budget.spend(4, NOON + timedelta(hours=hour))
    assert budget.left(NOON + timedelta(hours=6)) == 0
    with pytest.raises(BudgetSpent, match=r"12 calls of this day .*OPTSITE_CALLS_PER_DAY"):
        budget.spend(now=NOON + timedelta(hours=6))
    assert budget.left(NOON + timedelta(hours=24, minutes=2)) == 4


def test_what_is_too_much_is_refused_whole(tmp_path: Path) -> None:
    budget = CallBudget(tmp_path / "calls.json", per_hour=5, per_day=100)
    budget.spend(4, NOON)
    with pytest.raises(BudgetSpent, match=r"5 calls of this hour .*OPTSITE_CALLS_PER_HOUR") as refused:
        budget.spend(2, NOON)
    assert (refused.value.reason, refused.value.ends_scan) == ("budget", True)
    assert budget.used(NOON) == CallsUsed(4, 4)


def test_survives_a_restart(tmp_path: Path) -> None:
    CallBudget(tmp_path / "deep" / "calls.json", 10, 100).spend(7, NOON)
    assert CallBudget(tmp_path / "deep" / "calls.json", 10, 100).left(NOON) == 3


def test_processes_that_spend_at_once_share_one_count(tmp_path: Path) -> None:
    path = tmp_path / "calls.json"
    children = [
        subprocess.Popen([sys.executable, "-c", SPENDER, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    spent = [int(child.communicate(timeout=120)[0]) for child in children]
    assert sum(spent) == 60
    assert CallBudget(path, 60, 1000).used().hour == 60


def test_a_clock_set_back_gives_no_call_anew(tmp_path: Path) -> None:
    budget = CallBudget(tmp_path / "calls.json", per_hour=5, per_day=100)
    budget.spend(5, NOON)
    assert budget.left(NOON - timedelta(hours=3)) == 0


def test_forgets_what_is_older_than_a_day(tmp_path: Path) -> None:
    path = tmp_path / "calls.json"
    budget = CallBudget(path, per_hour=5, per_day=100)
    for day in range(5):
        budget.spend(now=NOON + timedelta(days=day, minutes=2 * day))
    last = int((NOON + timedelta(days=4, minutes=8)).timestamp()) // 60
    assert json.loads(path.read_text()) == {"minutes": {str(last): 1}}


def test_a_garbled_file_is_said_and_counted_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "calls.json"
    path.write_text('{"minutes": {"29')
    budget = CallBudget(path, per_hour=5, per_day=100)
    with caplog.at_level(logging.WARNING):
        budget.spend(now=NOON)
    assert str(path) in caplog.text
    assert budget.left(NOON) == 4


def test_no_call_is_made_uncounted_where_the_file_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "calls.json").mkdir()
    with pytest.raises(BudgetSpent, match=r"can't be kept in .*calls\.json"):
        CallBudget(tmp_path / "calls.json", 5, 100).spend(now=NOON)


@pytest.mark.parametrize(("per_hour", "per_day"), [(0, 10), (10, 0), (-1, 5)])
def test_refuses_a_budget_of_nothing(tmp_path: Path, per_hour: int, per_day: int) -> None:
    with pytest.raises(ValueError, match="at least 1 an hour and 1 a day"):
        CallBudget(tmp_path / "calls.json", per_hour, per_day)
