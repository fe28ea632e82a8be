"""Every request that yfinance makes: counted, timed and judged where it leaves the library.

yfinance keeps one session for the process. Its ``request`` is replaced by a call that does what the library leaves to
its users: it spends the call budget before each request (cookie and crumb too), bounds the time to connect, to read
and of the whole operation, and stops at the first answer that asking again cannot better. yfinance itself would answer
any 4xx or 5xx with a new cookie, a new crumb and the same question. Not seen here: redirects that curl follows, and
its one repeat where a connection kept from before closes without an answer.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol
from urllib.parse import urlsplit

from collector.providers.base import (
    BadAnswer,
    ProviderError,
    RateLimited,
    TickerNotFound,
    TimedOut,
    Unauthorised,
    Unreachable,
)
from collector.providers.call_budget import CallBudget

DATA_PATHS = ("/v7/finance/options/", "/v8/finance/chart/")
CRUMB_PATH = "/v1/test/getcrumb"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
# libcurl's words for a time-out before there was a connection; its error code is the same as for a slow answer.
CONNECTING = ("Connection timed out", "Resolving timed out", "SSL connection timeout", "Failed to connect")
# curl's codes for a connection that broke after it was made: partial file, empty reply, send and receive errors.
BROKEN_OFF = (18, 52, 55, 56)


class Answer(Protocol):
    """What is read of a session's response: curl_cffi's and requests' both have it."""

    status_code: int
    text: str


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to read one answer, and for all requests of one operation together."""

    connect: float = 5.0
    read: float = 15.0
    operation: float = 40.0


@dataclass(slots=True)
class Operation:
    """One question of ours to the library, which may take several requests. ``status`` is the last answer's."""

    transport: Transport
    ends_at: float
    status: int | None = None


class Transport:
    """Counts and bounds the requests of one provider object.

    ``loopback_url`` sends every request to a server on this machine instead of Yahoo, as to a proxy and without TLS,
    so that the library's own session, cookies and addresses are used; ValueError where it is another machine's.
    """

    def __init__(self, budget: CallBudget | None, timeouts: Timeouts, loopback_url: str | None) -> None:
        self.budget = budget
        self.timeouts = timeouts
        self.loopback_url = None if loopback_url is None else _loopback(loopback_url)
        self.calls = 0
        self._counting = threading.Lock()

    @contextmanager
    def operation(self, session: Any) -> Iterator[Operation]:
        """Send this thread's requests on ``session`` through this object until the block ends."""
        install(session)
        outer = getattr(_active, "operation", None)
        operation = Operation(self, monotonic() + self.timeouts.operation)
        _active.operation = operation
        try:
            yield operation
        finally:
            _active.operation = outer

    def request(self, operation: Operation, send: Callable[..., Answer], method: str, url: str, **options: Any) -> Any:
        """Make one request of ``operation``; raise a ProviderError where its answer settles the matter."""
        left = operation.ends_at - monotonic()
        if left <= 0:
            raise TimedOut(f"Yahoo did not answer within {self.timeouts.operation:g} s")
        if self.budget is not None:
            self.budget.spend()
        with self._counting:
            self.calls += 1
        connect = min(self.timeouts.connect, left)
        options["timeout"] = (connect, min(self.timeouts.read, max(left - connect, 0.1)))
        if self.loopback_url is not None:
            options["proxies"] = {"http": self.loopback_url}
            url = url.replace("https://", "http://", 1)
        operation.status = None
        answer = send(method=method, url=url, **options)
        operation.status = answer.status_code
        _stop_at(urlsplit(url).path, answer)
        return answer


_active = threading.local()


def install(session: Any) -> None:
    """Replace ``session.request`` once. A request outside any operation of ours goes as the library made it."""
    if getattr(session.request, "counted_by_us", False):
        return
    send = functools.partial(type(session).request, session)

    def request(method: str, url: str, **options: Any) -> Any:
        operation: Operation | None = getattr(_active, "operation", None)
        if operation is None:
            return send(method=method, url=url, **options)
        return operation.transport.request(operation, send, method, url, **options)

    request.counted_by_us = True  # type: ignore[attr-defined]
    session.request = request


def fault(ticker: str, error: Exception, status: int | None) -> ProviderError:
    """Return our error for one that left yfinance; ``status`` is the last answer's, None where none came."""
    if status is not None and status >= 400:
        return refusal(ticker, status)
    names = {kind.__name__ for kind in type(error).__mro__}
    said = str(error).split(". See https://", 1)[0]
    code = getattr(error, "code", None)
    if "Timeout" in names and "ConnectTimeout" not in names and not any(words in said for words in CONNECTING):
        return TimedOut(f"Yahoo did not answer for {ticker} in time: {said}")
    if code in BROKEN_OFF or "RemoteDisconnected" in said or "IncompleteRead" in names:
        return BadAnswer(f"Yahoo broke off its answer for {ticker}: {said}")
    if names & {"ConnectionError", "ProxyError", "Timeout"}:
        return Unreachable(f"Yahoo can't be reached: {said}")
    return BadAnswer(f"Yahoo's answer for {ticker} can't be read: {type(error).__name__}: {said}")


def refusal(ticker: str, status: int) -> ProviderError:
    """Return our error for an HTTP status of 400 or more."""
    if status == 429:
        return RateLimited("Yahoo answered 429: too many requests")
    if status in (401, 403):
        return Unauthorised(f"Yahoo answered {status} for {ticker}: cookie or crumb refused")
    if status == 404:
        return TickerNotFound(f"Yahoo answered 404: it does not know {ticker}")
    return BadAnswer(f"Yahoo answered {status} for {ticker}")


def _stop_at(path: str, answer: Answer) -> None:
    """Raise where the library would ask again in vain: throttled, unknown, or the server's own failure.

    401 and 403 are left to it, since a fresh cookie and crumb is their remedy.
    """
    throttled = answer.status_code == 429
    if throttled or (path.endswith(CRUMB_PATH) and "Too Many Requests" in answer.text):
        raise refusal("", 429)
    if path.startswith(DATA_PATHS) and (answer.status_code == 404 or answer.status_code >= 500):
        raise refusal(path.rsplit("/", 1)[1].replace("%5E", "^"), answer.status_code)


def _loopback(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError(
            f"OPTSITE_YAHOO_URL is {url!r}: it stands in for Yahoo in tests and takes a server on this machine only, "
            "such as http://127.0.0.1:8001"
        )
    return url
