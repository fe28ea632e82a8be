"""alerts/: what stands, newest first."""

from __future__ import annotations

import numpy as np
from rest_framework.request import Request
from rest_framework.response import Response

from api.answers import record_answer
from api.parameters import GENERATION, MIN_SCORE, PAGE, TICKER, path_ticker
from api.schema import answers_list, answers_record
from api.selection import at_least, select
from api.source import Export
from api.viewsets.documents import (
    Condition,
    DocumentViewSet,
    answer_page,
    column_is,
    find_record,
    open_request,
)

NEWEST_FIRST = ("-first_seen",)

# A scan that evaluated detectors; the others touched no alert.
EVALUATED = ("ok", "partial")


class AlertViewSet(DocumentViewSet):
    """Alerts of the last 30 days, from new to ended."""

    @answers_list("Alert", "Alerts, newest first", (TICKER, MIN_SCORE, *PAGE))
    def list(self, request: Request) -> Response:
        """Answer the alerts that the filters leave."""
        values, export = open_request(request, (TICKER, MIN_SCORE, *PAGE))
        conditions = [*column_is("ticker", values["ticker"]), *_scored(values["min_score"])]
        return answer_page(request, export, values, "alerts", NEWEST_FIRST, *conditions)

    @answers_list("Alert", "Alerts that the newest finished scan raised, confirmed or ended", (MIN_SCORE, *PAGE))
    def latest(self, request: Request) -> Response:
        """Answer the alerts of the newest finished scan; none where no scan has finished."""
        values, export = open_request(request, (MIN_SCORE, *PAGE))
        conditions = [*column_is("last_scan_id", newest_evaluated_scan(export) or ""), *_scored(values["min_score"])]
        return answer_page(request, export, values, "alerts", NEWEST_FIRST, *conditions)

    @answers_list("Alert", "Alerts of one ticker, newest first", (MIN_SCORE, *PAGE), path=("ticker",))
    def of_ticker(self, request: Request, ticker: str) -> Response:
        """Answer the alerts of the ticker in the path."""
        values, export = open_request(request, (MIN_SCORE, *PAGE))
        conditions = [*column_is("ticker", path_ticker(ticker)), *_scored(values["min_score"])]
        return answer_page(request, export, values, "alerts", NEWEST_FIRST, *conditions)

    @answers_record("Alert", "One alert", (GENERATION,), path=("alert_id",))
    def retrieve(self, request: Request, alert_id: str) -> Response:
        """Answer one alert by its id."""
        _, export = open_request(request, (GENERATION,))
        return record_answer(export, find_record(export, "alerts", "id", alert_id, f"No alert has the id {alert_id}."))


def newest_evaluated_scan(export: Export) -> str | None:
    """Return the id of the newest scan that evaluated detectors; a slot skipped because of the hour did not."""
    document = export.document("scans")
    if document is None:
        return None
    evaluated = np.isin(document.index.column("status").astype(str), EVALUATED)
    positions = select(document, ("-started_at",), evaluated)
    return str(document.index.column("id")[positions[0]]) if positions.size else None


def _scored(min_score: float | None) -> list[Condition]:
    return [] if min_score is None else [lambda document: at_least(document, "score", min_score)]
