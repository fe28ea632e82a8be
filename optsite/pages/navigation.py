"""The sidebar of the pages; the settings hand it to unfold."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.functional import lazy

FAVICONS: list[dict[str, Any]] = [
    {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("optsite/favicon.svg")}
]


def watchlist() -> str:
    """Return the address of the tickers that the served market's scans ask for."""
    return f"{reverse('admin:collector_watchedticker_changelist')}?market__exact={settings.MARKET_FOLDER.market}"


SIDEBAR: dict[str, Any] = {
    "show_search": False,
    "show_all_applications": True,
    "navigation": [
        {
            "title": "Market",
            "items": [
                {"title": "Overview", "icon": "monitoring", "link": reverse_lazy("overview")},
                {
                    "title": "Watchlist",
                    "icon": "visibility",
                    "link": lazy(watchlist, str)(),
                    "permission": lambda request: request.user.has_perm("collector.view_watchedticker"),
                },
            ],
        },
        {
            "title": "API",
            "separator": True,
            "items": [
                {"title": "Browse", "icon": "data_object", "link": reverse_lazy("api:root")},
                {"title": "Documentation", "icon": "menu_book", "link": reverse_lazy("api:docs")},
            ],
        },
    ],
}
