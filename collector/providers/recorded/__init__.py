"""Recordings as a provider: Yahoo's bodies, yfinance's frames and Cboe's tables, read without a network."""

from collector.providers.recorded.provider import RecordedProvider

__all__ = ["RecordedProvider"]
