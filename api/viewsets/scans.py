"""scans/: what ran, what runs, and the request for another."""

from __future__ import annotations

from typing import Any

import orjson
from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.answers import record_answer
from api.errors import BadParameter, NoSuchRecord
from api.parameters import GENERATION, PAGE, read_parameters
from api.schema import answers_list, answers_record, answers_scan_request
from api.selection import select
from api.source import Export, current_reader, open_export
from api.viewsets.documents import DocumentViewSet, answer_page, find_record, open_request
from exports.tickers import TickerError, canonical_list

NEWEST_FIRST = ("-started_at",)
MOST_TICKERS = 500


class TickersField(serializers.Field[list[str], Any, str, Any]):
    """Tickers as a list, or as one text with commas (what an HTML form sends)."""

    def to_internal_value(self, data: Any) -> list[str]:
        """Return the canonical tickers, in order and once each."""
        texts = [data] if isinstance(data, str) else data
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise serializers.ValidationError("tickers is no list of texts.")
        try:
            tickers = list(dict.fromkeys(ticker for text in texts for ticker in canonical_list(text)))
        except TickerError as error:
            raise serializers.ValidationError(str(error)) from error
        if len(tickers) > MOST_TICKERS:
            raise serializers.ValidationError(f"{len(tickers)} tickers are too many: at most {MOST_TICKERS} a scan.")
        return tickers

    def to_representation(self, value: list[str]) -> str:
        """Return the tickers as a form shows them."""
        return ", ".join(value)


class ScanRequestSerializer(serializers.Serializer[Any]):
    """The body of POST scans/."""

    tickers = TickersField(
        required=False,
        default=list,
        help_text="Tickers to scan, such as AAPL, AMD. Empty: the whole watchlist.",
        style={"base_template": "input.html"},
    )


class ScanViewSet(DocumentViewSet):
    """The last scans, newest first. Staff may ask for another."""

    serializer_class = ScanRequestSerializer

    @staticmethod
    def example_body() -> dict[str, Any]:
        """Return a body that could be sent: a scan of the first ticker that is exported."""
        document = open_export().document("features")
        tickers = sorted(document.index.column("ticker").tolist()) if document is not None else []
        return {"tickers": tickers[:1] or ["AAPL"]}

    @answers_list("Scan", "Scans, newest first", PAGE)
    def list(self, request: Request) -> Response:
        """Answer the scans that have finished; those that run are in status/."""
        values, export = open_request(request, PAGE)
        return answer_page(request, export, values, "scans", NEWEST_FIRST)

    @answers_record("Scan", "The newest scan", (GENERATION,))
    def latest(self, request: Request) -> Response:
        """Answer the newest scan."""
        _, export = open_request(request, (GENERATION,))
        record = newest_scan(export)
        if record is None:
            raise NoSuchRecord("No scan has been exported yet.", help="status/ shows what is queued or running.")
        return record_answer(export, record)

    @answers_record("Scan", "One scan; while it is queued or running, its job", (GENERATION,), path=("scan_id",))
    def retrieve(self, request: Request, scan_id: str) -> Response:
        """Answer one scan by its id, from scans.json, else from the jobs of live.json."""
        _, export = open_request(request, (GENERATION,))
        try:
            return record_answer(export, find_record(export, "scans", "id", scan_id, f"No scan has the id {scan_id}."))
        except NoSuchRecord:
            job = live_job(scan_id)
            if job is None:
                raise
            return record_answer(export, orjson.dumps(job))

    @answers_scan_request("Ask for a scan (staff)")
    def create(self, request: Request) -> Response:
        """Queue a scan of the tickers, of the whole watchlist where none are given."""
        read_parameters(request, ())
        if not isinstance(request.data, dict):
            raise BadParameter("The body is no JSON object.", help='Send {"tickers": ["AAPL"]}.')
        self._refuse_unknown_members(request.data)
        serializer = ScanRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        launch = import_string(settings.SCAN_LAUNCHER)
        job = launch(serializer.validated_data["tickers"], request.user.get_username())
        address = request.build_absolute_uri(reverse("api:scan", args=[job["id"]]))
        answer = {**job, "url": address, "help": None if job["created"] else already_waits(job)}
        return Response(answer, status=status.HTTP_202_ACCEPTED, headers={"Location": address})

    @staticmethod
    def _refuse_unknown_members(body: dict[str, Any]) -> None:
        for name in body:
            if name not in ("tickers", "csrfmiddlewaretoken"):
                raise BadParameter(f"{name} is not a member of a scan's request.", field=name, help="Send tickers.")


def already_waits(job: dict[str, Any]) -> str:
    """Return the sentence for who asked while ``job`` was waiting: what it scans, and that nothing was added."""
    what = ", ".join(job["tickers"]) or "the whole watchlist"
    return f"Scan {job['id']} waits already, of {what}. One scan waits at a time: ask again once it runs."


def newest_scan(export: Export) -> bytes | None:
    """Return the record of the newest scan; None where none was exported."""
    document = export.document("scans")
    positions = select(document, NEWEST_FIRST)
    return document.records([int(positions[0])])[0] if document is not None and positions.size else None


def live_job(scan_id: str) -> dict[str, Any] | None:
    """Return the job of ``scan_id`` in live.json, with the members that a scan's record has as well."""
    for job in current_reader().live().get("jobs", []):
        if job.get("scan_id") == scan_id:
            return {**job, "id": scan_id, "status": job.get("status") or job.get("state")}
    return None
