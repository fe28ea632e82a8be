"""The site as a Django app."""

from __future__ import annotations

import sys

from django.apps import AppConfig

from collector.parent_death import signal_forks, watch_parent


class OptsiteConfig(AppConfig):
    """App of the composition root: its commands and static files."""

    name = "optsite"
    verbose_name = "Site"

    def ready(self) -> None:
        """Chain the task cluster's processes to each other, so that none outlives the one that started it."""
        if sys.argv[1:2] == ["qcluster"]:
            signal_forks()
            watch_parent()
