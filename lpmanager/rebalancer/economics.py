"""Is a change worth its cost: expected fees against gas and the swap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from lpmanager.model import Action, Amount, Liquidity, Snapshot, TickRange, VaultState
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook, expected_seconds_in_range

Placed = tuple[TickRange, Liquidity]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasUnits:
    """Gas under one custody: of each kind of action, and of what comes before any of them."""

    base: int
    by_kind: Mapping[str, int]

    def of_up(self, kinds: Iterable[str]) -> int:
        """Gas that actions of these kinds need, rounded up."""
        return self.base + sum(self.by_kind[kind] for kind in kinds)


#: One after the other, each with the approvals around it. Rounded up from what the contracts use.
WALLET_GAS = GasUnits(
    base=0,
    by_kind={"withdraw": 320_000, "collect": 160_000, "swap": 320_000, "mint": 660_000},
)

#: All in one transaction. Rounded up from transactions of the vault on Uniswap's bytecode with
#: plain tokens, each run alone by forge: one more range closed 117,000, collected 85,000, opened
#: 264,000; a swap with nothing else 169,000, with four ranges kept 220,000; a whole rebalance of
#: one range 480,000.
VAULT_GAS = GasUnits(
    base=150_000,
    by_kind={"withdraw": 130_000, "collect": 100_000, "swap": 110_000, "mint": 300_000},
)


def gas_units(vault: VaultState | None) -> GasUnits:
    """Gas under the custody of a vault, or of the account itself."""
    return WALLET_GAS if vault is None else VAULT_GAS


def gas_wei_up(snapshot: Snapshot, actions: Iterable[Action]) -> int:
    """What the actions cost in wei now, by the custody they are carried out in. Rounded up."""
    units = gas_units(snapshot.vault).of_up(action.kind for action in actions)
    return units * snapshot.gas_price


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
    tick = view.snapshot.state.tick
    placed = tuple(placed)
    rate = fee_rate(view, outlook, others + active_of(placed, tick))
    seconds = (
        liquidity * expected_seconds_in_range(tick, tick_range, outlook.variance_rate, horizon_s)
        for tick_range, liquidity in placed
    )
    return Fraction(rate * sum(seconds))


def fee_rate(view: View, outlook: Outlook, active: int) -> float:
    """Raw quote units that a unit of liquidity should earn a second while so much is active.

    The Outlook's rate is per unit of what was active; the same flow over more pays each unit less.
    """
    if active == 0:
        return 0.0
    price, pool = view.snapshot.price, view.snapshot.pool
    rate = outlook.fee_rate0 * float(price.value_of(Amount(pool.token0, 1))) + (
        outlook.fee_rate1 * float(price.value_of(Amount(pool.token1, 1)))
    )
    return rate * view.snapshot.state.liquidity / active


def active_of(placed: Iterable[Placed], tick: int) -> int:
    """How much of the placed liquidity is active at a tick."""
    return sum(liquidity for tick_range, liquidity in placed if tick in tick_range)
