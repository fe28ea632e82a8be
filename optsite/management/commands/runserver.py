"""The pages and the API alone: says which market they show, and what is left to do before anybody can sign in."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV
from whitenoise.runserver_nostatic.management.commands import runserver

from optsite.configuration_check import check_configuration
from optsite.first_steps import served, somebody_may_sign_in


class Command(runserver.Command):  # type: ignore[misc]
    """Serve the pages and the API of the market that OPTSITE_PROVIDER names."""

    help = "Serve the pages and the API of the market that OPTSITE_PROVIDER names, for development."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what is served, once and not again at each reload, and serve it."""
        if os.environ.get(DJANGO_AUTORELOAD_ENV) != "true":
            check_configuration()
            self.stdout.write(f"Pages and API of {served(settings.MARKET_FOLDER)}.")
            if not somebody_may_sign_in():
                self.stdout.write("Nobody can sign in yet: manage.py createsuperuser makes the first one who can.")
            self.stdout.flush()
            connection.close()
        super().handle(*args, **options)
