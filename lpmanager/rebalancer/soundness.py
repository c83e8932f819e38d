"""How sound the pool is that is acted upon: what its mean price costs to move, how far back it is
kept, and whether the liquidity is in one place."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model import Amount, Snapshot
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import log_price
from lpmanager.risk.systems.concentration import concentration_of_prices
from lpmanager.risk.systems.liquidity_bands import LiquidityBand, bands_of
from lpmanager.risk.systems.oracle import Attack, cheapest_twap_attack, oracle_reach_s

#: How far from the price the liquidity is looked at, in its natural log.
REACH = 0.02
_PIPS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackCost:
    """What an attack on the mean price costs at least: in whole quote tokens, and over the
    campaign's value. It displaces the price by so many ticks for so many seconds."""

    quote: float
    times_value: float
    displaced_ticks: float
    held_s: float


def twap_attack_cost(view: View, limits: Limits) -> AttackCost | Missing:
    """What is lost on moving the pool's mean price by `max_twap_deviation_ticks`, in the cheaper
    direction, so that the gate "TWAP" would let a false price pass.

    The attacker holds a price for some of the window, or all of it, while others trade it back
    after each block. Missing where the liquidity is not known as far as the mean must move, or the
    time between blocks, or nothing is held.
    """
    snapshot, quote = view.snapshot, view.snapshot.quote
    bands = _liquidity(snapshot)
    if isinstance(bands, Missing):
        return bands
    value = float(view.inventory.value) / 10**quote.decimals
    if value <= 0:
        return Missing("the campaign holds nothing to weigh an attack against")
    block_s = seconds_per_block(snapshot)
    if isinstance(block_s, Missing):
        return block_s
    window_s, ways = limits.twap_window_s, []
    for ticks in (limits.max_twap_deviation_ticks, -limits.max_twap_deviation_ticks):
        attack = Attack(
            shift=1.0001**ticks - 1,
            window_s=window_s,
            # of the blocks in one second the oracle sees the last
            block_s=min(max(block_s, 1.0), window_s),
        )
        fee = snapshot.pool.fee_pips / _PIPS
        cost = cheapest_twap_attack(bands, log_price(snapshot.state.sqrt_price_x96), fee, attack)
        if isinstance(cost, Missing):
            return cost
        ways.append(cost)
    cheapest = min(ways, key=lambda cost: cost.loss)
    raw_token1 = float(snapshot.price.value_of(Amount(snapshot.pool.token1, 1)))
    lost = cheapest.loss * raw_token1 / 10**quote.decimals
    return AttackCost(
        quote=lost,
        times_value=lost / value,
        displaced_ticks=cheapest.displaced_ticks,
        held_s=cheapest.held_s,
    )


def concentration(snapshot: Snapshot) -> float | Missing:
    """Of the liquidity within `REACH` of the price, by steps of it (Herfindahl): a twentieth where
    it is even, 1 where all is in one step. Missing where not all of that is known."""
    bands = _liquidity(snapshot)
    if isinstance(bands, Missing):
        return bands
    return concentration_of_prices(bands, log_price(snapshot.state.sqrt_price_x96), REACH)


def _liquidity(snapshot: Snapshot) -> tuple[LiquidityBand, ...] | Missing:
    """The pool's liquidity by price, where it is known at other prices than that of now."""
    if snapshot.flat_liquidity:
        return Missing(
            "the record does not tell the liquidity at other prices; it needs the pool's ticks, as "
            "`lpm fetch` brings them from its creation on"
        )
    return bands_of(snapshot.state)


def oracle_reach(snapshot: Snapshot) -> float | Missing:
    """Seconds that the pool's oracle sees back once it is full, while swaps come as they did.

    What the pool writes at changes of liquidity alone is not known, so that it may be less. Missing
    where no chain tells the oracle's size, or no swap was read.
    """
    slots, flow = snapshot.oracle_slots, snapshot.flow
    if slots is None:
        return Missing("the size of the pool's oracle is read from a chain, and none was asked")
    blocks = 0 if flow is None else len({swap.block_number for swap in flow.swaps})
    if flow is None or not blocks:
        return Missing(
            "how often the pool's oracle is written needs recent swaps, and none were read"
        )
    return oracle_reach_s(slots, flow.seconds / blocks)


def seconds_per_block(snapshot: Snapshot) -> float | Missing:
    """Seconds from block to block, on average over the flow."""
    flow = snapshot.flow
    if flow is None or flow.seconds <= 0:
        return Missing("the time between blocks needs recent swaps, and none were read")
    return flow.seconds / (snapshot.block.number - flow.from_block + 1)
