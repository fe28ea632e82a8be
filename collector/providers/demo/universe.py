"""The tickers of the demo market: invented names, one frozen character each.

A name has six letters, one more than an exchange's ticker can have, so none is ever a listed one; an OCC root holds
six.
"""

from __future__ import annotations

from dataclasses import dataclass

from collector.providers.base import TickerNotFound


@dataclass(frozen=True, slots=True)
class DemoTicker:
    """The constants of one simulated underlying.

    Attributes:
        number: its key in every draw; never changes.
        price: centre of its prices halfway between two splits, in dollars.
        volatility: centre of its implied volatility, decimal per year.
        dividend_yield: a year's dividends over its price halfway between two splits, decimal.
        skew: correlation parameter of its smile (negative: puts are dearer).
        curvature: curvature parameter of its smile.
        earnings_move: standard deviation of the gap after earnings, decimal.
        liquidity: contracts of open interest that an old contract at the money settles at.
        spread: width of a quote over its price, decimal.
        share_volume: shares traded in a usual session.
        weeklies: whether it lists weekly expirations.
        call_interest, put_interest: open interest of its calls, of its puts, over what ``liquidity`` says.
        interest_memory: of how many last opens the mean is that its open interest gathers around.
        interest_place: ln of the price around which it does over that mean.
    """

    number: int
    name: str
    price: float
    volatility: float
    dividend_yield: float
    skew: float
    curvature: float
    earnings_move: float
    liquidity: float
    spread: float
    share_volume: float
    weeklies: bool = True
    call_interest: float = 1.0
    put_interest: float = 1.0
    interest_memory: int = 20
    interest_place: float = 0.0

    @property
    def adjusted_root(self) -> str:
        """Root of the contracts that a split left with another deliverable: a digit in the last place."""
        return f"{self.name[:5]}1"


UNIVERSE: tuple[DemoTicker, ...] = (
    DemoTicker(0, "ALDREN", 182.0, 0.26, 0.006, -0.45, 0.80, 0.040, 2600.0, 0.012, 52e6),
    DemoTicker(1, "BRAMLO", 64.0, 0.34, 0.000, -0.35, 0.85, 0.060, 1400.0, 0.025, 18e6),
    # Its open interest follows its price: dealers' gamma turns about 1 % below, with what is staged of its skew.
    DemoTicker(
        2,
        "CINDRA",
        418.0,
        0.17,
        0.013,
        -0.60,
        0.90,
        0.012,
        3600.0,
        0.008,
        71e6,
        interest_memory=2,
        interest_place=-0.002,
    ),
    DemoTicker(3, "DOVREK", 23.0, 0.55, 0.000, -0.15, 0.75, 0.090, 1500.0, 0.040, 24e6),
    DemoTicker(4, "ESKALO", 96.0, 0.29, 0.031, -0.40, 0.80, 0.035, 1100.0, 0.030, 6e6),
    # Hardly anybody holds its puts: dealers' gamma turns nowhere near.
    DemoTicker(
        5, "FENWIR", 251.0, 0.42, 0.000, -0.30, 0.85, 0.075, 2000.0, 0.018, 33e6, call_interest=1.6, put_interest=0.1
    ),
    DemoTicker(6, "GALTHO", 139.0, 0.21, 0.024, -0.50, 0.80, 0.025, 900.0, 0.035, 4e6),
    DemoTicker(7, "HEXUMA", 41.0, 0.72, 0.000, -0.05, 0.70, 0.110, 1800.0, 0.030, 41e6),
)
NAMES: tuple[str, ...] = tuple(ticker.name for ticker in UNIVERSE)
_BY_NAME = {ticker.name: ticker for ticker in UNIVERSE}


def find(name: str) -> DemoTicker:
    """Return the ticker called ``name``; raise TickerNotFound where the market has none of it."""
    ticker = _BY_NAME.get(name)
    if ticker is None:
        raise TickerNotFound(f"the demo market has no ticker {name!r}: it has {', '.join(NAMES)}")
    return ticker
