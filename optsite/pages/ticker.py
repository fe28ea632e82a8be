"""The page of one ticker: its figures, its chains, one chain's contracts, its alerts, its history."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from api.chain_choice import chains_of, choose_chain
from api.errors import NoSuchRecord
from api.selection import equal, select
from api.source import Export, open_export
from api.viewsets.chains import without_contracts
from exports.documents import FEATURE_FIELDS, Field
from exports.tickers import TickerError, canonical
from optsite.pages.chain_table import strike_rows, volume_by_strike
from optsite.pages.chrome import StaffPage
from optsite.pages.grades import grade_counts
from optsite.pages.missing import MissingPage, exported_tickers
from optsite.pages.smile_chart import smile

SHOWN_ALERTS = 10
CHART_SESSIONS = 120
NAMING_TICKERS = ("features", "chains", "history", "alerts")
NOT_FIGURES = (
    "ticker",
    "provider",
    "feed",
    "as_of",
    "quote_time",
    "market_date",
    "scan_id",
    "grade",
    "price",
    "price_time",
)
STYLE_OF_UNIT = {
    "price": "price",
    "decimal": "percent",
    "contracts": "whole",
    "shares": "whole",
    "expirations": "whole",
    "ratio": "ratio",
    "0-100": "ratio",
}
PERCENTAGES = frozenset({"implied_earnings_move", "median_relative_spread"})


class TickerPage(StaffPage):
    """Everything that is exported of one ticker; ``expiration`` and ``root`` choose the chain that is shown."""

    template_name = "staff/ticker.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the ticker; send other spellings of it to the one address it has; 404 where no document names it."""
        try:
            self.ticker = canonical(kwargs["ticker"])
        except TickerError as error:
            return MissingPage.as_view(missing=str(error))(request)
        if self.ticker != kwargs["ticker"]:
            return HttpResponseRedirect(reverse("ticker", args=[self.ticker]))
        if not _is_known(open_export(), self.ticker):
            return MissingPage.as_view(missing=f"Nothing of {self.ticker} is exported.")(request)
        self.title = self.ticker
        return super().get(request, *args, **kwargs)

    def page_context(self, export: Export) -> dict[str, Any]:
        """Return the ticker's feature record, chains, chosen chain, alerts and chart data."""
        feature = _record_of(export, "features", self.ticker)
        chain, problem = self._chosen_chain(export)
        chains = _chains(export, self.ticker)
        history = _record_of(export, "history", self.ticker)
        return {
            "ticker": self.ticker,
            "tickers": exported_tickers(export),
            "feature": feature,
            "grade_counts": grade_counts(export).get(self.ticker, ""),
            "figures": _figures(feature) if feature else [],
            "chains": chains,
            "chain": chain,
            "chain_problem": problem,
            "rows": strike_rows(chain) if chain else [],
            "has_volatility": chain is not None and _any_volatility(chain),
            "alerts": _alerts(export, self.ticker),
            "charts": {
                "history": _closes(history),
                "strikes": volume_by_strike(chain) if chain else None,
                "smile": smile(chain) if chain else None,
                "term": (feature or {}).get("term_structure") or [],
            },
        }

    def _chosen_chain(self, export: Export) -> tuple[dict[str, Any] | None, str]:
        query = self.request.GET
        try:
            chosen = choose_chain(
                export, self.ticker, expiration=query.get("expiration") or None, root=query.get("root") or None
            )
        except NoSuchRecord as error:
            return None, str(error.detail)
        return chosen.document.record(chosen.position), ""


def _is_known(export: Export, ticker: str) -> bool:
    documents = (export.document(name) for name in NAMING_TICKERS)
    return any(document is not None and equal(document, "ticker", ticker).any() for document in documents)


def _record_of(export: Export, document_name: str, ticker: str) -> dict[str, Any] | None:
    document = export.document(document_name)
    if document is None:
        return None
    positions = select(document, (), equal(document, "ticker", ticker))
    return document.record(int(positions[0])) if positions.size else None


def _chains(export: Export, ticker: str) -> list[dict[str, Any]]:
    document, positions = chains_of(export, ticker)
    if document is None:
        return []
    records = document.records([int(position) for position in positions])
    return [orjson.loads(without_contracts(record)) for record in records]


def _alerts(export: Export, ticker: str) -> list[dict[str, Any]]:
    document = export.document("alerts")
    if document is None:
        return []
    positions = select(document, ("-first_seen",), equal(document, "ticker", ticker))[:SHOWN_ALERTS]
    return [document.record(int(position)) for position in positions]


def _figures(feature: dict[str, Any]) -> list[dict[str, Any]]:
    """Return name, help, style, value and what it is per, of each figure that a row can show."""
    return [
        {
            "name": field.name,
            "help": field.help,
            "style": _style(field),
            "value": feature.get(field.name),
            "reason": (feature.get("reasons") or {}).get(field.name),
            "per": _per(field),
        }
        for field in FEATURE_FIELDS
        if field.name not in NOT_FIGURES and field.type not in ("array", "object")
    ]


def _per(field: Field) -> str:
    """Return what an amount of dollars is for, '' for other figures."""
    return field.unit.removeprefix("$/") if field.unit.startswith("$/") else ""


def _style(field: Field) -> str:
    if field.name.startswith("return_"):
        return "change"
    if _per(field):
        return "dollars"
    if field.name in PERCENTAGES:
        return "percent"
    return "yes" if field.type == "boolean" else STYLE_OF_UNIT.get(field.unit, "plain")


def _closes(history: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the last sessions' dates and closes, splits undone so that the line has no step."""
    if history is None:
        return None
    closes = [
        close / factor if close is not None and factor else None
        for close, factor in zip(history["close"], history["split_factor"], strict=True)
    ]
    return {"dates": history["dates"][-CHART_SESSIONS:], "close": closes[-CHART_SESSIONS:]}


def _any_volatility(chain: dict[str, Any]) -> bool:
    return any(contract.get("implied_volatility") is not None for contract in [*chain["calls"], *chain["puts"]])
