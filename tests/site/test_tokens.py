"""Where the site is deployed, an API read needs a signed-in staff user or a token of one."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client, override_settings
from rest_framework.authtoken.models import Token

pytestmark = pytest.mark.django_db


def test_a_staff_token_reads_where_anonymous_reads_are_off(client: Client) -> None:
    deployed = settings.OPTSITE.model_copy(update={"allowed_hosts": ("options.example.org",)})
    user = get_user_model().objects.create_user("mia", password="x", is_staff=True)
    key = Token.objects.create(user=user).key
    with override_settings(OPTSITE=deployed):
        assert client.get("/api/v1/scans/").status_code in (401, 403)
        assert client.get("/api/v1/scans/", headers={"Authorization": f"Token {key}"}).status_code == 200
        assert client.get("/api/v1/scans/", headers={"Authorization": "Token none"}).status_code in (401, 403)
    assert client.get("/api/v1/scans/").status_code == 200
