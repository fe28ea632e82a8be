"""Delivery: what waits in the outbox is sent, at least once, under one key, until it arrives or is given up.

    waiting --2xx--> delivered
    waiting --connection, time-out, 408, 425, 429, 5xx--> waiting, later each time
    waiting --other 4xx, a redirect, the last attempt--> dead --redeliver--> waiting

A round runs every minute and after each publication, one at a time, so that dead receivers take one worker of the
cluster at most and leave the other to the scans. It gives a channel up until the next round at its first failure.
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django_q.tasks import async_task

from collector.models import Channel, OutboxMessage
from collector.notifications import apprise_sender, webhook
from collector.notifications.delivery_error import DeliveryError
from collector.notifications.letter import Letter, letter
from collector.notifications.quiet_hours import is_quiet
from collector.schedules import DELIVERY_TASK, cluster_name
from exports.folders import MarketFolder
from exports.locks import KernelLock, LockHeld

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 10
FIRST_DELAY, LONGEST_DELAY, LONGEST_RETRY_AFTER = 30.0, 3_600.0, 6 * 3_600.0
JITTER = 0.25
# Longer than any attempt may take, so that nobody else sends what is being sent.
LEASE = timedelta(seconds=120)
ROUND_SECONDS = 40.0
TEST_SECONDS = 20.0
State = OutboxMessage.State


class Outcome(StrEnum):
    """What came of one message."""

    DELIVERED = "delivered"
    PUT_OFF = "put off"
    DEAD = "dead"
    NOT_DUE = "not due"


def request_delivery(market: str) -> None:
    """Let the market's cluster begin a round."""
    async_task(DELIVERY_TASK, group="optsite:delivery", cluster=cluster_name(market))


def deliver_due(folder: MarketFolder | None = None) -> str:
    """Send what is due, for 40 seconds at most but for the attempt under way; return what came of it, in words."""
    folder = folder or settings.MARKET_FOLDER
    try:
        with KernelLock(folder.lock_dir / "delivery.lock", "delivery"):
            came = _round(folder.market)
    except LockHeld:
        return "another round runs"
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(came.items())) or "nothing was due"


def _round(market: str) -> Counter[str]:
    end = time.monotonic() + ROUND_SECONDS
    now = datetime.now(UTC)
    came: Counter[str] = Counter()
    channels = list(Channel.objects.filter(market=market))
    waiting = OutboxMessage.objects.filter(market=market, state=State.WAITING)
    for message in waiting.exclude(channel__in=[channel.name for channel in channels]).values_list("pk", flat=True):
        came[deliver(message)] += 1
    failing = set(waiting.filter(attempts__gt=0).values_list("channel", flat=True))
    awake = [channel for channel in channels if may_be_told(channel, now)]
    # Who does not answer comes last, and holds nobody up.
    for group in (
        [channel for channel in awake if channel.name not in failing],
        [channel for channel in awake if channel.name in failing],
    ):
        came += _serve(group, end)
    return came


def _serve(channels: Sequence[Channel], end: float) -> Counter[str]:
    """Send the channels' messages, one of each in turn, until none is due or time is over."""
    came: Counter[str] = Counter()
    left = list(channels)
    while left and time.monotonic() < end:
        channel = left.pop(0)
        due = _free(datetime.now(UTC)).filter(market=channel.market, channel=channel.name)
        message_id = due.order_by("next_attempt_at", "id").values_list("pk", flat=True).first()
        if message_id is None:
            continue
        outcome = deliver(message_id)
        came[outcome] += 1
        if outcome in (Outcome.DELIVERED, Outcome.DEAD):
            left.append(channel)
    return came


def may_be_told(channel: Channel, now: datetime) -> bool:
    """Say whether the channel is enabled and has no quiet hours at an instant."""
    quiet = is_quiet(now, channel.quiet_from, channel.quiet_until, channel.quiet_zone)
    return channel.enabled and not quiet


