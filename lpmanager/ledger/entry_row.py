"""An entry of the books as it is read: from a database, or from the memory of a backtest."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model import Amounts, PoolKey, SqrtPriceX96


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """An entry as written; `raw` are its postings by account and token address."""

    kind: str
    block_number: int
    timestamp: int
    tx_hash: str | None
    sqrt_price_x96: SqrtPriceX96 | None
    decided_at: int | None
    raw: dict[tuple[str, str], int]

    def amounts(self, account: str, pool: PoolKey) -> Amounts:
        """What the entry posted to an account, of both the pool's tokens."""
        return pool.amounts(
            self.raw.get((account, pool.token0.address), 0),
            self.raw.get((account, pool.token1.address), 0),
        )
