"""From an error to a command's exit code and its one line."""

from __future__ import annotations

import logging

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import DatabaseError

from collector.detectors.base import ConfigError
from collector.pipeline.orders import BAD_USAGE, FAILED, LOCKED, UNREACHABLE, OrderError
from collector.pipeline.plan import EmptyWatchlist
from collector.pipeline.replay import DamagedAlert, UnknownAlert
from collector.pipeline.workers import WorkerDied
from collector.providers.base import ProviderError, Unreachable
from collector.providers.catalogue import UnknownProvider
from collector.store.database import StoreBusy, StoreError, StoreOfAnotherMarket
from exports.locks import LockHeld
from exports.writer import PublicationError

logger = logging.getLogger(__name__)

# What a shell says of a program that Ctrl-C ended.
INTERRUPTED = 130

# The first that fits decides.
CODES: tuple[tuple[type[BaseException], int], ...] = (
    (LockHeld, LOCKED),
    (StoreBusy, LOCKED),
    (StoreOfAnotherMarket, BAD_USAGE),
    (StoreError, FAILED),
    (PublicationError, FAILED),
    (WorkerDied, FAILED),
    (Unreachable, UNREACHABLE),
    (EmptyWatchlist, BAD_USAGE),
    (UnknownAlert, BAD_USAGE),
    (DamagedAlert, FAILED),
    (OrderError, BAD_USAGE),
    (ConfigError, BAD_USAGE),
    (UnknownProvider, BAD_USAGE),
    (ImproperlyConfigured, BAD_USAGE),
    (ProviderError, BAD_USAGE),
    (OSError, FAILED),
)


def as_command_error(error: BaseException) -> BaseException:
    """Return the CommandError of an error that is foreseen, with its exit code; any other error itself.

    A provider's error here is one of making it (a folder without recordings); those of single tickers are outcomes.
    """
    if isinstance(error, KeyboardInterrupt):
        return CommandError(
            "Interrupted; what was collected is kept, and the next scan goes on from it.", returncode=INTERRUPTED
        )
    if isinstance(error, DatabaseError):
        remedy = "; run manage.py migrate first" if "no such table" in str(error) else ""
        return CommandError(f"Django's database can't be used: {error}{remedy}.", returncode=FAILED)
    for kind, code in CODES:
        if isinstance(error, kind):
            logger.info("ended: %s", error)
            return CommandError(str(error), returncode=code)
    return error
