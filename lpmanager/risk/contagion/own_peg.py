"""How a token stands to its peg by the pool of a snapshot."""

from __future__ import annotations

import math

from lpmanager.model import Snapshot
from lpmanager.risk.contagion.depeg import Peg, PegState, Reading, peg_state
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import block_time_up, log_price


def own_peg(snapshot: Snapshot, peg: Peg) -> PegState | Missing | None:
    """By the price over the snapshot's flow; None where the pool is not of the peg's two tokens.

    Missing where the flow does not reach back as far as the peg asks, or shows no price.
    """
    symbols = (snapshot.pool.token0.symbol, snapshot.pool.token1.symbol)
    if peg.token == peg.against or {peg.token, peg.against} != set(symbols):
        return None
    now = snapshot.block.timestamp
    roots = _roots(snapshot, now - peg.for_s)
    if isinstance(roots, Missing):
        return roots
    if min(roots.values()) <= 0:
        return Missing(f"the peg of {peg.token} needs prices above 0, and the pool shows one of 0")
    inverted = symbols[0] != peg.token
    readings = [
        Reading(time=time, price=_whole_price(snapshot, root, inverted=inverted))
        for time, root in roots.items()
    ]
    return peg_state(readings, peg, now)


def _roots(snapshot: Snapshot, since: int) -> dict[int, int] | Missing:
    """The sqrtPriceX96 after each second with swaps, the newest first, as far back as is needed to
    know the one at `since`. A pool in which nobody traded kept its price all the while."""
    flow, now = snapshot.flow, snapshot.block.timestamp
    if flow is None:
        return Missing("a peg needs recent swaps, and none were read")
    roots: dict[int, int] = {now: snapshot.state.sqrt_price_x96}
    if not flow.swaps:
        return {**roots, now - flow.seconds: snapshot.state.sqrt_price_x96}
    for swap in reversed(flow.swaps):
        time = block_time_up(flow, snapshot, swap.block_number)
        roots.setdefault(time, swap.sqrt_price_x96)
        if time <= since:
            break
    return roots


def _whole_price(snapshot: Snapshot, sqrt_price_x96: int, *, inverted: bool) -> float:
    """Whole token1 for one whole token0, or the other way round where it is `inverted`."""
    pool = snapshot.pool
    logged = log_price(sqrt_price_x96)
    logged += (pool.token0.decimals - pool.token1.decimals) * math.log(10)
    return math.exp(-logged if inverted else logged)
