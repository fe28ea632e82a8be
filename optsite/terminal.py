"""What of the log reaches the terminal: a line a record, and only what asks for somebody; the log file has the rest."""

from __future__ import annotations

import logging

TRACEBACK = "Traceback (most recent call last)"
# A provider's library complains of what its own next try mends; what stays is an outcome of the scan.
FOR_THE_FILE_ALONE = ("yfinance",)


class OneLine(logging.Formatter):
    """Formats a record as one line: of a message its first, of an exception its type and message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without the traceback that the log file holds."""
        message = record.getMessage().partition(TRACEBACK)[0].strip().rstrip(": ")
        first = message.splitlines()[0] if message else ""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and str(error) not in first:
            first = f"{first}: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
        shown = logging.makeLogRecord({**record.__dict__, "msg": first, "args": None})
        shown.exc_info = shown.exc_text = shown.stack_info = None
        return super().format(shown)


class AsksForSomebody(logging.Filter):
    """Lets pass what somebody at the terminal can act on: no request that was answered by 4xx, no library's retries."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is shown."""
        if record.name.split(".")[0] in FOR_THE_FILE_ALONE:
            return False
        return record.name != "django.request" or getattr(record, "status_code", 500) >= 500


class NamesTheSetting(logging.Filter):
    """Makes a refused host one line, here and in the log file, and names the variable that would serve it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; return True."""
        record.msg = record.getMessage().replace(" ALLOWED_HOSTS", " OPTSITE_ALLOWED_HOSTS")
        record.args = record.exc_info = record.exc_text = None
        return True
