"""Our own webhook: a signed POST of JSON, so that the receiver knows who sent it, when, and whether it had it before.

Idempotency-Key: the same for every attempt to tell one event over one channel
X-Optsite-Timestamp: seconds since 1970, when this attempt was signed
X-Optsite-Signature: sha256=<HMAC-SHA256 of "<timestamp>.<body>" in hexadecimal>
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError, URLError

import certifi

from collector.notifications.delivery_error import DeliveryError, refusal
from collector.notifications.letter import Letter
from collector.notifications.targets import TargetError, webhook_address

# For each wait on the receiver, and for all of them: who answers a byte at a time holds nobody longer.
WAIT_SECONDS = 8.0
WHOLE_SECONDS = 15.0


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the value of the signature header: HMAC-SHA256 (RFC 2104) over timestamp, a dot, and the body."""
    return "sha256=" + hmac.new(secret.encode(), str(timestamp).encode() + b"." + body, hashlib.sha256).hexdigest()


def post(url: str, secret: str, letter: Letter, wait: float = WAIT_SECONDS, whole: float = WHOLE_SECONDS) -> None:
    """Send one letter; return once the receiver answered 2xx.

    Redirects are not followed: the letter is for the address that was entered, and for no other.

    Args:
        url: the address.
        secret: what the signature is made with.
        letter: what is sent.
        wait: seconds that one answer on the line may take.
        whole: seconds for all of it.

    Raises DeliveryError for everything else.
    """
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "option-chain-dashboard",
        "Idempotency-Key": letter.key,
        "X-Optsite-Timestamp": str(timestamp),
        "X-Optsite-Signature": signature(secret, timestamp, letter.content),
    }
    try:
        webhook_address(url)
    except TargetError as error:
        raise DeliveryError(str(error), permanent=True) from None
    request = urllib.request.Request(url, data=letter.content, headers=headers, method="POST")  # noqa: S310 checked above
    with _Deadline(whole) as deadline:
        try:
            _opener(deadline).open(request, timeout=wait).close()
        except HTTPError as answer:
            answer.close()
            raise refusal(answer.code, retry_after(answer.headers.get("Retry-After"))) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _no_answer(error, deadline.passed) from None
    if deadline.passed:
        # Where we hung up amid the headers they look complete.
        raise DeliveryError("did not answer in time")


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110 10.2.3: seconds or a date); None without one."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _no_answer(error: Exception, late: bool) -> DeliveryError:
    """Say in our words what kept the answer away: the library's own may hold the address."""
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if late or isinstance(cause, TimeoutError):
        return DeliveryError("did not answer in time")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return DeliveryError("shows a certificate that is not trusted")
    if isinstance(cause, socket.gaierror):
        return DeliveryError("has a host name that was not found")
    return DeliveryError(f"could not be reached ({type(cause).__name__})")


class _Deadline:
    """Hangs up on a connection when its whole time is over."""

    def __init__(self, seconds: float) -> None:
        self.connection: http.client.HTTPConnection | None = None
        self.passed = False
        self._timer = threading.Timer(seconds, self._hang_up)
        self._timer.daemon = True

    def watch(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
        """Return the connection, which is hung up on when time is over."""
        self.connection = connection
        return connection

    def _hang_up(self) -> None:
        self.passed = True
        line = self.connection.sock if self.connection else None
        if line is not None:
            with suppress(OSError):
                # Not the TLS layer's own, which would take its state from under the thread that reads.
                socket.socket.shutdown(line, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()


def _opener(deadline: _Deadline) -> urllib.request.OpenerDirector:
    """Return what opens an address: through the environment's proxies, watched, and following no redirect."""

    def watched(make: Callable[..., http.client.HTTPConnection]) -> Callable[..., http.client.HTTPConnection]:
        return lambda host, **named: deadline.watch(make(host, **named))

    class Plain(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(watched(http.client.HTTPConnection), req)

    class Secure(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> Any:
            return self.do_open(watched(http.client.HTTPSConnection), req, context=_trust())

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments: Any) -> None:
            return None

    return urllib.request.build_opener(Plain, Secure, Stay)


def _trust() -> ssl.SSLContext:
    """Return the machine's certificates and the public ones: a bare machine has none of its own."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    return context
