"""The whole inventory of a campaign at one block."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from lpmanager.amm import principal_down, uncollected_fees
from lpmanager.inventory.capacity import Capacity, position_capacity
from lpmanager.inventory.exposure import Exposure, held_exposure, position_exposure
from lpmanager.inventory.holdings import Holdings, measure_holdings
from lpmanager.inventory.impermanent_loss import Loss, against_hodl, net_deposits
from lpmanager.inventory.valuation import base_weight, imbalance
from lpmanager.model import Amounts, CampaignRecord, Position, Price, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionInventory:
    """One position, measured. `loss` is of this range alone; None where the books hold no basis.

    `exposure` is of the principal, without the fees.
    """

    position: Position
    in_range: bool
    principal: Amounts
    uncollected: Amounts
    exposure: Exposure
    capacity: Capacity
    loss: Loss | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What a campaign holds against what.

    `value` is in raw quote units at `price`. `weight` is the base token's share of it and
    `imbalance` that share's distance from `target_weight`; both None where nothing is held.
    `loss` compares all that is held, but for the fees earned, with HODL of the dated deposits.
    Warning: what swaps cost deepens `loss`; the ledger's result tells the two apart.
    """

    price: Price
    holdings: Holdings
    value: Fraction
    target_weight: Fraction
    weight: Fraction | None
    imbalance: Fraction | None
    exposure: Exposure
    loss: Loss
    positions: tuple[PositionInventory, ...]


def measure(snapshot: Snapshot, record: CampaignRecord, target_weight: Fraction) -> Inventory:
    """Measure a campaign at the snapshot's block and price.

    Raises ValueError for a target outside [0, 1] where anything is held.
    """
    price, holdings = snapshot.price, measure_holdings(snapshot, record)
    weight = base_weight(price, holdings.total)
    positions = tuple(_measure_position(snapshot, record, p) for p in snapshot.positions)
    idle = holdings.wallet + holdings.uncollected
    exposure = held_exposure(idle.amount0 if price.base == snapshot.pool.token0 else idle.amount1)
    return Inventory(
        price=price,
        holdings=holdings,
        value=price.value(holdings.total),
        target_weight=target_weight,
        weight=weight,
        imbalance=None if weight is None else imbalance(weight, target_weight),
        exposure=sum((p.exposure for p in positions), start=exposure),
        loss=against_hodl(
            price,
            holdings.total - record.fees,
            net_deposits(snapshot.pool, record.deposits),
        ),
        positions=positions,
    )


def _measure_position(
    snapshot: Snapshot, record: CampaignRecord, position: Position
) -> PositionInventory:
    pool, sqrt_price = snapshot.pool, snapshot.state.sqrt_price_x96
    principal = pool.amounts(*principal_down(position, sqrt_price))
    basis = record.bases.get(position.token_id)
    return PositionInventory(
        position=position,
        in_range=snapshot.state.tick in position.range,
        principal=principal,
        uncollected=pool.amounts(*uncollected_fees(position)),
        exposure=position_exposure(pool, snapshot.quote, sqrt_price, position),
        capacity=position_capacity(pool, snapshot.quote, sqrt_price, position),
        loss=None if basis is None else against_hodl(snapshot.price, principal, basis.amounts),
    )
