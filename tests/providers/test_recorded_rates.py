"""Rates of a folder of recordings: tables of yields, and the charts of Yahoo's Treasury indices."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from collector.market.calendar import exchange_sessions
from collector.market.rates import TreasuryYield, from_yields
from collector.providers.base import BadAnswer
from collector.providers.recorded import RecordedProvider
from collector.providers.recorded.cells import read_table
from collector.providers.recorded.tables import read_rates
from tests.providers.recorded_files import chart_body, epoch, frame_row, write_body, write_frame

TUESDAY = date(2026, 3, 24)
# 16:00 New York in summer.
CLOSE = datetime(2026, 3, 24, 20, tzinfo=UTC)


def table(folder: Path, header: str, *lines: str) -> Path:
    file = folder / "yields.csv"
    file.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return file


def read(folder: Path, header: str, *lines: str) -> tuple[TreasuryYield, ...]:
    return read_rates(read_table(table(folder, header, *lines)), exchange_sessions())


def index_chart(folder: Path, symbol: str, days: tuple[str, ...], percent: tuple[float, ...], made: str) -> None:
    body = chart_body(symbol, days, regularMarketTime=epoch(made))
    quote = body["chart"]["result"][0]["indicators"]["quote"][0]
    quote.update({name: list(percent) for name in ("open", "high", "low", "close")})
    write_body(folder, body, f"chart-{symbol}-{made[:10]}.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_frame(tmp_path, frame_row())
    return tmp_path


class TestTables:
    @pytest.mark.clock
    def test_a_decimal_and_a_basis(self, tmp_path: Path) -> None:
        found = read(tmp_path, "date,days,rate,basis", "2026-03-24,91,0.0362,discount", "2026-03-24,365,0.04,")
        assert found == (
            TreasuryYield(TUESDAY, 91, 0.0362, "discount", "recorded", CLOSE),
            TreasuryYield(TUESDAY, 365, 0.04, "continuous", "recorded", CLOSE),
        )

    @pytest.mark.parametrize(
        ("percent", "rate"), [("3.62", 0.0362), ("0.25", 0.0025), ("-0.618873", -0.00618873), ("0", 0.0)]
    )
    def test_per_cent_is_named_by_its_column_and_turned_once(self, tmp_path: Path, percent: str, rate: float) -> None:
        """HO-02, HO-03."""
        (found,) = read(tmp_path, "Date,Days,Rate Percent,Basis", f"2026-03-24,1825,{percent},Bond Equivalent")
        assert (found.basis, found.rate) == ("bond_equivalent", pytest.approx(rate, rel=1e-12))

    def test_each_line_states_the_one_or_the_other(self, tmp_path: Path) -> None:
        found = read(tmp_path, "date,days,rate,rate_percent", "2026-03-24,91,0.036,", "2026-03-24,182,,3.5")
        assert [one.rate for one in found] == [0.036, pytest.approx(0.035)]

    @pytest.mark.parametrize(
        ("header", "line", "complaint"),
        [
            ("date,days,rate", "2026-03-24,91,3.62", "rate '3.62' is not a rate; 4.5 per cent is 0.045 under rate"),
            ("date,days,rate", "2026-03-24,91,0.25", "rate '0.25' is not a rate"),
            ("date,days,rate_percent", "2026-03-24,91,362", "rate_percent '362' is not a rate"),
            ("date,days,rate", "2026-03-24,91,", "rate None is not the one rate of its line"),
            ("date,days,rate,rate_percent", "2026-03-24,91,0.036,3.6", "is not the one rate of its line"),
            ("date,days,rate", "2026-03-24,0,0.036", "days '0' is not a number of days"),
            ("date,days,rate", "2026-03-24,,0.036", "days None is not a number of days"),
            ("date,days,rate", "2026-03-24,1e9,0.036", "days '1e9' is not a number of days"),
            ("date,days,rate", "24.03.2026,91,0.036", "date '24.03.2026' is not a date"),
            (
                "date,days,rate",
                "1999-03-24,91,0.036",
                "date '1999-03-24' is not a date that the exchange's calendar knows",
            ),
            ("date,days,rate,basis", "2026-03-24,91,0.036,simple", "basis 'simple' is not one of discount"),
            ("date,days,rate,basis", "2026-03-24,1825,0.2,discount", "rate '0.2' is not a rate"),
        ],
    )
    def test_a_broken_line_is_named(self, tmp_path: Path, header: str, line: str, complaint: str) -> None:
        with pytest.raises(BadAnswer, match=r"^yields\.csv line 2: ") as raised:
            read(tmp_path, header, line)
        assert complaint in str(raised.value)

    def test_each_date_has_its_own_and_a_date_without_one_the_last_before(self, folder: Path) -> None:
        table(
            folder,
            "date,days,rate",
            "2026-03-23,182,0.035",
            "2026-03-23,91,0.036",
            "2026-03-25,91,0.037",
        )
        provider = RecordedProvider(folder)
        assert [(one.days, one.rate) for one in provider.rates(TUESDAY)] == [(91, 0.036), (182, 0.035)]
        assert [(one.days, one.rate) for one in provider.rates(date(2026, 3, 25))] == [(91, 0.037)]
        assert provider.rates(date(2026, 3, 22)) == ()

    def test_a_broken_table_stops_nobody_else(self, folder: Path) -> None:
        table(folder, "date,days,rate", "2026-03-24,91,3.62")
        provider = RecordedProvider(folder)
        assert provider.rates(TUESDAY) == ()
        assert provider.tickers() == ("ZZTA",)
        (line,) = provider.unreadable
        assert line.startswith("yields.csv line 2: rate '3.62'")


class TestCharts:
    def test_bill_and_note_in_per_cent(self, folder: Path) -> None:
        made = "2026-03-24T20:05:00-04:00"
        index_chart(folder, "^IRX", ("2026-03-23", "2026-03-24"), (3.6, 3.62), made)
        index_chart(folder, "^FVX", ("2026-03-23", "2026-03-24"), (3.9, 3.94), made)
        known_at = datetime.fromisoformat(made)
        found = RecordedProvider(folder).rates(TUESDAY)
        assert found == (
            TreasuryYield(TUESDAY, 91, pytest.approx(0.0362), "discount", "treasury", known_at),  # type: ignore[arg-type]
            TreasuryYield(TUESDAY, 1825, pytest.approx(0.0394), "bond_equivalent", "treasury", known_at),  # type: ignore[arg-type]
        )
        # -ln(1 - .0362 * 91 / 360) * 365 / 91 and 2 ln(1.0197), by a calculator.
        assert from_yields(found).rates == pytest.approx((0.0368717, 0.0390171), abs=5e-7)

    def test_of_several_charts_the_newest_that_reaches_the_day_counts(self, folder: Path) -> None:
        index_chart(folder, "^IRX", ("2026-03-23",), (3.6,), "2026-03-23T20:05:00-04:00")
        index_chart(folder, "^IRX", ("2026-06-23",), (3.1,), "2026-06-23T20:05:00-04:00")
        provider = RecordedProvider(folder)
        assert [one.date for one in provider.rates(TUESDAY)] == [date(2026, 3, 23)]
        assert [one.rate for one in provider.rates(date(2026, 6, 24))] == [pytest.approx(0.031)]
        assert provider.rates(date(2026, 5, 1)) == ()

    def test_a_table_goes_before_them(self, folder: Path) -> None:
        index_chart(folder, "^IRX", ("2026-03-24",), (3.62,), "2026-03-24T20:05:00-04:00")
        table(folder, "date,days,rate", "2026-03-24,91,0.03")
        assert [one.source for one in RecordedProvider(folder).rates(TUESDAY)] == ["recorded"]

    def test_an_index_is_no_ticker_to_scan(self, folder: Path) -> None:
        index_chart(folder, "^IRX", ("2026-03-24",), (3.62,), "2026-03-24T20:05:00-04:00")
        write_body(folder, chart_body("ZZTB"), "chart-ZZTB.json")
        assert RecordedProvider(folder).bar_tickers() == ("ZZTB",)

    def test_without_either_there_are_none(self, folder: Path) -> None:
        assert RecordedProvider(folder).rates(TUESDAY) == ()
