from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.providers.base import BadAnswer
from collector.providers.recorded import cells
from collector.providers.recorded.cache import FileCache
from collector.providers.recorded.folder import RecordingFolder, UnreadableFolder
from tests.providers.recorded_files import chart_body, frame_row, options_body, write_body, write_frame

ONE = datetime(2026, 3, 24, 17, tzinfo=UTC)


def lines_beside_a_good_file(folder: Path) -> tuple[str, ...]:
    """Return what the folder's other files are reported as, with a good frame among them."""
    write_frame(folder, frame_row("ZZTZ"))
    index = RecordingFolder(folder)
    assert list(index.recordings) == ["ZZTZ"]
    return index.unreadable


def test_files_are_told_apart_by_content_and_not_by_name(tmp_path: Path) -> None:
    write_body(tmp_path, options_body("ZZTA"), "one.csv")
    write_body(tmp_path, chart_body("ZZTB"), "two.txt")
    write_frame(tmp_path, frame_row("ZZTC"), name="2026-03-24T1300-0400.json")
    write_frame(tmp_path, frame_row("ZZTD"), name="2026-03-24T1300-0400")
    (tmp_path / "three.csv").write_text("kind,date,known_at\ncpi,2026-04-10,2026-03-24T13:00Z\n")
    (tmp_path / "four.csv").write_text("ticker,date,close\nZZTE,2026-03-24,1\n")
    index = RecordingFolder(tmp_path)
    assert index.unreadable == ()
    assert list(index.recordings) == ["ZZTA", "ZZTC", "ZZTD"]
    assert list(index.charts) == ["ZZTB"]
    assert list(index.bars) == ["ZZTE"]
    assert [event.kind for event in index.events] == ["cpi"]


def test_a_readme_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Recordings\n\nticker, type, strike: see below\n")
    (tmp_path / ".notes.csv").write_text("a,b\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    (tmp_path / "older.csv").mkdir()
    write_body(tmp_path / "older.csv", options_body("ZZTY"))
    assert lines_beside_a_good_file(tmp_path) == ()


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", b"", "a.csv: the file is empty"),
        ("a.json", b" \n", "a.json: the file is empty"),
        ("a.csv", b"Date,Name\n1,2\n", "a.csv: expected an answer of Yahoo's"),
        ("a.csv", b'\nIndex,1,2\n"Date: July 12, 2022",Bid: 1,Ask: 2,,\n', "a.csv: expected an answer of Yahoo's"),
        ("a.csv", b"<html><body>Will be right back</body></html>", "a.csv: expected an answer of Yahoo's"),
        ("a.json", b'{"id": 1}', "a.json: expected an answer of Yahoo's"),
        ("a.json", b"[1, 2]", "a.json: holds a JSON list where an object was expected"),
        ("a.json", b'{"optionChain":\n {"result": [{"und', "a.json line 2 column 19: is not whole JSON"),
        ("a.csv", b"ticker,type,strike,bid,expiration\n\xff\xfe,call\n", "a.csv line 2: is not UTF-8 text"),
        ("a.csv", b"ticker,strike,bid\nZZTA,1,2\n", "a.csv: a frame needs the column type, expiration"),
        ("a.csv", b"ticker,bid,Bid\nZZTA,1,2\n", "a.csv line 1: two columns are named 'Bid'"),
        ("a.csv", b"ticker,type,strike,bid,expiration\n", "a.csv: a frame without a row"),
        ("a.csv", b"ticker,type,strike,bid,expiration\nZZTA,call,1,1,2026-03-27\n", "say when it was with --as-of"),
        ("2199-03-24T1300-0400.csv", b"ticker,type,strike,bid,expiration\nZZTA,call,1,1,2026-03-27\n", "placed"),
    ],
)
def test_a_file_that_is_no_recording_is_reported_and_stops_nobody(
    tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (line,) = lines_beside_a_good_file(tmp_path)
    assert line.startswith(name)
    assert complaint in line
    assert "\n" not in line


def test_a_frame_that_is_cut_short_is_named_by_its_line(tmp_path: Path) -> None:
    file = write_frame(tmp_path, frame_row(), frame_row(), name="2026-03-24T1200-0400.csv")
    file.write_bytes(file.read_bytes()[:-25])
    (line,) = lines_beside_a_good_file(tmp_path)
    assert line.startswith("2026-03-24T1200-0400.csv line 3: 8 cells where the header has 11; the file may be cut")


def test_a_cell_that_never_ends_is_refused(tmp_path: Path) -> None:
    write_frame(tmp_path, '"' + "x" * 200_000, name="2026-03-24T1200-0400.csv")
    (line,) = lines_beside_a_good_file(tmp_path)
    assert line.startswith("2026-03-24T1200-0400.csv line 2: field larger than field limit")


def test_a_deeply_nested_body_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"optionChain":' + "[" * 100_000)
    (line,) = lines_beside_a_good_file(tmp_path)
    assert "is not whole JSON" in line


def test_a_file_beyond_the_size_of_a_recording_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as file:
        file.truncate(cells.MAX_FILE_BYTES + 1)
    (line,) = lines_beside_a_good_file(tmp_path)
    assert line == "a.csv: 67,108,865 bytes are more than a recording holds (67,108,864)"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    outside = write_body(tmp_path, options_body("ZZTA"), "outside.json")
    (folder / "inside.json").symlink_to(outside)
    (folder / "nowhere.json").symlink_to(tmp_path / "gone.json")
    (line,) = lines_beside_a_good_file(folder)
    assert line == "inside.json: links to a file outside the folder; copy it in to use it"


def refusal(code: str) -> dict[str, object]:
    return {"result": None, "error": {"code": code, "description": "Nothing here"}}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"optionChain": refusal("Not Found")}, "Yahoo's optionChain answer says Not Found: Nothing here"),
        ({"chart": refusal("Not Found")}, "Yahoo's chart answer says Not Found: Nothing here"),
        ({"finance": refusal("Unauthorized")}, "Yahoo's optionChain answer says Unauthorized: Nothing here"),
        ({"optionChain": {"result": [], "error": None}}, "Yahoo answers no optionChain for this ticker"),
        ({"optionChain": {"result": ["?"], "error": None}}, "Yahoo's answer holds no optionChain.result"),
        ({"optionChain": 5}, "Yahoo's answer holds no optionChain"),
        (options_body("", symbol="?"), "is not a ticker"),
        (options_body(regularMarketTime=None), "say when it was recorded with --as-of"),
        (options_body(regularMarketTime=946684800), "its time cannot be placed"),
        (chart_body(dataGranularity="5m"), "a chart of 5m bars where daily ones (1d) were expected"),
        (chart_body(days=(), regularMarketTime=None), "the chart states no time"),
        (chart_body(symbol=None), "is not a ticker"),
    ],
)
def test_a_body_without_what_is_needed_is_reported(tmp_path: Path, body: object, complaint: str) -> None:
    write_body(tmp_path, body)
    (line,) = lines_beside_a_good_file(tmp_path)
    assert line.startswith("body.json: ")
    assert complaint in line


