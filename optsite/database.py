"""Django's database, made ready by ``up`` or by the first command that needs it."""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from filelock import FileLock

from optsite.data_folder import DataFolderUnusable, make_data_folder

logger = logging.getLogger(__name__)

# Commands that need the database; the others (check, makemigrations, migrate …) take it as it is.
NEEDS_DATABASE = frozenset(
    {"changepassword", "createsuperuser", "export", "qcluster", "runserver", "scan", "schedules", "up"}
)


def pending_migrations() -> bool:
    """Return whether Django's database lacks a migration."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def prepare() -> bool:
    """Make the data folder and bring Django's database up to date; return whether it had to be.

    Several processes may call at once: one migrates, the others wait. Raises DataFolderUnusable.
    """
    data_dir: Path = settings.OPTSITE.data_dir
    make_data_folder(data_dir)
    try:
        if not pending_migrations():
            return False
        with FileLock(data_dir / "migrate.lock"):
            if not pending_migrations():
                return False
            call_command("migrate", verbosity=0, interactive=False)
    except (OSError, DatabaseError) as error:
        raise DataFolderUnusable(data_dir, f"Django's database: {error}") from error
    finally:
        connection.close()
    logger.info("the database was brought up to date")
    return True
