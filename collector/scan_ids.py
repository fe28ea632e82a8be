"""Names of scans: when one was asked for, and six hex digits that tell two of one second apart."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


def new_scan_id(now: datetime) -> str:
    """Return a new id such as ``20260127T120000Z-3fa91c``; ids sort by the moment ``now``, which is aware."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
