"""What is a fact of a feed goes before what its provider says, chain by chain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from collector.market.calendar import exchange_sessions
from collector.normalise import NormalisedTicker, normalise
from collector.providers.base import OptionChain
from collector.providers.catalogue import PROVIDER_FACTS, provider_class
from collector.providers.feeds import FEEDS, joined
from tests.quotes import EXPIRATION, STAMP, chain, contract, quote

HOUR = timedelta(hours=1)


def rows(*chains: OptionChain) -> NormalisedTicker:
    return normalise("ZZTA", chains, quote(), exchange_sessions(), HOUR)


@pytest.mark.parametrize("name", sorted(PROVIDER_FACTS))
def test_a_providers_own_feed_has_its_delay(name: str) -> None:
    kind = provider_class(name)
    assert FEEDS[kind.feed].delay == kind.delay


def test_the_recordings_say_which_feeds_they_may_be_of() -> None:
    feeds = PROVIDER_FACTS["recorded"]["feeds"]
    assert {name: facts["delay_seconds"] for name, facts in feeds.items()} == {"yahoo": 900, "cboe": 900}


@pytest.mark.parametrize(("feed", "delay"), [(None, HOUR), ("cboe", timedelta(minutes=15)), ("demo", timedelta(0))])
def test_the_delay_is_the_feeds_where_a_chain_states_one(feed: str | None, delay: timedelta) -> None:
    (head,) = rows(chain(contract(), feed=feed)).chains
    assert head.moment.quote_time == STAMP - delay


def test_a_stated_time_goes_before_any_delay() -> None:
    (head,) = rows(chain(contract(), feed="cboe", quote_time=STAMP)).chains
    assert head.moment.quote_time == STAMP


@pytest.mark.parametrize(("feed", "known"), [(None, False), ("yahoo", False), ("cboe", True)])
def test_a_volume_without_a_change_is_carried_unless_each_sessions_begins_at_0(feed: str | None, known: bool) -> None:
    unchanged = contract(last_trade_time=None, change=0.0, volume=40)
    frame = rows(chain(unchanged, feed=feed)).contracts
    assert bool(frame["volume_known"][0]) is known
    assert ("volume_carried" in frame["flags"][0]) is not known


@pytest.mark.parametrize(("feed", "flagged"), [(None, True), ("yahoo", True), ("cboe", False)])
def test_a_quarter_is_a_fill_in_of_those_that_fill_in(feed: str | None, flagged: bool) -> None:
    frame = rows(chain(contract(vendor_implied_volatility=0.25), feed=feed)).contracts
    assert ("placeholder_iv" in frame["flags"][0]) is flagged


def test_what_a_provider_left_out_is_counted_with_what_is_rejected() -> None:
    left = rows(chain(contract(), contract(strike=-1.0), left_out={"bad_cell": 2}))
    assert left.rejections == {"bad_cell": 2, "bad_strike": 1}
    assert left.chains[0].expiration == EXPIRATION


def test_feeds_are_named_in_order_each_once() -> None:
    assert joined(["yahoo", "cboe", "yahoo"]) == "cboe,yahoo"
    assert joined([]) == ""
