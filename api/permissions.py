"""Who may read, and who may start a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    # DRF's views load this module while they are being defined.
    from rest_framework.views import APIView

LOOPBACK_NAMES = frozenset({"localhost", ".localhost", "127.0.0.1", "[::1]", "::1"})


def anonymous_reads() -> bool:
    """Return whether anyone may read.

    Judged by the names that the site answers to, never by the peer's address: behind a proxy every peer is loopback.
    """
    return bool(settings.OPTSITE.api_public) or LOOPBACK_NAMES.issuperset(settings.OPTSITE.allowed_hosts)


class ReadsOrStaff(BasePermission):
    """Reads are open where ``anonymous_reads``; else, and for all that writes, a staff user is needed."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether the request may proceed; an open read never looks at the user."""
        if request.method not in view.allowed_methods:
            # Nothing is there to be permitted: the view answers 405, whoever asks.
            return True
        if request.method in SAFE_METHODS and anonymous_reads():
            return True
        return bool(request.user and request.user.is_authenticated and request.user.is_staff)
