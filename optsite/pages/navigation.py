"""The sidebar of the pages; the settings hand it to unfold."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

FAVICONS: list[dict[str, Any]] = [
    {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("optsite/favicon.svg")}
]

SIDEBAR: dict[str, Any] = {
    "show_search": False,
    "show_all_applications": True,
    "navigation": [
        {
            "title": "Market",
            "items": [{"title": "Overview", "icon": "monitoring", "link": reverse_lazy("overview")}],
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
