"""The site as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class OptsiteConfig(AppConfig):
    """App of the composition root: its commands and static files."""

    name = "optsite"
    verbose_name = "Site"
