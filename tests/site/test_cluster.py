"""The task cluster under ``manage.py up``: it beats, exports and scans by itself, and leaves no scan running."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.processes import all_gone, wait_for
from tests.site.running_up import SHORT, Up, fill

pytestmark = pytest.mark.soak


def test_it_beats_exports_and_scans_by_itself(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    fill(data_dir)
    up = Up(data_dir, *SHORT, OPTSITE_SCAN_CRON="* * * * *", OPTSITE_EXPORT_MINUTES="1")
    try:
        up.ready()
        before = up.get("/api/v1/status/")

        def moved() -> bool:
            now = up.get("/api/v1/status/")
            return (
                now["ages"]["heartbeat"] is not None
                and now["last_scan"]["kind"] == "scheduled"
                and now["generation"] > before["generation"]
            )

        wait_for(moved, 150, "a heartbeat, a scheduled scan and an export")
        log = data_dir / "logs" / "option_chain_dashboard.log"
        for line in ("optsite.tasks: scan: Scan ", "optsite.tasks: export: Published generation "):
            wait_for(lambda line=line: line in log.read_text(), 60, line)
        family = up.family()
        up.process.terminate()
        assert up.process.wait(timeout=10) == 0
        wait_for(lambda: all_gone(family), 1, "all gone")
    finally:
        up.end()
