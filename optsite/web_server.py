"""What gunicorn is told, read as its configuration file (``-c python:optsite.web_server``)."""

from __future__ import annotations

import signal
from typing import Any

from collector.parent_death import request_signal, watch_parent

wsgi_app = "optsite.wsgi:application"
worker_class = "gthread"
workers = 2
threads = 4
timeout = 60
# Less than the supervisor's patience, so that a stop by SIGTERM is a clean one.
graceful_timeout = 2
keepalive = 5
accesslog = None
errorlog = "-"
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Watch the parent where the kernel does not tell of its end."""
    watch_parent()


def post_fork(server: Any, worker: Any) -> None:
    """Let a worker end with its master."""
    request_signal(signal.SIGKILL)
