"""The task cluster alone: it registers its market's schedules first, and says which market that is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connection
from django_q.management.commands import qcluster

from collector.schedules import sync_schedules
from optsite.configuration_check import check_configuration
from optsite.first_steps import served


class Command(qcluster.Command):  # type: ignore[misc]
    """Start the task cluster of the market that OPTSITE_PROVIDER names."""

    help = "Start the task cluster: scans, exports and heartbeats of the market that OPTSITE_PROVIDER names."

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the configuration, register the schedules, say whose they are, and run."""
        check_configuration()
        sync_schedules(settings.MARKET_FOLDER)
        # The cluster's processes are forks, which share no connection.
        connection.close()
        self.stdout.write(f"Task cluster of {served(settings.MARKET_FOLDER)}.")
        self.stdout.flush()
        super().handle(*args, **options)
