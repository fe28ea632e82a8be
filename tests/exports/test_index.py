from __future__ import annotations

import json

import numpy as np
import pytest

from exports.documents import DOCUMENTS
from exports.index import IndexBuilder, IndexReadError, load_index

GENERATION = "20260127T120000Z-000042"


def chain(grade: str | None, volume: int | None, atm_iv: float | None) -> dict:
    return {
        "ticker": "QQZX",
        "expiration": "2026-02-20",
        "root": "QQZX",
        "dte": 24,
        "as_of": "2026-01-27T12:00:00Z",
        "settlement": "PM",
        "quality": {"grade": grade},
        "atm_iv": atm_iv,
        "totals": None if volume is None else {"volume": volume, "open_interest": 0},
    }


def built() -> IndexBuilder:
    builder = IndexBuilder(DOCUMENTS["chains"], GENERATION)
    builder.add(chain("A", 1200, 0.25), 300, 17)
    builder.add(chain("F", None, None), 319, 40)
    return builder


def test_columns_hold_numbers_as_floats_and_null_as_nan() -> None:
    index = load_index(built().dump([]))
    assert index.column("totals.volume").dtype == np.float64
    np.testing.assert_array_equal(index.column("totals.volume"), [1200.0, np.nan])
    np.testing.assert_array_equal(index.column("atm_iv"), [0.25, np.nan])


def test_columns_hold_texts_and_dates_as_objects() -> None:
    index = load_index(built().dump([]))
    assert index.column("quality.grade").tolist() == ["A", "F"]
    assert index.column("expiration").tolist() == ["2026-02-20", "2026-02-20"]
    assert index.column("expiration").dtype == np.object_


def test_null_text_is_none() -> None:
    builder = IndexBuilder(DOCUMENTS["chains"], GENERATION)
    builder.add(chain(None, 1, 0.2), 0, 1)
    assert load_index(builder.dump([])).column("quality.grade").tolist() == [None]


def test_columns_are_those_that_documents_lists() -> None:
    index = load_index(built().dump([]))
    assert index.names == DOCUMENTS["chains"].index
    with pytest.raises(KeyError):
        index.column("calls")


def test_places_and_errors_come_back() -> None:
    errors = [{"ticker": "QQZX", "reason": "budget", "detail": "served first next time"}]
    index = load_index(built().dump(errors))
    assert (index.offset, index.length, index.count, index.errors) == ([300, 319], [17, 40], 2, errors)
    assert (index.document, index.generation) == ("chains", GENERATION)


def test_index_of_no_records_has_empty_columns() -> None:
    index = load_index(IndexBuilder(DOCUMENTS["alerts"], GENERATION).dump([]))
    assert index.count == 0
    assert all(index.column(name).size == 0 for name in index.names)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"index_version": 99}, "index_version 99"),
        ({"document": "orders"}, "orders"),
        ({"count": 3}, "uneven length"),
        ({"columns": {}}, "ticker"),
    ],
)
def test_index_that_does_not_fit_is_refused(change: dict, said: str) -> None:
    told = json.loads(built().dump([])) | change
    with pytest.raises(IndexReadError, match=said):
        load_index(json.dumps(told).encode())


def test_index_of_10000_alerts_is_as_small_as_measured() -> None:
    """Findings: columns 1.2 MB; offsets, the last scan and the second time make it at most twice that."""
    builder = IndexBuilder(DOCUMENTS["alerts"], GENERATION)
    for number in range(10_000):
        record = {
            "id": f"{number:016x}",
            "ticker": "QQZX",
            "detector": "unusual_activity",
            "state": "new",
            "score": 71.5,
            "confidence": 0.8,
            "first_seen": "2026-01-27T12:00:00Z",
            "last_seen": "2026-01-27T12:00:00Z",
            "first_scan_id": "20260127T120000Z-abcdef",
            "last_scan_id": "20260127T120000Z-abcdef",
            "summary": "QQZX 100 call 2026-02-20: volume 12 times its open interest",
        }
        builder.add(record, number * 1000, 998)
    assert len(builder.dump([])) < 2.6e6
