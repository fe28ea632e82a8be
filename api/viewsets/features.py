"""features/: the figures of each ticker, and their history."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from api.answers import record_answer
from api.parameters import GENERATION, PAGE, TICKER, path_ticker
from api.schema import answers_list, answers_record
from api.viewsets.documents import DocumentViewSet, answer_page, column_is, find_record, open_request


class FeatureViewSet(DocumentViewSet):
    """The newest usable figures of each active ticker."""

    @answers_list("Feature", "Figures of each ticker", (TICKER, *PAGE))
    def list(self, request: Request) -> Response:
        """Answer the figures that the filters leave, by ticker."""
        values, export = open_request(request, (TICKER, *PAGE))
        return answer_page(request, export, values, "features", ("ticker",), *column_is("ticker", values["ticker"]))

    @answers_record("Feature", "Newest figures of one ticker", (GENERATION,), path=("ticker",))
    def latest(self, request: Request, ticker: str) -> Response:
        """Answer the newest usable figures of the ticker in the path."""
        return self._of_ticker(request, "features", ticker, "No features of {} are exported.")

    @answers_record("History", "Daily history of one ticker, oldest first", (GENERATION,), path=("ticker",))
    def history(self, request: Request, ticker: str) -> Response:
        """Answer the arrays over the last closed sessions of the ticker in the path."""
        return self._of_ticker(request, "history", ticker, "No history of {} is exported.")

    def _of_ticker(self, request: Request, document_name: str, ticker: str, missing: str) -> Response:
        _, export = open_request(request, (GENERATION,))
        name = path_ticker(ticker)
        return record_answer(export, find_record(export, document_name, "ticker", name, missing.format(name)))
