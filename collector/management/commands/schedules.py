"""Register the schedules of the task cluster."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django_q.models import Schedule

from collector.schedules import sync_schedules


class Command(BaseCommand):
    """Make the cluster's schedules those of the market that OPTSITE_PROVIDER names."""

    help = "Register scan, close scan, export and heartbeat; running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Sync, then print each schedule with its next run."""
        for name in sync_schedules(settings.MARKET_FOLDER):
            row = Schedule.objects.get(name=name)
            when = row.cron or f"every {row.minutes} min"
            self.stdout.write(f"{name:28} {when:20} next {row.next_run:%Y-%m-%dT%H:%M:%SZ}")
