"""Why a message did not arrive: the error whose ``permanent`` decides whether it is tried again."""

from __future__ import annotations

TRANSIENT_STATUSES = (408, 425, 429)


class DeliveryError(Exception):
    """A receiver did not take a message. The text is ours, so it never holds an address or a secret.

    Args:
        text: what happened, for the staff.
        permanent: whether another attempt would end the same.
        retry_after: seconds that the receiver asked to wait, None where it did not.
    """

    def __init__(self, text: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.permanent = permanent
        self.retry_after = retry_after


def refusal(status: int, retry_after: float | None = None) -> DeliveryError:
    """Return the error for an HTTP status that is no success: 4xx and redirects are permanent, the rest is not."""
    if 300 <= status < 400:
        return DeliveryError(f"answered {status}, a redirect: enter the address that it leads to", permanent=True)
    permanent = 400 <= status < 500 and status not in TRANSIENT_STATUSES
    return DeliveryError(f"answered {status}", permanent=permanent, retry_after=retry_after)
