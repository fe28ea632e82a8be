"""Every address of the site: staff pages, API, admin, health."""

from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from api import health
from api.viewsets.root import unknown_address
from optsite.pages.missing import MissingPage
from optsite.pages.overview import LivePart, OverviewPage, ScanNow
from optsite.pages.ticker import TickerPage

handler400 = "optsite.pages.errors.bad_request"
handler403 = "optsite.pages.errors.forbidden"
handler404 = "optsite.pages.errors.not_found"
handler500 = "optsite.pages.errors.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="overview"), name="home"),
    path("staff/", admin.site.admin_view(OverviewPage.as_view()), name="overview"),
    path("staff/live/", LivePart.as_view(), name="live"),
    path("staff/scan/", admin.site.admin_view(ScanNow.as_view()), name="scan-now"),
    path("staff/ticker/<str:ticker>/", admin.site.admin_view(TickerPage.as_view()), name="ticker"),
    # With its last slash only, so that an address without it is sent to the one with it.
    re_path(r"^staff/.*/$", admin.site.admin_view(MissingPage.as_view()), name="staff-missing"),
    path("favicon.ico", RedirectView.as_view(url=static("optsite/favicon.svg")), name="favicon"),
    path("admin/", admin.site.urls),
    path("healthz/live", health.live, name="healthz-live"),
    path("healthz/ready", health.ready, name="healthz-ready"),
    path("api/", RedirectView.as_view(pattern_name="api:root")),
    path("api/v1/", include("api.urls")),
    re_path(r"^api/.*$", unknown_address),
]
