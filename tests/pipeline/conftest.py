"""The stage that scans are killed on, made once a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.stage import Stage, set_up


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with set_up(tmp_path_factory.mktemp("kills")) as made:
        yield made
