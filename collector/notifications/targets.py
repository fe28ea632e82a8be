"""Where a channel leads: addresses that can be used, and what of them may be shown."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

MASK = "…"


class TargetError(ValueError):
    """An address that no message can be sent to; the text says what would do, and never holds the address."""


def masked(url: str) -> str:
    """Return what may be shown of an address: its scheme. Tokens stand in any other part, the host included."""
    scheme, separator, _ = url.partition("://")
    return f"{scheme}://{MASK}" if separator and scheme.replace("+", "").isalnum() else MASK


def webhook_address(url: str) -> SplitResult:
    """Return the parts of a webhook's address.

    Raises TargetError where it is not http or https, has no host or no real port, or holds what is not sent.
    """
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise TargetError("This is not an address. Enter one such as https://example.com/hooks/options.") from None
    if parts.scheme not in ("http", "https") or not usable:
        raise TargetError(
            "A webhook's address begins with https:// or http:// and a host. Enter one such as "
            "https://example.com/hooks/options, or choose the kind Apprise for other services."
        )
    if parts.username is not None or parts.password is not None:
        raise TargetError("Leave user and password out of a webhook's address: the signature says who sends.")
    if not url.isascii() or any(character.isspace() for character in url):
        raise TargetError("Write the address without spaces, and other than ASCII characters as %XX or punycode.")
    return parts
