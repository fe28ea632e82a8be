"""The real yfinance, with its own session, against a loopback server: answers, faults, and every request counted."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
import yfinance.cache

from collector.market.contract import parse_occ
from collector.providers.base import (
    BadAnswer,
    Bar,
    EmptyAnswer,
    NoOptions,
    NotInDollars,
    ProviderError,
    RateLimited,
    TickerNotFound,
    TimedOut,
    Unauthorised,
    Unreachable,
)
from collector.providers.call_budget import BudgetSpent, CallBudget
from collector.providers.demo import DemoProvider
from collector.providers.yahoo import YahooProvider
from collector.providers.yahoo_bodies import parse_chart, parse_options
from collector.providers.yahoo_transport import Timeouts
from tests.providers.conftest import QUICK, Make
from tests.providers.made_bodies import made_bodies, with_further_dates
from tests.providers.yahoo_server import CHART, CRUMB, OPTIONS, RECORDED, Kind, TickerBodies, YahooServer, read_bodies

pytestmark = [
    pytest.mark.usefixtures("fresh_yfinance"),
    # yfinance's own use of pandas.
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning:yfinance"),
]

JANUARY, FEBRUARY, MARCH = date(2026, 1, 30), date(2026, 2, 20), date(2026, 3, 20)
ZQXA = f"{OPTIONS}ZQXA"
FRESH = ["/", CRUMB]


class TestAnswers:
    def test_the_first_answer_brings_quote_expirations_events_and_the_nearest_chain(
        self, server: YahooServer, make: Make
    ) -> None:
        soon = int(time.time()) + 20 * 86400
        server.bodies["ZQXA"].first["optionChain"]["result"][0]["quote"]["earningsTimestampStart"] = soon  # type: ignore[index]
        provider = make()
        assert provider.quote("ZQXA").price == 101.2
        assert provider.expirations("ZQXA") == (JANUARY, FEBRUARY, MARCH)
        assert [e.time for e in provider.events("ZQXA")] == [datetime.fromtimestamp(soon, tz=UTC)]
        assert provider.chain("ZQXA", JANUARY).underlying == provider.quote("ZQXA")
        assert server.paths() == [*FRESH, ZQXA]
        assert provider.calls_used() == 3

    def test_each_further_expiration_is_one_request(self, server: YahooServer, make: Make) -> None:
        provider = make()
        chains = [provider.chain("ZQXA", day) for day in provider.expirations("ZQXA")]
        assert [chain.expiration for chain in chains] == [JANUARY, FEBRUARY, MARCH]
        assert server.paths() == [*FRESH, ZQXA, ZQXA, ZQXA]
        assert [r.query.get("date") for r in server.requests[2:]] == [None, "1771545600", "1773964800"]
        assert {r.query["crumb"] for r in server.requests[2:]} == {server.crumb}

    @pytest.mark.parametrize("ticker", ["ZQXA", "^SPX", "BRK-B", "ZQDK"])
    def test_a_chain_through_the_frames_is_the_chain_of_the_body(
        self, server: YahooServer, make: Make, ticker: str
    ) -> None:
        """HO-18: last trades keep their seconds in whichever unit pandas holds them."""
        provider = make()
        nearest = provider.expirations(ticker)[0]
        chain = provider.chain(ticker, nearest)
        quote, _, chains = parse_options(server.bodies[ticker].first, chain.stamp)
        assert chain == chains[nearest]
        assert provider.quote(ticker) == quote
        assert abs(datetime.now(UTC) - chain.stamp) < timedelta(minutes=1)

    def test_bars_through_the_frames_are_the_bars_of_the_body(self, server: YahooServer, make: Make) -> None:
        provider = make()
        bars = provider.bars("ZQXA", date(2025, 10, 1), date(2025, 11, 20))
        assert bars == parse_chart(server.bodies["ZQXA"].chart)[0]
        assert bars[0] == Bar(date(2025, 10, 20), 399.0, 402.0, 398.0, 400.0, 1_000_000)
        assert server.paths() == [*FRESH, f"{CHART}ZQXA"]

    def test_bars_reach_from_start_to_end_and_undo_a_split_after_the_end(self, make: Make) -> None:
        bars = make().bars("ZQXA", date(2025, 10, 27), date(2025, 10, 28))
        assert [(bar.date, bar.close) for bar in bars] == [(date(2025, 10, 27), 410.0), (date(2025, 10, 28), 412.0)]

    def test_a_session_that_has_not_closed_is_no_bar(self, make: Make) -> None:
        with time_machine.travel(datetime(2025, 11, 20, 20, 59, tzinfo=UTC)):
            bars = make().bars("ZQXA", date(2025, 11, 17), date(2025, 11, 20))
        assert [bar.date for bar in bars] == [date(2025, 11, 17), date(2025, 11, 18), date(2025, 11, 19)]
        with time_machine.travel(datetime(2025, 11, 20, 21, 1, tzinfo=UTC)):
            bars = make().bars("ZQXA", date(2025, 11, 17), date(2025, 11, 20))
        assert bars[-1].date == date(2025, 11, 20)

    def test_splits_and_dividends_are_known_once_the_bars_are(self, server: YahooServer, make: Make) -> None:
        provider = make()
        assert provider.events("ZQXA") == ()
        provider.bars("ZQXA", date(2025, 10, 1), date(2025, 11, 20))
        assert [(e.kind, e.date, e.amount) for e in provider.events("ZQXA")] == [
            ("dividend", date(2025, 10, 24), 0.8),
            ("split", date(2025, 11, 3), 4.0),
            ("dividend", date(2025, 11, 14), 0.25),
        ]
        assert provider.calls_used() == len(server.requests) == 4

    def test_what_it_says_of_itself(self, make: Make) -> None:
        provider = make()
        assert (provider.name, provider.feed, provider.market) == ("yahoo", "yahoo", "live")
        assert (provider.delay, provider.pays_per_expiration) == (timedelta(minutes=15), True)
        assert (provider.sessions().name, provider.tickers()) == ("XNYS", ())

    def test_several_threads_each_with_its_ticker(self, server: YahooServer, make: Make) -> None:
        from concurrent.futures import ThreadPoolExecutor

        provider = make()
        with ThreadPoolExecutor(4) as pool:
            listed = dict(zip("ABCD", pool.map(provider.expirations, ("ZQXA", "^SPX", "BRK-B", "ZQDK")), strict=True))
        assert [len(days) for days in listed.values()] == [3, 1, 1, 1]
        assert provider.calls_used() == len(server.requests) == 6


class TestNoOptions:
    def test_a_fund_costs_one_request_and_keeps_its_quote(self, server: YahooServer, make: Make) -> None:
        provider = make()
        with pytest.raises(NoOptions, match="ZQFND"):
            provider.expirations("ZQFND")
        assert provider.quote("ZQFND").price == 31.07
        assert server.paths() == [*FRESH, f"{OPTIONS}ZQFND"]

    def test_euros(self, make: Make) -> None:
        with pytest.raises(NotInDollars, match="EUR"):
            make().expirations("ZQEU")

    def test_unknown(self, server: YahooServer, make: Make) -> None:
        with pytest.raises(TickerNotFound, match="ZQNONE"):
            make().expirations("ZQNONE")
        with pytest.raises(TickerNotFound, match=r"404.*ZQNONE"):
            make().bars("ZQNONE", date(2025, 10, 1), date(2025, 11, 20))
        assert server.paths() == [*FRESH, f"{OPTIONS}ZQNONE", f"{CHART}ZQNONE"]


class TestFaults:
    """Each fault on the data's own path, with the requests that it costs after cookie and crumb."""

    @pytest.mark.parametrize(
        ("kind", "error", "said", "requests"),
        [
            ("throttle", RateLimited, "429", 1),
            ("missing", TickerNotFound, "404.*ZQXA", 1),
            ("break", BadAnswer, "500.*ZQXA", 1),
            ("stall", TimedOut, "ZQXA in time", 1),
            ("html", BadAnswer, "ZQXA can't be read", 1),
            ("garble", BadAnswer, "ZQXA can't be read", 1),
            ("cut", BadAnswer, "broke off.*ZQXA", 1),
            # On a connection kept from before, curl itself repeats once what got no byte of an answer.
            ("close", BadAnswer, "broke off.*ZQXA", 2),
            ("nothing", TickerNotFound, "ZQXA", 1),
        ],
    )
    def test_of_the_options(
        self, server: YahooServer, make: Make, kind: Kind, error: type[ProviderError], said: str, requests: int
    ) -> None:
        server.fail(kind, path=OPTIONS)
        provider = make()
        with pytest.raises(error, match=said) as raised:
            provider.expirations("ZQXA")
        assert type(raised.value) is error
        assert "\n" not in str(raised.value)
        assert server.paths() == FRESH + [ZQXA] * requests
        assert provider.calls_used() == len(FRESH) + 1

    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            ("throttle", RateLimited),
            ("missing", TickerNotFound),
            ("break", BadAnswer),
            ("stall", TimedOut),
            ("html", BadAnswer),
            ("garble", BadAnswer),
            ("close", BadAnswer),
        ],
    )
    def test_of_the_chart(self, server: YahooServer, make: Make, kind: Kind, error: type[ProviderError]) -> None:
        server.fail(kind, path=CHART)
        with pytest.raises(ProviderError) as raised:
            make().bars("ZQXA", date(2025, 10, 1), date(2025, 11, 20))
        assert type(raised.value) is error
        assert server.paths() == FRESH + [f"{CHART}ZQXA"] * (2 if kind == "close" else 1)

    @pytest.mark.parametrize(("kind", "status"), [("refuse", 401), ("forbid", 403)])
    def test_refused_is_tried_once_more_with_a_new_cookie_and_crumb(
        self, server: YahooServer, make: Make, kind: Kind, status: int
    ) -> None:
        server.fail(kind, path=OPTIONS)
        provider = make()
        with pytest.raises(Unauthorised, match=f"{status} for ZQXA"):
            provider.expirations("ZQXA")
        assert server.paths().count(ZQXA) == 2
        assert provider.calls_used() == len(server.requests) <= 2 + 1 + 5

    def test_a_crumb_that_went_stale_is_renewed(self, server: YahooServer, make: Make) -> None:
        server.fail("refuse", path=OPTIONS, times=1)
        provider = make()
        assert provider.expirations("ZQXA") == (JANUARY, FEBRUARY, MARCH)
        assert server.paths().count(ZQXA) == 2

    def test_a_throttled_crumb_ends_it_before_the_data_is_asked(self, server: YahooServer, make: Make) -> None:
        server.fail("throttle", path=CRUMB)
        with pytest.raises(RateLimited):
            make().expirations("ZQXA")
        assert server.paths() == FRESH

    def test_a_page_for_a_crumb_is_no_crumb(self, server: YahooServer, make: Make) -> None:
        server.fail("html", path=CRUMB)
        provider = make()
        assert provider.expirations("ZQXA") == (JANUARY, FEBRUARY, MARCH)
        assert "crumb" not in server.requests[-1].query or "<" not in server.requests[-1].query["crumb"]
        assert provider.calls_used() == len(server.requests)

    def test_empty_frames_are_an_empty_answer_and_asked_anew_next_time(self, server: YahooServer, make: Make) -> None:
        server.fail("empty", path=OPTIONS, times=1)
        provider = make()
        assert provider.expirations("ZQXA") == (JANUARY, FEBRUARY, MARCH)
        with pytest.raises(EmptyAnswer, match="2026-01-30"):
            provider.chain("ZQXA", JANUARY)
        assert len(provider.chain("ZQXA", JANUARY).contracts) == 22
        assert server.paths() == [*FRESH, ZQXA, ZQXA]

    def test_empty_frames_of_a_further_expiration(self, server: YahooServer, make: Make) -> None:
        provider = make()
        assert len(provider.chain("ZQXA", JANUARY).contracts) == 22
        server.fail("empty", path=OPTIONS)
        with pytest.raises(EmptyAnswer, match="2026-02-20"):
            provider.chain("ZQXA", FEBRUARY)
        assert len(server.requests) == 4

    def test_a_shrunken_list_looks_like_a_list(self, server: YahooServer, make: Make) -> None:
        server.fail("shrunken", path=OPTIONS)
        provider = make()
        assert provider.expirations("ZQXA") == (JANUARY,)
        with pytest.raises(EmptyAnswer, match="does not list ZQXA's expiration 2026-02-20"):
            provider.chain("ZQXA", FEBRUARY)
        assert len(server.requests) == 3

    def test_a_fault_of_one_expiration_leaves_the_others(self, server: YahooServer, make: Make) -> None:
        provider = make()
        provider.expirations("ZQXA")
        server.fail("cut", path=OPTIONS, times=1)
        with pytest.raises(BadAnswer):
            provider.chain("ZQXA", FEBRUARY)
        assert len(provider.chain("ZQXA", FEBRUARY).contracts) == 24
        assert len(provider.chain("ZQXA", MARCH).contracts) == 22

    def test_a_server_that_hangs_throughout_is_given_up_in_time(self, server: YahooServer, make: Make) -> None:
        server.fail("stall")
        began = time.monotonic()
        with pytest.raises(TimedOut):
            make(timeouts=Timeouts(connect=0.2, read=0.4, operation=1.0)).expirations("ZQXA")
        assert time.monotonic() - began < 3.0

    def test_an_answer_that_is_garbled_in_a_contract(self, server: YahooServer, make: Make) -> None:
        first = json.loads(json.dumps(server.bodies["ZQXA"].first))
        first["optionChain"]["result"][0]["options"][0]["calls"][3].pop("strike")
        server.bodies["ZQXA"] = TickerBodies(first)
        contracts = make().chain("ZQXA", JANUARY).contracts
        assert [one.contract_symbol for one in contracts if not one.strike > 0] == ["ZQXA260130C00095000"]


