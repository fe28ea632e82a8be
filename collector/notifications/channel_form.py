"""The form of a channel: lists as words with commas, secrets that are written and never shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from collector.models import Channel
from collector.published import published_detectors
from exports.tickers import TickerError, canonical

KEPT = "Leave empty to keep what is stored; it is never shown."


class WordsField(forms.CharField):
    """A list as words with commas between them."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        """Return a list as the words that a person reads."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the words, each once, in their order."""
        return list(dict.fromkeys(word.strip() for word in (value or "").split(",") if word.strip()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Say whether the words are others."""
        return bool(list(initial or []) != self.to_python(data))


class SecretField(forms.CharField):
    """A secret: what was entered is sent, what is stored never comes back."""

    widget = UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "off"})

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Say whether a new one was entered."""
        return bool(data)


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A channel as staff enter it."""

    target_url = SecretField(
        label="Target URL",
        required=False,
        max_length=1000,
        help_text=f"An Apprise URL, or a webhook's https:// address. {KEPT}",
    )
    secret = SecretField(
        label="Webhook secret",
        required=False,
        max_length=200,
        help_text=f"Signs webhooks (HMAC-SHA256), at least 16 characters. {KEPT}",
    )
    tickers = WordsField(required=False, help_text="Such as AAPL, ^SPX. Empty: all.")
    detectors = WordsField(required=False, help_text="Such as unusual_activity. Empty: all.")

    class Meta:
        """Every field that a person may set."""

        model = Channel
        fields = (
            "market",
            "name",
            "enabled",
            "kind",
            "target_url",
            "secret",
            "tickers",
            "detectors",
            "minimum_score",
            "wants_new",
            "wants_ended",
            "wants_digest",
            "wants_verdict",
            "quiet_from",
            "quiet_until",
            "quiet_zone",
        )
        help_texts = {
            "quiet_until": "Events in quiet hours wait until they end.",
            "wants_new": "A digest stands in for them where a scan finds too many.",
        }

    def clean_target_url(self) -> str:
        """Return the new address, or the one that is stored."""
        entered: str = self.cleaned_data["target_url"] or self.instance.target_url
        if not entered:
            raise forms.ValidationError("Enter where the messages go.")
        return entered

    def clean_secret(self) -> str:
        """Return the new secret, or the one that is stored."""
        entered: str = self.cleaned_data["secret"] or self.instance.secret
        return entered

    def clean_tickers(self) -> list[str]:
        """Return canonical tickers; the form's error says what a ticker looks like."""
        try:
            return list(dict.fromkeys(canonical(ticker) for ticker in self.cleaned_data["tickers"]))
        except TickerError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_detectors(self) -> list[str]:
        """Return the detectors; an error where the published documents know another set of names."""
        names: list[str] = self.cleaned_data["detectors"]
        known = published_detectors(settings.MARKET_FOLDER.market)
        unknown = [name for name in names if known and name not in known]
        if unknown:
            raise forms.ValidationError(f"There is no detector {', '.join(unknown)}. There are: {', '.join(known)}.")
        return names
