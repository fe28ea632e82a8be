"""The addresses under /api/v1/."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from api.viewsets.alerts import AlertViewSet
from api.viewsets.chains import ChainViewSet
from api.viewsets.features import FeatureViewSet
from api.viewsets.options import OptionViewSet
from api.viewsets.root import RootViewSet, unknown_address
from api.viewsets.scans import ScanViewSet
from api.viewsets.status import MetaViewSet, StatusViewSet

app_name = "api"

urlpatterns = [
    path("", RootViewSet.as_view({"get": "list"}, name="Option chain API"), name="root"),
    path("alerts/", AlertViewSet.as_view({"get": "list"}, name="Alerts"), name="alerts"),
    path("alerts/latest/", AlertViewSet.as_view({"get": "latest"}, name="Latest alerts"), name="alerts-latest"),
    path(
        "alerts/ticker/<str:ticker>/",
        AlertViewSet.as_view({"get": "of_ticker"}, name="Alerts of a ticker"),
        name="alerts-ticker",
    ),
    path("alerts/<str:alert_id>/", AlertViewSet.as_view({"get": "retrieve"}, name="Alert"), name="alert"),
    path("chains/", ChainViewSet.as_view({"get": "list"}, name="Chains"), name="chains"),
    path(
        "options/<str:ticker>/expirations/",
        OptionViewSet.as_view({"get": "expirations"}, name="Expirations"),
        name="expirations",
    ),
    path("options/<str:ticker>/snapshot/", OptionViewSet.as_view({"get": "snapshot"}, name="Chain"), name="snapshot"),
    path("scans/", ScanViewSet.as_view({"get": "list", "post": "create"}, name="Scans"), name="scans"),
    path("scans/latest/", ScanViewSet.as_view({"get": "latest"}, name="Latest scan"), name="scans-latest"),
    path("scans/<str:scan_id>/", ScanViewSet.as_view({"get": "retrieve"}, name="Scan"), name="scan"),
    path("features/", FeatureViewSet.as_view({"get": "list"}, name="Features"), name="features"),
    path(
        "features/<str:ticker>/latest/",
        FeatureViewSet.as_view({"get": "latest"}, name="Features of a ticker"),
        name="features-latest",
    ),
    path(
        "features/<str:ticker>/history/",
        FeatureViewSet.as_view({"get": "history"}, name="History of a ticker"),
        name="features-history",
    ),
    path("status/", StatusViewSet.as_view({"get": "list"}, name="Status"), name="status"),
    path("meta/", MetaViewSet.as_view({"get": "list"}, name="Meta"), name="meta"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema"), name="docs"),
    re_path(r"^.*$", unknown_address, name="unknown"),
]
