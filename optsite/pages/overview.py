"""The overview: how the market and the system fare, what is new, and the button that starts a scan."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.module_loading import import_string
from django.views import View

from api.selection import select
from api.source import Export, open_export
from api.status import compose_status
from api.viewsets.scans import already_waits
from optsite.pages.chrome import StaffPage
from optsite.pages.grades import grade_counts
from optsite.pages.watchlist_scan import watchlist_scan

SHOWN_ALERTS = 8
STANDING = ("new", "ongoing")


class OverviewPage(StaffPage):
    """Market, scans, budget, age of the data, new alerts, tickers, coverage of the last scan of the watchlist."""

    template_name = "staff/overview.html"
    title = "Overview"

    def page_context(self, export: Export) -> dict[str, Any]:
        """Return the tickers, the standing alerts and the last watchlist scan."""
        alerts, standing = standing_alerts(export)
        shown = {"tickers": tickers(export), "alerts": alerts, "standing": standing}
        return shown | {"watchlist_scan": watchlist_scan(export)}


class LivePart(View):
    """The part of the overview that moves: fetched again every few seconds."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Answer the fragment; ask for the whole page anew where a generation came since it was drawn."""
        if not admin.site.has_permission(request):
            return HttpResponse(status=403)
        export = open_export()
        shown = {"status": compose_status(export), "watchlist_scan": watchlist_scan(export)}
        response = render(request, "staff/live.html", shown)
        if request.GET.get("generation", "") != (export.name or ""):
            response["HX-Refresh"] = "true"
        return response


class ScanNow(View):
    """The button that starts a scan."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseRedirect:
        """Queue a scan of the whole watchlist and show the overview, whose live row follows it."""
        launch = import_string(settings.SCAN_LAUNCHER)
        job = launch([], request.user.get_username())
        if job["created"]:
            messages.success(request, f"Scan {job['id']} is queued.")
        else:
            messages.warning(request, already_waits(job))
        return redirect("overview")


def tickers(export: Export) -> list[dict[str, Any]]:
    """Return the figures of each ticker, by ticker, with its chains by grade as ``grade_counts``."""
    document = export.document("features")
    if document is None:
        return []
    counts = grade_counts(export)
    records = [document.record(int(position)) for position in select(document, ("ticker",))]
    return [record | {"grade_counts": counts.get(record["ticker"], "")} for record in records]


def standing_alerts(export: Export) -> tuple[list[dict[str, Any]], int]:
    """Return the newest standing alerts, the new ones first, and how many stand in all."""
    document = export.document("alerts")
    if document is None:
        return [], 0
    states = document.index.column("state")
    by_state = {state: select(document, ("-first_seen", "-score"), states == state) for state in STANDING}
    shown = [int(position) for state in STANDING for position in by_state[state]][:SHOWN_ALERTS]
    return [document.record(position) for position in shown], sum(len(found) for found in by_state.values())
