"""Rules in the admin: checked when saved, and tried on what is published before they judge a scan."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.decorators import action

from collector.models import Rule
from collector.rules.dry_run import dry_run
from collector.rules.fault import RuleFault
from exports.folders import MARKET_OF_PROVIDER, MarketFolder
from exports.reader import ExportReader, ExportReadError

# Any provider of a market leads to its folder.
PROVIDERS = {market: provider for provider, market in MARKET_OF_PROVIDER.items()}


class RuleAdmin(ModelAdmin):  # type: ignore[misc]
    """The users' rules."""

    fields = ("market", "name", "condition", "rearm", "tickers", "direction", "minimum_grade", "enabled")
    list_display = ("name", "market", "condition", "whose", "direction", "enabled", "updated_at")
    list_filter = ("market", "enabled")
    search_fields = ("name", "condition", "tickers")
    actions_detail = ("try_out",)

    @admin.display(description="tickers", ordering="tickers")
    def whose(self, rule: Rule) -> str:
        """Return the tickers that it is judged on."""
        return rule.tickers or "whole watchlist"

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what an empty form begins with: the served market."""
        return {"market": settings.MARKET_FOLDER.market, **super().get_changeform_initial_data(request)}

    @action(description="Dry run", url_path="dry-run", permissions=["view"], icon="science")  # type: ignore[untyped-decorator]
    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show on which tickers the rule would fire now, and where it can't be judged; no alert is raised."""
        rule = get_object_or_404(Rule, pk=object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": "Dry run",
            "opts": self.opts,
            "rule": rule,
            **_tried(rule),
        }
        return TemplateResponse(request, "rules/dry_run.html", context)


def _tried(rule: Rule) -> dict[str, Any]:
    """Return what the page shows of a rule's dry run: ``run``, None where nothing is published; or a ``fault``."""
    folder = MarketFolder(settings.MARKET_FOLDER.data_dir, PROVIDERS[rule.market])
    try:
        definition = rule.definition()
        generation = ExportReader(folder.export_dir).current()
        run = dry_run(definition, generation) if generation is not None else None
    except (RuleFault, ExportReadError) as error:
        return {"fault": str(error)}
    return {"run": run, "per_chain": definition.per_chain}
