"""A published market, and clients that ask the API about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from exports.folders import MarketFolder
from tests.api.sample_market import market_documents, publish_market


@pytest.fixture
def export_dir(market_folder: MarketFolder, settings: Any) -> Path:
    """Return the export folder that the site reads in this test; nothing is published in it yet."""
    settings.MARKET_FOLDER = market_folder
    return market_folder.export_dir


@pytest.fixture
def market(export_dir: Path) -> dict[str, list[dict[str, Any]]]:
    """Publish the invented market; return its documents."""
    documents = market_documents()
    publish_market(export_dir, documents)
    return documents


@pytest.fixture
def api() -> Client:
    """Return a client without a session, which is answered as a real one is: a failing view is a 500."""
    return Client(headers={"host": "localhost"}, raise_request_exception=False)


@pytest.fixture
def staff_user(db: None) -> Any:
    return get_user_model().objects.create_user("mara", password="quiet-harbour-71", is_staff=True)


@pytest.fixture
def staff(staff_user: Any) -> Client:
    """Return a client of a staff user, held to CSRF as a browser is."""
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost"}, raise_request_exception=False)
    client.force_login(staff_user)
    return client
