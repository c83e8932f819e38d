"""What the pool's providers made of each swap some minutes later, at the pool's own price by then.

Five minutes are the usual horizon; the price there should be an outside one, and the pool's is
taken because it is what a snapshot knows. Arbitrage keeps the two within the fee of each other.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lpmanager.model import Amount, Snapshot, SwapEvent
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath, block_time_up, path_of
from lpmanager.risk.providers_fee import providers_shares

HORIZON_S = 300

_PIPS = 1_000_000


class Markout(NamedTuple):
    """One swap, or all of one sender, in raw token1 at the price after the horizon; time, block and
    transaction of a sender are those of his last swap.

    `volume` is what came in, `fee` the part of it that providers got as their fee, less what the
    protocol took, and `gain` what all of them together made of it, that fee included: below 0 the
    flow was toxic.
    """

    sender: str
    time: int
    block_number: int
    tx_hash: str
    volume: float
    fee: float
    gain: float


def markouts(snapshot: Snapshot, horizon_s: int = HORIZON_S) -> tuple[Markout, ...] | Missing:
    """A Markout for each swap whose horizon had passed by the snapshot's block, oldest first.

    A swap that nothing went out for is left out: dust, of which the pool's rounding leaves nothing.
    It cannot have cost anything, so without it the flow looks more toxic, never less. Missing where
    no swap is that old, and where none tells what went out (those of bars do not).
    """
    if horizon_s < 1:
        raise ValueError(f"the horizon must be at least 1 s, found {horizon_s}")
    flow, path = snapshot.flow, path_of(snapshot)
    if isinstance(path, Missing) or flow is None:
        return Missing("markouts need recent swaps, and there are none to be read")
    paid_out = [swap for swap in flow.swaps if min(swap.amount0, swap.amount1) < 0]
    if flow.swaps and not paid_out:
        return Missing(
            f"markouts need both amounts of swaps; each of these {len(flow.swaps)} tells only one, "
            "as bars do"
        )
    now = snapshot.block.timestamp
    found = []
    for swap in paid_out:
        if max(swap.amount0, swap.amount1) <= 0:
            return Missing(
                f"markouts need what came in for what went out; by this record a swap of block "
                f"{swap.block_number} paid nothing"
            )
        time = block_time_up(flow, snapshot, swap.block_number)
        if time + horizon_s <= now:
            later = _price_at(path, time + horizon_s)
            found.append(_markout(swap, time, later, snapshot))
    if not found:
        return Missing(
            f"markouts need swaps at least {horizon_s} s old, found none among {len(flow.swaps)} "
            f"of the last {flow.seconds} s"
        )
    return tuple(found)


def by_sender(found: Iterable[Markout]) -> tuple[Markout, ...]:
    """The sums for each sender, the one that cost the providers most first."""
    each: dict[str, list[Markout]] = {}
    for one in found:
        each.setdefault(one.sender, []).append(one)
    return tuple(sorted(map(_sum, each.values()), key=lambda markout: markout.gain))


def token1_in_quote(snapshot: Snapshot) -> float:
    """Whole quote tokens for one raw unit of token1, at the price of now."""
    one = snapshot.price.value_of(Amount(snapshot.pool.token1, 1))
    return float(one / 10**snapshot.quote.decimals)


def _sum(found: Sequence[Markout]) -> Markout:
    return found[-1]._replace(
        volume=sum(one.volume for one in found),
        fee=sum(one.fee for one in found),
        gain=sum(one.gain for one in found),
    )


def _price_at(path: PricePath, time: int) -> float:
    """Raw token1 for one raw token0 by then."""
    return math.exp(path.log_prices[bisect_right(path.times, time) - 1])


def _markout(swap: SwapEvent, time: int, later: float, snapshot: Snapshot) -> Markout:
    kept0, kept1 = providers_shares(snapshot.state.fee_protocol)
    volume, kept = (swap.amount0 * later, kept0) if swap.amount0 > 0 else (swap.amount1, kept1)
    paid = volume * snapshot.pool.fee_pips / _PIPS
    fee = paid * kept
    return Markout(
        sender=swap.sender,
        time=time,
        block_number=swap.block_number,
        tx_hash=swap.tx_hash,
        volume=float(volume),
        fee=fee,
        gain=swap.amount0 * later + swap.amount1 - (paid - fee),
    )
