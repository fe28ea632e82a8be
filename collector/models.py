"""Rows of the collecting side in Django's database: who is watched, what runs, what is to be sent.

One database serves the three markets, so every row carries ``market`` in each of its unique keys. No quote and no
alert is kept here: those are the store's.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from collector.alert_models import AlertMark, Mute, Rule
from collector.markets import Market
from collector.notifications.channel_checks import apprise_errors, quiet_errors, webhook_errors
from collector.notifications.targets import masked

__all__ = [
    "PAGE_CHANNEL",
    "AlertMark",
    "Channel",
    "Heartbeat",
    "Market",
    "Mute",
    "OutboxMark",
    "OutboxMessage",
    "Rule",
    "ScanJob",
    "ScanSlot",
    "WatchedTicker",
]

PAGE_CHANNEL = "page"


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


class Channel(models.Model):
    """Where alerts are told, and which of them: made by staff.

    ``target_url`` and ``secret`` are secrets: no list, log, task, export or answer of the API shows them. A message
    knows its channel by name, so the name stays.
    """

    class Kind(models.TextChoices):
        """Who carries the message."""

        APPRISE = "apprise", "Apprise (email, Slack, Discord, Telegram …)"
        WEBHOOK = "webhook", "Signed webhook"

    market = models.CharField(max_length=8, choices=Market.choices)
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    target_url = models.CharField(max_length=1000)
    secret = models.CharField(max_length=200, blank=True, default="")
    tickers = models.JSONField(default=list, blank=True)
    detectors = models.JSONField(default=list, blank=True)
    minimum_score = models.FloatField(default=0, validators=[MinValueValidator(0), MaxValueValidator(100)])
    wants_new = models.BooleanField("new alerts", default=True)
    wants_ended = models.BooleanField("ended alerts", default=False)
    wants_digest = models.BooleanField("digests without the new alerts", default=False)
    wants_verdict = models.BooleanField("verdicts", default=False)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    quiet_zone = models.CharField(max_length=64, default="America/New_York")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Unique by market and name; listed by name."""

        constraints = [models.UniqueConstraint(fields=["market", "name"], name="channel_once")]
        ordering = ["market", "name"]

    def __str__(self) -> str:
        """Name the channel."""
        return f"{self.name} ({self.market})"

    @property
    def masked_url(self) -> str:
        """Return what may be shown of the address."""
        return masked(self.target_url)

    def clean(self) -> None:
        """Check what a field alone cannot tell; raise ValidationError by field, each with what would do."""
        errors = {
            **self._target_errors(),
            **quiet_errors(self.quiet_from, self.quiet_until, self.quiet_zone),
        }
        if self.name == PAGE_CHANNEL:
            errors["name"] = f"“{PAGE_CHANNEL}” are the pages themselves. Choose another name."
        if not (self.wants_new or self.wants_ended or self.wants_digest or self.wants_verdict):
            errors["wants_new"] = "This channel wants nothing. Choose at least one kind of news, or disable it."
        if errors:
            raise ValidationError(errors)

    def _target_errors(self) -> dict[str, str]:
        if not self.target_url:
            return {}
        if self.kind == self.Kind.WEBHOOK:
            return webhook_errors(self.target_url, self.secret)
        self.secret = ""
        stored = Channel.objects.filter(pk=self.pk).values_list("kind", "target_url").first() if self.pk else None
        return {} if stored == (self.kind, self.target_url) else apprise_errors(self.target_url)


class OutboxMessage(models.Model):
    """An alert event to be told over a channel: unique by both, so that a repeated copy adds nothing.

    A message of the channel ``page`` is shown and not sent.
    """

    class State(models.TextChoices):
        """Life of a message. One that is being sent waits, under a lease."""

        SHOWN = "shown", "On the pages"
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        DEAD = "dead", "Dead letter"

    market = models.CharField(max_length=8, choices=Market.choices)
    event_id = models.CharField(max_length=64)
    channel = models.CharField(max_length=40)
    alert_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=8)
    summary = models.CharField(max_length=300)
    happened_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.SHOWN)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=200, blank=True, default="")
    document = models.JSONField(default=dict, blank=True)

    class Meta:
        """Unique by market, event and channel; oldest first."""

        constraints = [models.UniqueConstraint(fields=["market", "event_id", "channel"], name="outbox_once")]
        indexes = [models.Index(fields=["market", "state", "next_attempt_at"], name="outbox_due")]
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
