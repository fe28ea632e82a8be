"""What makes two findings the same alert: the key, and the session in which its episode began.

Neither holds an id of a scan or a process: the same finding in the next scan is the same alert.
"""

from __future__ import annotations

import hashlib
from datetime import date

SEPARATOR = "|"
ALERT_ID_LENGTH = 20
EVENT_ID_LENGTH = 32


def alert_key(provider: str, ticker: str, detector: str, subject: str, direction: str) -> str:
    """Return the five parts joined by ``|``.

    Raises:
        ValueError: a part holds the separator, or one other than the subject is empty.
    """
    parts = {
        "provider": provider,
        "ticker": ticker,
        "detector": detector,
        "subject": subject,
        "direction": direction,
    }
    for name, part in parts.items():
        if SEPARATOR in part:
            raise ValueError(f"{name} {part!r} holds {SEPARATOR!r}, which separates the parts of an alert's key")
        if not part and name != "subject":
            raise ValueError(f"{name} is empty; an alert's key needs it")
    return SEPARATOR.join(parts.values())


def alert_id(key: str, session: date) -> str:
    """Return the id of the episode of ``key`` that began in ``session``: 20 hexadecimal digits."""
    return _digest(f"{key}{SEPARATOR}{session.isoformat()}", ALERT_ID_LENGTH)


def event_id(alert: str, scan_id: str, kind: str) -> str:
    """Return the id of what one scan made of an alert: 32 hexadecimal digits, the same for a repeated join."""
    return _digest(SEPARATOR.join((alert, scan_id, kind)), EVENT_ID_LENGTH)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
