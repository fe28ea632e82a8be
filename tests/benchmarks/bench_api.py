"""CPU of an alerts list and of a chain's snapshot: `python -m tests.benchmarks.bench_api`.

Each is set against a bare Django view that returns the same bytes, through the same middleware in the same process:
the least that any answer costs. Rounds take turns, so that a busy machine bears on both; the figures are medians.
Documents: 10,000 alerts, 1,000 chains of 200 contracts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.api.sample_market import alert, chain, publish_market

TICKERS = [f"T{number:03d}" for number in range(125)]
EXPIRATIONS = [f"2026-{month:02d}-20" for month in range(2, 10)]
ADDRESSES = {
    "alerts, 50 of 10,000": "/api/v1/alerts/",
    "alerts of a ticker by score": "/api/v1/alerts/?ticker=T007&min_score=50",
    "snapshot, 200 contracts": "/api/v1/options/T064/snapshot/",
}


def documents(alerts: int, strikes: int) -> dict[str, list[dict[str, Any]]]:
    return {
        "alerts": [alert(number, TICKERS[number % len(TICKERS)]) for number in range(alerts)],
        "chains": [chain(ticker, day, strikes=strikes) for ticker in TICKERS for day in EXPIRATIONS],
    }


def request(application: Callable[..., Any], address: str) -> bytes:
    """Send a GET through the whole application and return the body; AssertionError where it is not 200."""
    path, _, query = address.partition("?")
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": open(os.devnull, "rb"),  # noqa: SIM115
        "HTTP_ACCEPT": "application/json",
    }
    answered: list[str] = []
    with environ["wsgi.input"]:  # type: ignore[attr-defined]
        response = application(environ, lambda status, headers: answered.append(status))
        body = b"".join(response)
        response.close()
    assert answered == ["200 OK"], (address, answered, body[:200])
    return body


def cpu_microseconds(application: Callable[..., Any], address: str, requests: int) -> float:
    began = time.process_time()
    for _ in range(requests):
        request(application, address)
    return 1e6 * (time.process_time() - began) / requests


def serve_bare(answers: dict[str, bytes]) -> types.ModuleType:
    """Return an URLconf: the site's, and a bare view for each of ``answers``."""
    from django.http import HttpResponse
    from django.urls import path

    from optsite import urls

    def bare(body: bytes) -> Callable[..., HttpResponse]:
        return lambda request: HttpResponse(body, content_type="application/json")

    module = types.ModuleType("bare_urls")
    module.urlpatterns = [  # type: ignore[attr-defined]
        *(path(address.removeprefix("/"), bare(body)) for address, body in answers.items()),
        *urls.urlpatterns,
    ]
    return module


def measure(rounds: int, requests: int) -> list[str]:
    """Return the lines to print."""
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.urls import clear_url_caches

    application = get_wsgi_application()
    answers = {f"/bare/{number}": request(application, address) for number, address in enumerate(ADDRESSES.values())}
    settings.ROOT_URLCONF = serve_bare(answers)
    clear_url_caches()
    lines = [f"{'':30}{'API':>10}{'bare':>10}{'ratio':>8}{'bytes':>12}"]
    for (name, address), (bare_address, body) in zip(ADDRESSES.items(), answers.items(), strict=True):
        pairs = []
        for _ in range(rounds + 1):
            ours = cpu_microseconds(application, address, requests)
            pairs.append((ours, cpu_microseconds(application, bare_address, requests)))
        pairs = pairs[1:]  # The first round warms up.
        ours, bare = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
        ratio = statistics.median(pair[0] / pair[1] for pair in pairs)
        lines.append(f"{name:30}{ours:7.0f} µs{bare:7.0f} µs{ratio:8.2f}{len(body):12,}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--strikes", type=int, default=100, help="a call and a put each")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(OPTSITE_DATA_DIR=folder, OPTSITE_PROVIDER="demo", DJANGO_SETTINGS_MODULE="optsite.settings")
        publish_market(Path(folder) / "demo" / "exports", documents(chosen.alerts, chosen.strikes))
        print("\n".join(measure(chosen.rounds, chosen.requests)))


if __name__ == "__main__":
    main()
