"""Keys and ids: what makes the same alert, and what does not."""

from __future__ import annotations

import hashlib
import inspect
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.identity import alert_id, alert_key, event_id

KEY = "yahoo|BRK-B|unusual_activity|BRKB260320C00500000|bullish"
PARTS = st.text(alphabet="ABCabc019-^:._ ", max_size=6)


def test_a_key_joins_its_five_parts() -> None:
    assert alert_key("yahoo", "BRK-B", "unusual_activity", "BRKB260320C00500000", "bullish") == KEY
    assert alert_key("demo", "QLMT", "calm", "", "neutral") == "demo|QLMT|calm||neutral"


def test_ids_stay_what_they_are_in_every_release() -> None:
    expected = hashlib.sha256(f"{KEY}|2026-02-18".encode()).hexdigest()
    assert alert_id(KEY, date(2026, 2, 18)) == expected[:20]
    assert event_id("abc", "s1", "new") == hashlib.sha256(b"abc|s1|new").hexdigest()[:32]


def test_an_alert_id_knows_nothing_of_the_run() -> None:
    assert list(inspect.signature(alert_id).parameters) == ["key", "session"]
    assert list(inspect.signature(alert_key).parameters) == ["provider", "ticker", "detector", "subject", "direction"]


def test_another_session_is_another_episode() -> None:
    assert alert_id(KEY, date(2026, 2, 18)) != alert_id(KEY, date(2026, 2, 19))


@given(st.tuples(*[PARTS.filter(bool)] * 3, PARTS, PARTS.filter(bool)), st.tuples(*[PARTS.filter(bool)] * 5))
def test_different_parts_give_different_keys(
    one: tuple[str, str, str, str, str], other: tuple[str, str, str, str, str]
) -> None:
    assert (alert_key(*one) == alert_key(*other)) == (one == other)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("", "A", "d", "s", "bullish"), "provider is empty"),
        (("p", "A", "d", "s", ""), "direction is empty"),
        (("p", "A|B", "d", "s", "bullish"), r"ticker 'A\|B'"),
    ],
)
def test_parts_that_would_blur_a_key(parts: tuple[str, str, str, str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        alert_key(*parts)
