"""What a campaign holds of each token, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lpmanager.amm import principal_down, uncollected_fees
from lpmanager.model import Amounts, CampaignRecord, PoolKey, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """All a campaign holds: in its wallet, as principal of positions, as fees not collected."""

    wallet: Amounts
    principal: Amounts
    uncollected: Amounts

    @property
    def total(self) -> Amounts:
        """Everything, per token."""
        return self.wallet + self.principal + self.uncollected


def measure_holdings(snapshot: Snapshot, record: CampaignRecord) -> Holdings:
    """Holdings at the snapshot's block, rounded down as burning and collecting would pay.

    The wallet is the campaign's own share of it from the books, not the whole account's.
    """
    pool, price = snapshot.pool, snapshot.state.sqrt_price_x96
    return Holdings(
        wallet=record.wallet,
        principal=_sum(pool, (principal_down(p, price) for p in snapshot.positions)),
        uncollected=_sum(pool, (uncollected_fees(p) for p in snapshot.positions)),
    )


def _sum(pool: PoolKey, raws: Iterable[tuple[int, int]]) -> Amounts:
    return sum((pool.amounts(*raw) for raw in raws), start=pool.amounts(0, 0))
