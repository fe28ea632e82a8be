"""Where the documents and everything beside them live: one data folder, three markets.

    data/            yahoo, cboe: the live providers
    data/demo/       the demo market
    data/recorded/   recordings

Each market's folder holds options.duckdb, staging/, parquet/, exports/ and locks/; db.sqlite3, secret_key, cache/ and
logs/ are the data folder's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MARKET_OF_PROVIDER = {"yahoo": "live", "cboe": "live", "demo": "demo", "recorded": "recorded"}


@dataclass(frozen=True, slots=True)
class MarketFolder:
    """The folder of one market. ``provider`` is what the user chose; ``data_dir`` is OPTSITE_DATA_DIR."""

    data_dir: Path
    provider: str

    @property
    def market(self) -> str:
        """Return live, demo or recorded."""
        return MARKET_OF_PROVIDER[self.provider]

    @property
    def root(self) -> Path:
        """Return the market's own folder."""
        return self.data_dir if self.market == "live" else self.data_dir / self.market

    @property
    def store_path(self) -> Path:
        """Return the DuckDB file, which only collector/store opens."""
        return self.root / "options.duckdb"

    @property
    def staging_dir(self) -> Path:
        """Return where scans put their tickers before they are joined."""
        return self.root / "staging"

    @property
    def parquet_dir(self) -> Path:
        """Return the history that anyone may read while scans run."""
        return self.root / "parquet"

    @property
    def export_dir(self) -> Path:
        """Return the published documents."""
        return self.root / "exports"

    @property
    def lock_dir(self) -> Path:
        """Return where the kernel locks are."""
        return self.root / "locks"

    def create(self) -> None:
        """Create what is missing; the data folder is its owner's alone (0700)."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.root, self.staging_dir, self.parquet_dir, self.export_dir, self.lock_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
