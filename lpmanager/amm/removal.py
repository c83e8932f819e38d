"""The pool as it would be without a position of ours."""

from __future__ import annotations

from dataclasses import replace

from lpmanager.model import Liquidity, PoolState, TickRange, TickState


def without_liquidity(state: PoolState, tick_range: TickRange, liquidity: int) -> PoolState:
    """The state after burning `liquidity` from a range; ticks left empty are gone.

    An edge outside `state.known` does not matter to what is known. Raises ValueError where the
    pool does not hold that much in the range.
    """
    ticks = {tick.tick: tick for tick in state.ticks}
    for edge, net in ((tick_range.lower, liquidity), (tick_range.upper, -liquidity)):
        if liquidity and (edge in ticks or edge in state.known):
            ticks[edge] = _lightened(ticks.get(edge), edge, liquidity, net)
    active = state.liquidity - (liquidity if state.tick in tick_range else 0)
    if active < 0:
        raise ValueError(f"cannot take {liquidity} in {tick_range} out of {state.liquidity}")
    return replace(
        state,
        liquidity=Liquidity(active),
        ticks=tuple(ticks[t] for t in sorted(ticks) if ticks[t].liquidity_gross),
    )


def _lightened(state: TickState | None, tick: int, gross: int, net: int) -> TickState:
    if state is None or state.liquidity_gross < gross:
        raise ValueError(f"tick {tick} does not carry the liquidity {gross} of our position")
    return TickState(
        tick=tick,
        liquidity_gross=state.liquidity_gross - gross,
        liquidity_net=state.liquidity_net - net,
    )
