"""What is asked for under /staff/ and is not there: a page in the admin's frame, with the tickers that are."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from api.source import Export
from optsite.pages.chrome import StaffPage


class MissingPage(StaffPage):
    """A 404 in the admin's frame. ``missing`` is the sentence that says what is not there."""

    template_name = "staff/missing.html"
    title = "Not found"
    missing = ""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer 404."""
        return self.render_to_response(self.get_context_data(**kwargs), status=404)

    def page_context(self, export: Export) -> dict[str, Any]:
        """Return the sentence and the tickers that are exported."""
        missing = self.missing or f"{self.request.path} is no address of this site."
        return {"missing": missing, "tickers": exported_tickers(export)}


def exported_tickers(export: Export) -> list[str]:
    """Return the tickers that have figures, in order."""
    document = export.document("features")
    return sorted(document.index.column("ticker").tolist()) if document is not None else []
