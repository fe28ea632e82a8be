"""What every staff page shares: the admin's frame, and one view of the published documents."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.views.generic import TemplateView

from api.source import Export, open_export
from api.status import compose_status


class StaffPage(TemplateView):
    """A page in the admin's frame. Wrap it in ``admin.site.admin_view``, which asks for a staff user."""

    title = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the frame's context, the state of the system, and what ``page_context`` adds."""
        export = open_export()
        return {
            **super().get_context_data(**kwargs),
            **admin.site.each_context(self.request),
            "title": self.title,
            "status": compose_status(export),
            **self.page_context(export),
        }

    def page_context(self, export: Export) -> dict[str, Any]:
        """Return what this page shows of ``export``."""
        return {}
