"""One order to Apprise in a process of its own: ``python -m collector.notifications.apprise_child``, JSON on both ends.

The address comes by standard input, where no list of processes shows it. What Apprise, its hundred services and their
libraries log or hold in memory ends with this process, and so does a service that never answers.

    {"url": …}                              -> {"readable": true}
    {"url": …, "title": …, "text": …}       -> {"sent": false, "status": 404}
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from typing import Any

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, OverflowMode

# How its services end the line that says which status they were answered with.
STATUS = re.compile(r"error=(\d{3})\b")


def service(url: str) -> NotifyBase | None:
    """Return the service of an address, None where Apprise cannot read it.

    It cuts a long text into pieces, follows no redirects, and never tries again by itself.
    """
    asset = AppriseAsset(
        allow_templates=False, secure_logging=True, http_redirects=False, pgp_autogen=False, pem_autogen=False
    )
    made = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(made, NotifyBase):
        return None
    made.redirects, made.retry = False, 0
    if made.overflow_mode == OverflowMode.UPSTREAM:
        # Upstream would send what is too long as it is, and the service refuse it.
        made.overflow_mode = OverflowMode.SPLIT
    return made


def send(url: str, title: str, text: str) -> dict[str, Any]:
    """Send one message; return ``sent``, and ``status``, the HTTP status of a refusal where a service tells it."""
    made = service(url)
    if made is None:
        return {"sent": False, "status": None, "readable": False}
    statuses: list[int] = []

    def note(entry: Any, _: object = None) -> None:
        statuses.extend(int(found) for found in STATUS.findall(str(entry.message)))

    all_services = Apprise()
    all_services.add(made)
    sent = bool(all_services.notify(body=text, title=title, body_format=NotifyFormat.TEXT, log_callback=note))
    return {"sent": sent, "status": statuses[-1] if statuses and not sent else None, "readable": True}


def main() -> int:
    """Carry out the order on standard input; the answer is the last line of standard output."""
    order = json.loads(sys.stdin.read())
    # Whoever started this process may be gone by then.
    end = threading.Timer(order["seconds"], os._exit, (1,))
    end.daemon = True
    end.start()
    answer = (
        send(order["url"], order["title"], order["text"])
        if "text" in order
        else {"readable": service(order["url"]) is not None}
    )
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
