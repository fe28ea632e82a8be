"""Rows of the collecting side in Django's database: who is watched, what runs, what is to be sent.

One database serves the three markets, so every row carries ``market`` in each of its unique keys. No quote and no
alert is kept here: those are the store's.
"""

from __future__ import annotations

from django.db import models


class Market(models.TextChoices):
    """Which of the three data folders a row belongs to."""

    LIVE = "live", "Live"
    DEMO = "demo", "Demo"
    RECORDED = "recorded", "Recorded"


class WatchedTicker(models.Model):
    """A ticker of the watchlist and how it fares."""

    class State(models.TextChoices):
        """Whether scans ask for it."""

        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        NO_OPTIONS = "no_options", "No options"
        NOT_FOUND = "not_found", "Not found"
        NOT_USD = "not_usd", "Not in US dollars"

    market = models.CharField(max_length=8, choices=Market.choices)
    ticker = models.CharField(max_length=16)
    state = models.CharField(max_length=12, choices=State.choices, default=State.ACTIVE)
    reason = models.CharField(max_length=200, blank=True, default="")
    added_at = models.DateTimeField(auto_now_add=True)
    last_served_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Unique by market and ticker; listed by ticker."""

        constraints = [models.UniqueConstraint(fields=["market", "ticker"], name="watched_ticker_once")]
        ordering = ["market", "ticker"]

    def __str__(self) -> str:
        """Name the ticker."""
        return f"{self.ticker} ({self.market})"


class ScanJob(models.Model):
    """A scan that was asked for, runs, or ran: what live.json and the pages show while it works."""

    class State(models.TextChoices):
        """Life of a job."""

        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    market = models.CharField(max_length=8, choices=Market.choices)
    scan_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=12)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    tickers = models.JSONField(default=list, blank=True)
    requested_by = models.CharField(max_length=150, blank=True, default="")
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    phase = models.CharField(max_length=16, blank=True, default="")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    current_ticker = models.CharField(max_length=16, blank=True, default="")
    status = models.CharField(max_length=16, blank=True, default="")
    detail = models.CharField(max_length=300, blank=True, default="")
    pid = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        """Unique by market and scan; newest first."""

        constraints = [models.UniqueConstraint(fields=["market", "scan_id"], name="scan_job_once")]
        ordering = ["-requested_at", "-id"]

    def __str__(self) -> str:
        """Name the scan and its state."""
        return f"{self.scan_id} ({self.state})"


class ScanSlot(models.Model):
    """A scheduled moment and who filled it: the unique row that makes a slot run once."""

    market = models.CharField(max_length=8, choices=Market.choices)
    kind = models.CharField(max_length=12)
    slot = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    scan_id = models.CharField(max_length=40, blank=True, default="")
    status = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        """Unique by market, kind and slot; newest first."""

        constraints = [models.UniqueConstraint(fields=["market", "kind", "slot"], name="scan_slot_once")]
        ordering = ["-slot"]

    def __str__(self) -> str:
        """Name the slot."""
        return f"{self.kind} {self.slot:%Y-%m-%dT%H:%MZ} ({self.market})"


class Heartbeat(models.Model):
    """The last sign of life of the task cluster, written every minute by a task."""

    market = models.CharField(max_length=8, choices=Market.choices)
    host = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        """One row a market and host."""

        constraints = [models.UniqueConstraint(fields=["market", "host"], name="heartbeat_once")]

    def __str__(self) -> str:
        """Name the host and the moment."""
        return f"{self.host} at {self.at:%Y-%m-%dT%H:%M:%SZ}"


class OutboxMessage(models.Model):
    """An alert event to be told over a channel: unique by both, so that a repeated copy adds nothing."""

    market = models.CharField(max_length=8, choices=Market.choices)
    event_id = models.CharField(max_length=64)
    channel = models.CharField(max_length=40)
    alert_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=8)
    summary = models.CharField(max_length=300)
    happened_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Unique by market, event and channel; oldest first."""

        constraints = [models.UniqueConstraint(fields=["market", "event_id", "channel"], name="outbox_once")]
        ordering = ["id"]

    def __str__(self) -> str:
        """Name the event and the channel."""
        return f"{self.kind} {self.alert_id} -> {self.channel}"


class OutboxMark(models.Model):
    """How far the store's alert events have been copied into the outbox: the store revision of the last copy."""

    market = models.CharField(max_length=8, choices=Market.choices, unique=True)
    store_revision = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        """Name the market and the revision."""
        return f"{self.market} up to {self.store_revision}"
