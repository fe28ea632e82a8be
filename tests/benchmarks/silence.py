"""Progress that nobody watches."""

from __future__ import annotations


class Silent:
    def begin(self, phase: str, total: int) -> None:
        pass

    def step(self, ticker: str) -> None:
        pass

    def done(self) -> None:
        pass
