"""Hedging by a swap: sell what lies idle of the heavier token until the weights are as wanted."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.amm import Pool, principal_down, swap_to_weight
from lpmanager.hedge.band import traded_to
from lpmanager.inventory import Inventory
from lpmanager.inventory.valuation import imbalance
from lpmanager.model import Amount, Amounts, Gate, Snapshot, SqrtPriceX96
from lpmanager.risk.appetite import HedgeTo
from lpmanager.risk.limits import Limits


def balance_gate(inventory: Inventory, limits: Limits) -> Gate:
    """Within its band around the limits' target weight the imbalance is left alone."""
    weight = inventory.weight
    found = None if weight is None else imbalance(weight, limits.target_weight)
    return Gate(
        name="imbalance",
        passed=found is not None and abs(found) <= limits.hedge_band,
        measured="unknown" if found is None else f"{float(found):+z.3f}",
        limit=f"{float(limits.hedge_band):.3f} around {float(limits.target_weight):.1%}",
        reason="from that share of the base token; beyond the band, wallet tokens of the heavier "
        "side are sold, if there are any",
    )


def hedged_weight(inventory: Inventory, limits: Limits) -> Fraction:
    """The share of the base token that a hedge trades to: the limits' target weight, or the nearer
    edge of the band around it where the appetite says so."""
    weight, wanted = inventory.weight, limits.target_weight
    if limits.appetite.hedges_to is not HedgeTo.EDGE or weight is None:
        return wanted
    half_width = limits.hedge_band * max(wanted, 1 - wanted)  # of an imbalance that is the most
    return Fraction(traded_to(float(weight), float(wanted), float(half_width)))


def swap_into_balance(
    pool: Pool, snapshot: Snapshot, wallet: Amounts, inventory: Inventory, weight: Fraction
) -> Amount | None:
    """How much of which wallet token to sell until the base token's share is `weight`, rounded
    down; None where none of it is there.

    `pool` is the snapshot's, with our positions in it. The own price impact counts, and what the
    positions hold at the price after it. Raises TickDataMissing where that swap would leave the
    ticks that were read.
    """
    key, stuck = snapshot.pool, inventory.holdings.uncollected
    share0 = weight
    if snapshot.quote == key.token0:
        share0 = 1 - share0

    def kept_at(sqrt_price_x96: SqrtPriceX96) -> tuple[int, int]:
        parts = [stuck.raw, *(principal_down(p, sqrt_price_x96) for p in snapshot.positions)]
        return sum(a for a, _ in parts), sum(b for _, b in parts)

    size = swap_to_weight(pool, *wallet.raw, share0, kept_at)
    if size.amount_in == 0:
        return None
    return Amount(key.token0 if size.zero_for_one else key.token1, size.amount_in)
