"""The collector as a Django app: the rows that scans, slots and the outbox keep in Django's database."""

from __future__ import annotations

from django.apps import AppConfig


class CollectorConfig(AppConfig):
    """App of the scanning side."""

    name = "collector"
    default_auto_field = "django.db.models.BigAutoField"
