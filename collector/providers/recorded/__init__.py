"""Recordings as a provider: a folder of Yahoo's bodies and yfinance's frames, read without a network."""

from collector.providers.recorded.provider import RecordedProvider

__all__ = ["RecordedProvider"]
