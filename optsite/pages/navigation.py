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


def of_the_market(model: str) -> str:
    """Return the address of the served market's rows of a model of collector."""
    return f"{reverse(f'admin:collector_{model}_changelist')}?market__exact={settings.MARKET_FOLDER.market}"


def rows(title: str, icon: str, model: str) -> dict[str, Any]:
    """Return an entry that leads to the served market's rows of a model, for those who may see them."""
    return {
        "title": title,
        "icon": icon,
        "link": lazy(lambda: of_the_market(model), str)(),
        "permission": lambda request: request.user.has_perm(f"collector.view_{model}"),
    }


SIDEBAR: dict[str, Any] = {
    "show_search": False,
    "show_all_applications": True,
    "navigation": [
        {
            "title": "Market",
            "items": [
                {"title": "Overview", "icon": "monitoring", "link": reverse_lazy("overview")},
                rows("Watchlist", "visibility", "watchedticker"),
            ],
        },
        {
            "title": "Alerts",
            "separator": True,
            "items": [
                rows("Rules", "rule", "rule"),
                rows("Channels", "campaign", "channel"),
                rows("Outbox", "outbox", "outboxmessage"),
                rows("Acknowledged", "done_all", "alertmark"),
                rows("Muted", "notifications_off", "mute"),
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
