"""A manager at work in a market on an embedded chain, in block time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lpmanager.cycle import Campaign, Cycle, run_cycle
from lpmanager.devnet.market import Market, MarketReport

_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What the market did, and every cycle of the manager in it."""

    market: MarketReport
    cycles: tuple[Cycle, ...]


def simulate(
    market: Market,
    campaign: Campaign,
    every_s: int,
    on_cycle: Callable[[Cycle], None],
    stop_asked: Callable[[], bool],
) -> Simulation:
    """Let the market run to its end, with a cycle of the manager every `every_s` of block time.

    A cycle falls due with the first block, then after each pause; it sees all blocks up to its
    time. Errors of the cycle go through.
    """
    cycles: list[Cycle] = []
    due = market.next_timestamp
    while due is not None and not stop_asked():
        market.advance_until(due)
        cycle = run_cycle(campaign)
        cycles.append(cycle)
        on_cycle(cycle)
        coming = market.next_timestamp
        due = None if coming is None else max(due + every_s, coming)
    return Simulation(market=market.report, cycles=tuple(cycles))


def go_on(
    market: Market, clock: Callable[[], int], stopped_within: Callable[[float], bool]
) -> None:
    """Mine each block of the market once the clock has come to its time, until told to stop.

    `stopped_within` waits up to so many seconds and says whether to stop.
    """
    while not stopped_within(_LOOK_EVERY_S):
        market.advance_until(clock())