class TestUnreachable:
    def test_nobody_listens(self, tmp_path: Path) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        provider = YahooProvider(tmp_path / "cache", None, f"http://127.0.0.1:{port}", QUICK)
        with pytest.raises(Unreachable, match="can't be reached"):
            provider.expirations("ZQXA")

    def test_a_connection_that_is_never_accepted(self, tmp_path: Path) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            waiting = [socket.socket() for _ in range(4)]
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(listener.getsockname())
            provider = YahooProvider(
                tmp_path / "cache",
                None,
                f"http://127.0.0.1:{listener.getsockname()[1]}",
                Timeouts(connect=0.3, read=5.0, operation=20.0),
            )
            began = time.monotonic()
            with pytest.raises(Unreachable):
                provider.expirations("ZQXA")
            assert time.monotonic() - began < 4.0
            for client in waiting:
                client.close()


class TestBudget:
    def test_every_request_is_counted_where_all_processes_see_it(
        self, server: YahooServer, make: Make, tmp_path: Path
    ) -> None:
        budget = CallBudget(tmp_path / "calls.json", 250, 2000)
        provider = make(budget)
        for day in provider.expirations("ZQXA"):
            provider.chain("ZQXA", day)
        provider.bars("ZQXA", date(2025, 10, 1), date(2025, 11, 20))
        server.fail("refuse", path=OPTIONS)
        with pytest.raises(Unauthorised):
            provider.expirations("^SPX")
        assert budget.used().hour == provider.calls_used() == len(server.requests)

    def test_nothing_is_asked_beyond_it(self, server: YahooServer, make: Make, tmp_path: Path) -> None:
        provider = make(CallBudget(tmp_path / "calls.json", 4, 2000))
        provider.chain("ZQXA", JANUARY)
        provider.chain("ZQXA", FEBRUARY)
        with pytest.raises(BudgetSpent, match="4 calls of this hour"):
            provider.chain("ZQXA", MARCH)
        assert len(server.requests) == provider.calls_used() == 4

    def test_a_second_object_counts_its_own(self, server: YahooServer, make: Make) -> None:
        first, second = make(), make()
        first.expirations("ZQXA")
        second.expirations("ZQXA")
        assert (first.calls_used(), second.calls_used()) == (3, 1)
        assert len(server.requests) == 4


