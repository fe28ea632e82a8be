"""The three markets that rows belong to."""

from __future__ import annotations

from django.db import models


class Market(models.TextChoices):
    """Which of the three data folders a row belongs to."""

    LIVE = "live", "Live"
    DEMO = "demo", "Demo"
    RECORDED = "recorded", "Recorded"