def test_as_of_dates_what_states_no_time_itself(tmp_path: Path) -> None:
    write_frame(tmp_path, frame_row("ZZTA"), name="frame.csv")
    write_body(tmp_path, options_body("ZZTB", regularMarketTime=None))
    index = RecordingFolder(tmp_path, undated=ONE)
    assert [index.recordings[ticker][0].stamp for ticker in ("ZZTA", "ZZTB")] == [ONE, ONE]


def test_a_second_frame_of_a_ticker_at_one_moment_is_reported(tmp_path: Path) -> None:
    write_frame(tmp_path, frame_row("ZZTA"), name="a-2026-03-24T1300-0400.csv")
    write_frame(tmp_path, frame_row("ZZTA"), frame_row("ZZTB"), name="b-2026-03-24T1700Z.csv")
    index = RecordingFolder(tmp_path)
    assert index.unreadable == (
        "b-2026-03-24T1700Z.csv: left out for ZZTA, which a-2026-03-24T1300-0400.csv holds at "
        "2026-03-24T17:00:00+00:00 too",
    )
    assert [held[0].name[0] for held in index.recordings.values()] == ["a", "b"]


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_what_is_no_folder_is_refused_with_the_remedy(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "there"
    if kind == "file":
        path.touch()
    with pytest.raises(UnreadableFolder, match=r"there is no folder that can be read .*--recordings DIR"):
        RecordingFolder(path)


def test_a_folder_without_a_recording_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFolder, match="holds no recording that can be read: expected an answer of Yahoo's"):
        RecordingFolder(tmp_path)
    for name in ("a.json", "b.json", "c.json"):
        (tmp_path / name).write_text(json.dumps({"none": name}))
    (tmp_path / "events.csv").write_text("kind,date,known_at\n")
    with pytest.raises(UnreadableFolder, match=r"read: a\.json: expected .* \(and 2 files more\)$") as raised:
        RecordingFolder(tmp_path)
    assert raised.value.permanent
    assert raised.value.ends_scan


def test_a_file_that_changed_since_it_was_looked_at_is_a_clear_error(tmp_path: Path) -> None:
    file = write_frame(tmp_path, frame_row())
    index = RecordingFolder(tmp_path)
    frame = index.recordings["ZZTA"][0].frame
    assert frame is not None
    file.unlink()
    with pytest.raises(BadAnswer, match=r"2026-03-24T1300-0400\.csv: cannot be read \(No such file"):
        index.frame(frame)
    write_frame(tmp_path, frame_row("ZZTB"))
    with pytest.raises(BadAnswer, match="no longer holds ZZTA"):
        index.frame(frame)


def test_the_cache_reads_a_file_once_for_several_threads_and_keeps_the_newest(tmp_path: Path) -> None:
    read: list[str] = []
    barrier = threading.Barrier(4)

    def slow(path: Path) -> str:
        read.append(path.name)
        return path.name

    cache = FileCache(slow, size=2)

    def ask() -> None:
        barrier.wait(timeout=5)
        cache.get(tmp_path / "a")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=5)
    assert read == ["a"]
    for name in ("b", "a", "c", "a", "b"):
        assert cache.get(tmp_path / name) == name
    assert read == ["a", "b", "c", "b"]


def test_a_failed_read_is_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "a"
    cache = FileCache(lambda path: path.read_text(), size=1)
    with pytest.raises(FileNotFoundError):
        cache.get(file)
    file.write_text("now")
    assert cache.get(file) == "now"
