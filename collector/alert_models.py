"""Rows of what users say of alerts: their rules, and which alerts they took note of or muted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from collector.markets import Market
from collector.published import published_alerts, published_detectors
from collector.rules.definition import DIRECTIONS, GRADES, NAME_LENGTH, RuleDefinition, rule_from, slug
from collector.rules.fault import RuleFault
from collector.rules.rule_file import rules_of_file
from exports.tickers import TickerError, canonical, canonical_list


class Rule(models.Model):
    """A user's rule: what its condition may say is told by collector/rules/condition.py."""

    market = models.CharField(max_length=8, choices=Market.choices)
    name = models.CharField(max_length=NAME_LENGTH)
    slug = models.CharField(max_length=4 * NAME_LENGTH, editable=False)
    tickers = models.CharField(
        max_length=1000, blank=True, default="", help_text="Such as AAPL, BRK-B; empty for the whole watchlist."
    )
    condition = models.TextField(
        max_length=1000, help_text="Such as iv_rank > 80 and iv_30d > 1.2 * realised_volatility_20d."
    )
    rearm = models.TextField(
        "re-arm condition",
        max_length=1000,
        blank=True,
        default="",
        help_text="An alert goes on while this holds, such as iv_rank > 70; empty for the condition itself.",
    )
    direction = models.CharField(max_length=8, choices=[(one, one) for one in DIRECTIONS], default="neutral")
    minimum_grade = models.CharField(
        max_length=1,
        choices=[(grade, grade) for grade in GRADES],
        default="C",
        help_text="Worst grade of the chains that its figures may stand on.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        """Unique by market and what tells names apart; listed by name."""

        constraints = [models.UniqueConstraint(fields=["market", "slug"], name="rule_once")]
        ordering = ["market", "slug"]

    def __str__(self) -> str:
        """Name the rule."""
        return f"{self.name} ({self.market})"

    def definition(self) -> RuleDefinition:
        """Return the rule as scans take it; raise RuleFault where it can't be."""
        try:
            tickers = canonical_list(self.tickers)
        except TickerError as error:
            raise RuleFault(str(error), key="tickers") from error
        return rule_from(
            {
                "name": self.name,
                "condition": self.condition,
                "rearm": self.rearm.strip() or None,
                "tickers": list(tickers),
                "direction": self.direction,
                "minimum_grade": self.minimum_grade,
            }
        )

    def clean(self) -> None:
        """Refuse what can't be a rule, by field, with the place of the mistake; and a name that another rule has."""
        try:
            definition = self.definition()
        except RuleFault as fault:
            raise ValidationError({fault.key: str(fault.under(""))}) from fault
        self.tickers = ", ".join(definition.tickers)
        self.slug = slug(self.name)
        if Rule.objects.filter(market=self.market, slug=self.slug).exclude(pk=self.pk).exists():
            raise ValidationError({"name": "Another rule of this market has this name."})
        try:
            of_file = {rule.detector for rule in rules_of_file(settings.OPTSITE.config)}
        except RuleFault as fault:
            raise ValidationError(f"The configuration file has to be put right first: {fault}") from fault
        if definition.detector in of_file:
            raise ValidationError({"name": "The configuration file has a rule of this name."})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save it with what tells its name apart."""
        self.slug = slug(self.name)
        super().save(*args, **kwargs)


class AlertMark(models.Model):
    """An alert that somebody has taken note of."""

    market = models.CharField(max_length=8, choices=Market.choices)
    alert_id = models.CharField(max_length=64)
    acknowledged_by = models.CharField(max_length=150)
    acknowledged_at = models.DateTimeField()

    class Meta:
        """Unique by market and alert; newest first."""

        constraints = [models.UniqueConstraint(fields=["market", "alert_id"], name="alert_mark_once")]
        ordering = ["-acknowledged_at"]

    def __str__(self) -> str:
        """Name the alert and who took note of it."""
        return f"{self.alert_id} by {self.acknowledged_by}"

    def clean(self) -> None:
        """Refuse an alert that the market's published documents do not know."""
        _check_alert(self.market, self.alert_id)


class Mute(models.Model):
    """Alerts that nobody is told of until a moment: one of them, or those of a detector, of a ticker, or of both.

    They stay on the pages and in the API.
    """

    market = models.CharField(max_length=8, choices=Market.choices)
    detector = models.CharField(max_length=80, blank=True, default="", help_text="Empty for every detector.")
    ticker = models.CharField(max_length=16, blank=True, default="", help_text="Empty for every ticker.")
    alert_id = models.CharField(
        max_length=64, blank=True, default="", help_text="Id of one alert, in place of detector and ticker."
    )
    until = models.DateTimeField()
    by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """The one that lasts longest first."""

        ordering = ["-until"]

    def __str__(self) -> str:
        """Name what is muted, and until when."""
        what = self.alert_id or " ".join(part for part in (self.detector, self.ticker) if part) or "everything"
        return f"{what} until {self.until:%Y-%m-%dT%H:%MZ}"

    def clean(self) -> None:
        """Refuse what mutes nothing that there is, or everything, or is over as it begins; canonise the ticker."""
        if self._state.adding and self.until is not None and self.until <= datetime.now(UTC):
            raise ValidationError({"until": "This moment is past. Give one to come."})
        if not (self.detector or self.ticker or self.alert_id):
            raise ValidationError(
                "Name a detector, a ticker or an alert: a mute of everything would tell nobody of any."
            )
        if self.alert_id and (self.detector or self.ticker):
            raise ValidationError({"alert_id": "One alert is muted by its id alone: leave detector and ticker empty."})
        if self.ticker:
            try:
                self.ticker = canonical(self.ticker)
            except TickerError as error:
                raise ValidationError({"ticker": str(error)}) from error
        # What was there when it was muted may be published no more.
        if self.alert_id and self._is_new("alert_id"):
            _check_alert(self.market, self.alert_id)
        if self.detector and self._is_new("detector"):
            _check_detector(self.market, self.detector)

    def _is_new(self, name: str) -> bool:
        """Return whether a field says something else than the stored row of this market."""
        stored = Mute.objects.filter(pk=self.pk, market=self.market).values_list(name, flat=True).first()
        return bool(stored != getattr(self, name))


def _check_alert(market: str, alert_id: str) -> None:
    known = published_alerts(market)
    if alert_id and known is not None and alert_id not in known:
        raise ValidationError(
            {"alert_id": f"The market {market} has no published alert {alert_id}. Copy the id from the alert's page."}
        )


def _check_detector(market: str, detector: str) -> None:
    known = published_detectors(market)
    if known and detector not in known:
        raise ValidationError({"detector": f"There is no detector {detector}. There are: {', '.join(known)}."})
