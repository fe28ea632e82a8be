"""The demo market: a simulated provider of invented tickers, with its true values beside it (truth.py)."""

from collector.providers.demo.provider import DemoProvider

__all__ = ["DemoProvider"]
