"""The banner that every page carries while the market is not a real one."""

from __future__ import annotations

from django import template

from api.source import open_export
from api.status import banner

register = template.Library()


@register.inclusion_tag("staff/banner.html")
def market_banner() -> dict[str, str | None]:
    """Say that the demo's tickers are invented and a recording's quotes of the past; nothing where they are live."""
    return {"banner": banner(open_export().provider)}
