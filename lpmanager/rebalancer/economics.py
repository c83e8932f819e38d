"""Is a change worth its cost: expected fees against gas and the swap."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from lpmanager.model import Action, Amount, Liquidity, Snapshot, TickRange
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook, expected_seconds_in_range

Placed = tuple[TickRange, Liquidity]

#: Gas of each action with the approvals around it, rounded up from what the contracts use.
GAS_UNITS = {"withdraw": 320_000, "collect": 160_000, "swap": 320_000, "mint": 660_000}


def gas_units_up(actions: Iterable[Action]) -> int:
    """Gas the actions need, rounded up."""
    return sum(GAS_UNITS[action.kind] for action in actions)


def gas_cost(snapshot: Snapshot, wei: int) -> Fraction:
    """Wei in raw quote units. Needs a price of the native coin, which a market gate demands."""
    if snapshot.native_price is None:
        raise ValueError("no price of the native coin: the gate 'price of gas' was not asked")
    return snapshot.native_price.value_of(Amount(snapshot.wallet.native.token, wei))


def expected_fees(
    view: View, outlook: Outlook, placed: Iterable[Placed], others: Liquidity, horizon_s: int
) -> Fraction:
    """Fees that liquidity in these ranges should earn over the horizon, in raw quote units.

    `others` is the active liquidity that is not ours: what we add dilutes every unit's share.
    An estimate: today's fee rate, for as long as the price is expected to stay in each range.
    """
    snapshot = view.snapshot
    price, pool, tick = snapshot.price, snapshot.pool, snapshot.state.tick
    placed = tuple(placed)
    ours = sum(liquidity for tick_range, liquidity in placed if tick in tick_range)
    if others + ours == 0:
        return Fraction(0)
    rate = outlook.fee_rate0 * float(price.value_of(Amount(pool.token0, 1))) + (
        outlook.fee_rate1 * float(price.value_of(Amount(pool.token1, 1)))
    )
    # The rate is per unit of the liquidity that was active; the same flow over more liquidity
    # pays each unit less.
    diluted = rate * snapshot.state.liquidity / (others + ours)
    seconds = (
        liquidity * expected_seconds_in_range(tick, tick_range, outlook.variance_rate, horizon_s)
        for tick_range, liquidity in placed
    )
    return Fraction(diluted * sum(seconds))
