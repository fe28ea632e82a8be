"""A configuration file that can't be used stops each start: one line with the key, exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management.base import CommandError
from django.test import override_settings

from optsite.configuration_check import check_configuration
from tests.site.processes import ROOT
from tests.site.running_up import free_port

BAD = "[[rules]]\nname = 'High IV'\ncondition = 'iv_rank > 80 and iv30 > 1'\n"


@pytest.mark.parametrize("command", ["up", "qcluster", "runserver"])
def test_a_start_is_stopped_by_its_key(command: str, tmp_path: Path) -> None:
    config = tmp_path / "levels.toml"
    config.write_text(BAD)
    port = str(free_port())
    arguments = {"up": ["--port", port, "--provider", "demo", "--backfill", "0"], "runserver": [port]}
    environment = {
        "PATH": "/usr/bin:/bin",
        "OPTSITE_DATA_DIR": str(tmp_path / "data"),
        "OPTSITE_PROVIDER": "demo",
        "OPTSITE_CONFIG": str(config),
    }
    ran = subprocess.run(
        [sys.executable, "manage.py", command, *arguments.get(command, [])],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ran.returncode == 2, ran.stdout + ran.stderr
    (line,) = ran.stderr.strip().splitlines()
    assert line.startswith(f"CommandError: {config}: rules[1].condition: at character 18: iv30 is no field")


def test_without_a_file_nothing_is_checked() -> None:
    assert settings.OPTSITE.config is None
    check_configuration({})


def test_a_good_file_passes_and_a_bad_one_does_not(tmp_path: Path) -> None:
    config = tmp_path / "levels.toml"
    environment = {
        "PATH": "/usr/bin:/bin",
        "OPTSITE_DATA_DIR": str(tmp_path / "data"),
        "OPTSITE_PROVIDER": "demo",
        "OPTSITE_CONFIG": str(config),
    }
    with override_settings(OPTSITE=settings.OPTSITE.model_copy(update={"config": config})):
        config.write_text(BAD.replace("iv30", "iv_30d"))
        check_configuration(environment)
        config.write_text("[detectors.unusual_activity]\nmin_vol = 1\n")
        with pytest.raises(CommandError, match=r"detectors\.unusual_activity\.min_vol: no such level") as refused:
            check_configuration(environment)
    assert refused.value.returncode == 2
