"""The catalogue's facts are those of the classes, and each provider is made by its name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from collector.market.calendar import sessions_of
from collector.providers.catalogue import (
    PROVIDER_FACTS,
    ProviderOptions,
    UnknownProvider,
    make_provider,
    provider_class,
)
from exports.folders import MARKET_OF_PROVIDER, MarketFolder
from tests.providers.recorded_files import frame_row, write_frame


@pytest.mark.parametrize("name", sorted(PROVIDER_FACTS))
def test_the_facts_are_the_classes_own(name: str) -> None:
    facts, kind = PROVIDER_FACTS[name], provider_class(name)
    assert (kind.name, kind.feed, kind.market) == (name, facts["feed"], facts["market"])
    assert kind.delay == timedelta(seconds=facts["delay_seconds"])
    assert kind.terms == facts["terms"]
    assert kind.pays_per_expiration is facts["pays_per_expiration"]
    assert MARKET_OF_PROVIDER[name] == facts["market"]


@pytest.mark.parametrize("name", sorted(PROVIDER_FACTS))
def test_each_is_made_by_its_name(name: str, data_dir: Path, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    write_frame(recordings, frame_row())
    made = make_provider(MarketFolder(data_dir, name), ProviderOptions(recordings=recordings))
    assert isinstance(made, provider_class(name))
    assert made.sessions() is sessions_of(made.market)
    assert made.calls_used() == 0


def test_an_unknown_one_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownProvider, match="'bloomberg' is unknown; there is demo, recorded, yahoo"):
        provider_class("bloomberg")


def test_recordings_need_their_folder(data_dir: Path) -> None:
    with pytest.raises(ValueError, match="--recordings DIR"):
        make_provider(MarketFolder(data_dir, "recorded"), ProviderOptions())
