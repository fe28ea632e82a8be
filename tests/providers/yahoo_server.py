"""A server on this machine that stands in for Yahoo, and can be told to fail as Yahoo does.

The real yfinance asks it through OPTSITE_YAHOO_URL or ``YahooProvider(loopback_url=…)``: as a proxy, so it sees the
host that each request is for, and sets its cookie for .yahoo.com.

    with YahooServer(read_bodies(RECORDED)) as server:
        server.fail("throttle", path="/v7/finance/options/", skip=2)
        …
        assert [r.path for r in server.requests] == …
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "yahoo"
OPTIONS = "/v7/finance/options/"
CHART = "/v8/finance/chart/"
CRUMB = "/v1/test/getcrumb"
COOKIE_HOST = "fc.yahoo.com"
HTML = b"<!DOCTYPE html><html><head><title>Yahoo</title></head><body>Will be right back</body></html>"
UNKNOWN_CHART = {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found"}}}
UNKNOWN_OPTIONS = {"optionChain": {"result": [], "error": None}}

Body = dict[str, Any]
Kind = Literal[
    "throttle",  # 429
    "refuse",  # 401
    "forbid",  # 403
    "missing",  # 404
    "break",  # 500
    "stall",  # the connection stands and nothing comes
    "html",  # a page with status 200
    "garble",  # a JSON text that ends too soon, with status 200
    "cut",  # the connection ends within the body
    "close",  # the connection ends before any answer
    "empty",  # the result without its options
    "nothing",  # no result
    "shrunken",  # one expiration listed of many
]
STATUSES: dict[str, int] = {"throttle": 429, "refuse": 401, "forbid": 403, "missing": 404, "break": 500}


@dataclass(frozen=True, slots=True)
class TickerBodies:
    """Answers for one ticker: ``first`` without a date, ``dated`` by the epoch of the expiration, and the chart."""

    first: Body | None = None
    dated: Mapping[int, Body] = field(default_factory=dict)
    chart: Body | None = None


@dataclass(slots=True)
class Fault:
    """What to do with requests whose path begins with ``path``: ``skip`` some first, then ``times`` (None: all)."""

    kind: Kind
    path: str = "/"
    skip: int = 0
    times: int | None = None

    def takes(self, path: str) -> bool:
        """Return whether this request meets the fault, and count it."""
        if not path.startswith(self.path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived; ``fault`` is the kind that it met."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    cookie: str | None
    fault: str | None


def read_bodies(folder: Path) -> dict[str, TickerBodies]:
    """Read a folder of `options-T.json`, `options-T-<epoch>.json` and `chart-T.json`."""
    bodies: dict[str, TickerBodies] = {}
    for path in sorted(folder.glob("*.json")):
        kind, _, name = path.stem.partition("-")
        body = json.loads(path.read_text(encoding="utf-8"))
        ticker, _, epoch = name.rpartition("-") if name.rpartition("-")[2].isdigit() else (name, "", "")
        known = bodies.get(ticker, TickerBodies())
        if kind == "chart":
            bodies[ticker] = TickerBodies(known.first, known.dated, body)
        elif epoch:
            bodies[ticker] = TickerBodies(known.first, {**known.dated, int(epoch): body}, known.chart)
        else:
            bodies[ticker] = TickerBodies(body, known.dated, known.chart)
    return bodies


class YahooServer:
    """Serves ``bodies`` by ticker on a free port of 127.0.0.1, in threads of this process, while the block runs.

    ``url`` is its address, ``requests`` what arrived so far, ``faults`` what goes wrong (first match counts; change it
    at any time).
    """

    def __init__(self, bodies: Mapping[str, TickerBodies]) -> None:
        self.bodies = dict(bodies)
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.crumb = "made.Crumb1"
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"yahoo": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Return the address for OPTSITE_YAHOO_URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail(self, kind: Kind, path: str = "/", skip: int = 0, times: int | None = None) -> None:
        """Add a fault."""
        self.faults.append(Fault(kind, path, skip, times))

    def paths(self) -> list[str]:
        """Return the paths that arrived, in order."""
        return [request.path for request in self.requests]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def arrive(self, method: str, host: str, path: str, query: dict[str, str], cookie: str | None) -> str | None:
        """Note a request and return the kind of fault that it meets."""
        with self._lock:
            fault = next((fault.kind for fault in self.faults if fault.takes(path)), None)
            self.requests.append(Request(method, host, path, query, cookie, fault))
        return fault

    def options(self, ticker: str, epoch: str | None) -> Body:
        """Return the options answer for a ticker, of the expiration ``epoch`` or the first."""
        known = self.bodies.get(ticker, TickerBodies())
        if epoch is not None and int(epoch) in known.dated:
            return known.dated[int(epoch)]
        if known.first is None:
            return UNKNOWN_OPTIONS
        groups = known.first["optionChain"]["result"][0]["options"] if known.first["optionChain"]["result"] else []
        if epoch is None or any(group["expirationDate"] == int(epoch) for group in groups):
            return known.first
        return without_options(known.first)

    def chart(self, ticker: str) -> Body:
        """Return the chart answer for a ticker."""
        return self.bodies.get(ticker, TickerBodies()).chart or UNKNOWN_CHART


def without_options(body: Body) -> Body:
    """Return an options body that lists its expirations and holds no contracts."""
    result = {**body["optionChain"]["result"][0], "options": [], "strikes": []}
    return {"optionChain": {"result": [result], "error": None}}


def shrunken(body: Body) -> Body:
    """Return an options body that lists its first expiration only."""
    result = body["optionChain"]["result"][0]
    return {"optionChain": {"result": [{**result, "expirationDates": result["expirationDates"][:1]}], "error": None}}


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    yahoo: YahooServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path) or "/"
        host = parts.hostname or self.headers.get("Host", "").partition(":")[0]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        fault = self.yahoo.arrive(self.command, host, path, query, self.headers.get("Cookie"))
        if fault == "stall":
            self.yahoo.ended.wait(120)
        if fault in ("stall", "close"):
            self.close_connection = True
        elif fault in STATUSES:
            self._refuse(STATUSES[fault])
        elif fault == "html":
            self._send(200, HTML, "text/html; charset=utf-8")
        elif path == CRUMB:
            self._send(200, self.yahoo.crumb.encode(), "text/plain")
        elif path.startswith(OPTIONS):
            self._send_json(self._options(path, query, fault), fault)
        elif path.startswith(CHART):
            chart = self.yahoo.chart(path.removeprefix(CHART))
            self._send_json(chart, fault, 200 if chart["chart"]["result"] else 404)
        elif host == COOKIE_HOST:
            cookie = "A3=d=made; Domain=.yahoo.com; Path=/; Max-Age=31536000"
            self._send(404, b"", "text/html", {"Set-Cookie": cookie})
        else:
            self._send(200, b"<html><body>no form here</body></html>", "text/html")

    do_POST = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: ``requests`` holds what arrived."""

    def _options(self, path: str, query: dict[str, str], fault: str | None) -> Body:
        body = self.yahoo.options(path.removeprefix(OPTIONS), query.get("date"))
        if fault == "nothing":
            return UNKNOWN_OPTIONS
        if fault == "empty":
            return without_options(body)
        return shrunken(body) if fault == "shrunken" else body

    def _refuse(self, status: int) -> None:
        codes = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
        error = {"code": codes.get(status, "Internal Server Error"), "description": "made by the test's server"}
        text = b"Too Many Requests\r\n" if status == 429 else json.dumps({"finance": {"result": None, "error": error}})
        self._send(status, text if isinstance(text, bytes) else text.encode(), "application/json")

    def _send_json(self, body: Body, fault: str | None, status: int = 200) -> None:
        content = json.dumps(body).encode()
        if fault == "garble":
            content = content[: len(content) // 2]
        if fault == "cut":
            self.close_connection = True
        self._send(status, content, "application/json", cut=fault == "cut")

    def _send(
        self, status: int, content: bytes, kind: str, headers: Mapping[str, str] | None = None, cut: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
