"""What an alert says of its end."""

from __future__ import annotations

import pytest

from collector.alerts import explain


def test_an_ending_says_why() -> None:
    assert explain.ending("It rose.", "rearm").startswith("It rose. It ended when the figures fell")
    assert explain.ending("It rose.", "expired") == "It rose. It ended when the contract settled."


def test_an_unknown_cause_is_refused() -> None:
    with pytest.raises(KeyError):
        explain.ending("It rose.", "whim")
