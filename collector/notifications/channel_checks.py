"""What is wrong with a channel, by field, each with what would do."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

from collector.notifications.apprise_sender import is_readable
from collector.notifications.delivery_error import DeliveryError
from collector.notifications.targets import TargetError, webhook_address

SECRET_LENGTH = 16


def webhook_errors(url: str, secret: str) -> dict[str, str]:
    """Return what is wrong with a webhook's address and secret."""
    errors = {}
    try:
        webhook_address(url)
    except TargetError as error:
        errors["target_url"] = str(error)
    if len(secret) < SECRET_LENGTH:
        errors["secret"] = (
            f"A webhook is signed with a secret of at least {SECRET_LENGTH} characters. Make one with "
            "python3 -c 'import secrets; print(secrets.token_hex(32))' and give it to the receiver as well."
        )
    return errors


def apprise_errors(url: str) -> dict[str, str]:
    """Return what is wrong with an address for Apprise, which is asked; nothing is sent."""
    try:
        readable = is_readable(url)
    except DeliveryError as error:
        return {"target_url": f"Apprise could not check the address ({error}). Try again."}
    if readable:
        return {}
    return {
        "target_url": "Apprise cannot read this address. Write it as Apprise's list of services says, such as "
        "discord://ID/TOKEN, tgram://TOKEN/CHAT or mailto://user:password@example.com."
    }


def quiet_errors(start: time | None, end: time | None, zone: str) -> dict[str, str]:
    """Return what is wrong with quiet hours."""
    errors = {}
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        errors["quiet_zone"] = f"There is no time zone “{zone}”. Enter one such as Europe/Berlin."
    if (start is None) != (end is None):
        missing = "quiet_from" if start is None else "quiet_until"
        errors[missing] = "Quiet hours need both times. Enter this one too, or leave both empty."
    elif start is not None and start == end:
        errors["quiet_until"] = "Quiet hours end at another time than they begin. To be told nothing, disable it."
    return errors