class TestProcesses:
    """A scan is a child process: what it needs from the one before it is in the data folder."""

    ASK = """
import sys
from pathlib import Path
from collector.providers.yahoo import YahooProvider
provider = YahooProvider(Path(sys.argv[1]), None)
print(len(provider.chain("ZQXA", provider.expirations("ZQXA")[0]).contracts), provider.calls_used())
"""

    def ask(self, cache: Path, url: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "OPTSITE_YAHOO_URL": url, "HOME": str(cache.parent / "home")}
        return subprocess.run(
            [sys.executable, "-c", self.ASK, str(cache)], env=environment, capture_output=True, text=True, timeout=60
        )

    def test_the_cookie_is_kept_in_the_data_folder_and_nothing_elsewhere(
        self, server: YahooServer, tmp_path: Path
    ) -> None:
        assert self.ask(tmp_path / "cache", server.url).stdout == "22 3\n"
        assert self.ask(tmp_path / "cache", server.url).stdout == "22 2\n"
        assert server.paths() == [*FRESH, ZQXA, CRUMB, ZQXA]
        assert server.requests[-1].cookie == "A3=d=made"
        assert not (tmp_path / "home").exists()

    def test_a_cookie_file_that_is_broken_is_named(self, server: YahooServer, make: Make, tmp_path: Path) -> None:
        provider = make()
        (tmp_path / "cache" / "cookies.db").write_bytes(b"no database, " * 400)
        with pytest.raises(BadAnswer, match=r"cookie file in .*cache fails, delete it"):
            provider.expirations("ZQXA")
        (tmp_path / "cache" / "cookies.db").unlink()
        yfinance.cache._CookieCacheManager._Cookie_cache = None
        assert len(make().expirations("ZQXA")) == 3

    @pytest.mark.parametrize(
        "url",
        ["https://query2.finance.yahoo.com", "http://192.0.2.7:80", "http://127.0.0.1.evil.test", "ftp://localhost"],
    )
    def test_no_other_machine_stands_in_for_yahoo(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(ValueError, match=r"OPTSITE_YAHOO_URL is .*on this machine only"):
            YahooProvider(tmp_path / "cache", None, url)


class TestMadeBodies:
    """The demo market's chains in Yahoo's shape, which end-to-end tests scan."""

    def test_the_demos_chains_come_through_whole(self, tmp_path: Path) -> None:
        demo = DemoProvider(datetime(2026, 1, 27, 15, 30, tzinfo=UTC))
        ticker = demo.tickers()[1]
        bodies = made_bodies(demo, [ticker], most=3)
        with YahooServer(bodies) as server:
            provider = YahooProvider(tmp_path / "cache", None, server.url, QUICK)
            assert provider.expirations(ticker) == demo.expirations(ticker)[:3]
            assert provider.quote(ticker).price == demo.quote(ticker).price
            for day in provider.expirations(ticker):
                stated = {c.contract_symbol: (c.bid, c.ask, c.volume) for c in demo.chain(ticker, day).contracts}
                served = {c.contract_symbol: (c.bid, c.ask, c.volume) for c in provider.chain(ticker, day).contracts}
                assert served == stated
                assert len(served) > 20

    def test_a_recorded_answer_gets_further_dates_that_are_marked(self, server: YahooServer, tmp_path: Path) -> None:
        demo = DemoProvider(datetime(2026, 1, 27, 15, 30, tzinfo=UTC))
        other = demo.tickers()[1]
        day = next(day for day in demo.expirations(other) if day > MARCH)
        server.bodies["ZQXA"] = with_further_dates(read_bodies(RECORDED)["ZQXA"].first or {}, demo, other, [day])
        provider = YahooProvider(tmp_path / "cache", None, server.url, QUICK)
        assert provider.expirations("ZQXA") == (JANUARY, FEBRUARY, MARCH, day)
        assert len(provider.chain("ZQXA", JANUARY).contracts) == 22
        made = provider.chain("ZQXA", day)
        assert {parse_occ(str(c.contract_symbol)).root for c in made.contracts} == {"ZQXA"}
        assert min(c.strike for c in made.contracts) < 101.2 < max(c.strike for c in made.contracts)
        answers = [body["optionChain"]["result"][0] for body in server.bodies["ZQXA"].dated.values()]
        assert [answer["made"] for answer in answers] == [True]


@pytest.mark.recordings
def test_recorded_first_answers_run_through_the_library(shared_data: Path, tmp_path: Path) -> None:
    with YahooServer(read_bodies(shared_data / "yahoo")) as server:
        provider = YahooProvider(tmp_path / "cache", None, server.url, QUICK)
        for ticker, count in (("AAPL", 102), ("QQQ", 180), ("EPAC", 1)):
            nearest = provider.expirations(ticker)[0]
            chain = provider.chain(ticker, nearest)
            assert len(chain.contracts) == count
            assert chain == parse_options(server.bodies[ticker].first, chain.stamp)[2][nearest]
        assert provider.calls_used() == len(server.requests) == 5
        with pytest.raises(NoOptions):
            provider.expirations("ADH")