def deliver(message_id: int) -> Outcome:
    """Send one message, where it is due, nobody else sends it, and its channel may be told now."""
    message = OutboxMessage.objects.filter(pk=message_id).first()
    if message is None:
        return Outcome.NOT_DUE
    channel = Channel.objects.filter(market=message.market, name=message.channel).first()
    now = datetime.now(UTC)
    if channel is not None and not may_be_told(channel, now):
        return Outcome.NOT_DUE
    if not _free(now).filter(pk=message_id).update(lease_until=now + LEASE, attempts=F("attempts") + 1):
        return Outcome.NOT_DUE
    message.refresh_from_db()
    if channel is None:
        return _failed(message, DeliveryError("has no channel any more", permanent=True))
    if message.attempts > MAX_ATTEMPTS:
        return _failed(message, DeliveryError("was interrupted at each attempt", permanent=True))
    try:
        send(channel, letter(channel.name, message.document))
    except DeliveryError as error:
        return _failed(message, error)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # What a receiver answers may be anything; the words of the error may hold its address.
        logger.error("Message %s over %s: %s", message.pk, channel.name, type(error).__name__)
        return _failed(message, DeliveryError(f"answered what can't be read ({type(error).__name__})"))
    _settle(message, state=State.DELIVERED, delivered_at=datetime.now(UTC), next_attempt_at=None, last_error="")
    return Outcome.DELIVERED


def _free(now: datetime) -> QuerySet[OutboxMessage]:
    """Return the messages that are due and under nobody's lease."""
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    return OutboxMessage.objects.filter(free, state=State.WAITING, next_attempt_at__lte=now)


def send(channel: Channel, what: Letter, seconds: float = apprise_sender.SECONDS) -> None:
    """Send one letter over the channel; return once its receiver took it, raise DeliveryError where it did not."""
    if channel.kind == Channel.Kind.WEBHOOK:
        webhook.post(channel.target_url, channel.secret, what)
    else:
        apprise_sender.send(channel.target_url, what, seconds)


def send_test(channel: Channel) -> None:
    """Send a test message at once, quiet hours or not; raise DeliveryError where it did not arrive."""
    test = {
        "version": 1,
        "event_id": f"test-{uuid4().hex}",
        "alert_id": "",
        "kind": "test",
        "market": channel.market,
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "alert": {"summary": f"The channel “{channel.name}” works: alerts will arrive here."},
    }
    send(channel, letter(channel.name, test), TEST_SECONDS)


def redeliver(messages: Iterable[OutboxMessage]) -> int:
    """Let dead letters begin anew, and put-off ones be due now; return how many will be sent."""
    ids = [message.pk for message in messages]
    now = datetime.now(UTC)
    chosen = OutboxMessage.objects.filter(pk__in=ids)
    count = chosen.filter(state=State.WAITING).update(next_attempt_at=now)
    count += chosen.filter(state=State.DEAD).update(
        state=State.WAITING, attempts=0, next_attempt_at=now, lease_until=None
    )
    for market in chosen.filter(state=State.WAITING).order_by().values_list("market", flat=True).distinct():
        request_delivery(market)
    return count


def delay(attempts: int, retry_after: float | None = None) -> timedelta:
    """Return the wait after so many attempts: 30 s doubled each time up to an hour, ± 25 %.

    What the receiver asked for is waited at least, up to six hours.
    """
    seconds = min(FIRST_DELAY * 2 ** (attempts - 1), LONGEST_DELAY) * random.uniform(1 - JITTER, 1 + JITTER)
    return timedelta(seconds=max(seconds, min(retry_after or 0.0, LONGEST_RETRY_AFTER)))


def _failed(message: OutboxMessage, error: DeliveryError) -> Outcome:
    """Note a failed attempt: another one later, or none."""
    place = f"{message.market} channel {message.channel}, message {message.pk}"
    if error.permanent or message.attempts >= MAX_ATTEMPTS:
        _settle(message, state=State.DEAD, next_attempt_at=None, last_error=str(error))
        logger.warning("%s: given up at attempt %d: %s", place, message.attempts, error)
        return Outcome.DEAD
    again = datetime.now(UTC) + delay(message.attempts, error.retry_after)
    _settle(message, next_attempt_at=again, last_error=str(error))
    logger.info("%s: attempt %d: %s; again at %s", place, message.attempts, error, f"{again:%H:%M:%SZ}")
    return Outcome.PUT_OFF


def _settle(message: OutboxMessage, **columns: Any) -> None:
    """Write what came of an attempt, unless the lease ran out and another one began."""
    mine = OutboxMessage.objects.filter(pk=message.pk, state=State.WAITING, attempts=message.attempts)
    mine.update(lease_until=None, **columns)
