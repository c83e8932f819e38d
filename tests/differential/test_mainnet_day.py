"""One recorded day of the mainnet USDC/WETH 0.05% pool: each swap comes out as it did there.

The pool's ticks before the day are not recorded, only its active liquidity. So what can be
repeated is a swap that follows an event with the same active liquidity and stays within one
spacing of ticks: no initialized tick lies on its way.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from lpmanager.amm import Pool, TickDataMissing
from lpmanager.backtest.markets.events import EventKind, MarketEvent, read_events
from lpmanager.model import PoolState, TickRange

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LPM_DATA", ROOT / "../shared/data"))
DAY = DATA / "ethereum-usdc-weth-0.05-events-2024-01-05.csv.gz"
FEE_PIPS, TICK_SPACING = 500, 10
ALL_THERE_IS = 2**255 - 1


class Came(NamedTuple):
    """How a swap came out: raw amounts as the pool sees them, and the price afterwards."""

    amount0: int
    amount1: int
    sqrt_price_x96: int


#: (pool, zero_for_one, amount specified, price limit) -> how it comes out; the pool is used up
Engine = Callable[[Pool, bool, int, int | None], Came]


def by_the_pool(pool: Pool, zero_for_one: bool, amount: int, limit: int | None) -> Came:
    return Came(*pool.swap(zero_for_one, amount, limit)[:3])


def by_the_compiled_engine(pool: Pool, zero_for_one: bool, amount: int, limit: int | None) -> Came:
    pytest.importorskip("numba", reason="the compiled engine needs numba")
    from lpmanager.amm.fast import swap_many

    done = swap_many(pool, [zero_for_one], [amount], [limit])
    return Came(done.amount0[0], done.amount1[0], done.sqrt_price_x96[0])


class Recorded(NamedTuple):
    """A swap, and the event before it."""

    before: MarketEvent
    swap: MarketEvent

    @property
    def zero_for_one(self) -> bool:
        return self.swap.amount0 > 0 or self.swap.amount1 < 0

    def came(self) -> Came:
        return Came(self.swap.amount0, self.swap.amount1, self.swap.sqrt_price_x96)

    def pool(self) -> Pool:
        """The pool before the swap, known between the two usable ticks around the price alone."""
        lower = self.before.tick // TICK_SPACING * TICK_SPACING
        state = PoolState(
            sqrt_price_x96=self.before.sqrt_price_x96,
            tick=self.before.tick,
            liquidity=self.before.active_liquidity,
            fee_growth_global0_x128=0,
            fee_growth_global1_x128=0,
            fee_protocol=0,
            ticks=(),
            known=TickRange(lower, lower + TICK_SPACING),
        )
        return Pool.from_state(state, FEE_PIPS, TICK_SPACING)


def repeatable(events: tuple[MarketEvent, ...]) -> Iterator[Recorded]:
    # A collect moves neither price nor active liquidity, and the file's rows of collects tell the
    # liquidity of before the burn in front of them.
    moves = (event for event in events if event.kind is not EventKind.COLLECT)
    for before, swap in pairwise(moves):
        same_liquidity = before.active_liquidity == swap.active_liquidity
        same_spacing = before.tick // TICK_SPACING == swap.tick // TICK_SPACING
        if swap.kind is EventKind.SWAP and same_liquidity and same_spacing:
            yield Recorded(before, swap)


def explanation(recorded: Recorded, engine: Engine) -> str:
    """What the trader must have asked for, given what came out: the first that fits."""
    came = recorded.came()
    paid, taken = sorted((came.amount0, came.amount1), reverse=True)
    asked = {
        "exact input": (paid, None),
        "exact output": (taken, None),
        "price limit": (ALL_THERE_IS, came.sqrt_price_x96),
    }
    for name, (amount, limit) in asked.items():
        if amount and came_out(recorded, engine, amount, limit) == came:
            return name
    return f"none: line {recorded.swap.line} of the file, {came}"


def came_out(recorded: Recorded, engine: Engine, amount: int, limit: int | None) -> Came | None:
    try:
        return engine(recorded.pool(), recorded.zero_for_one, amount, limit)
    except TickDataMissing:
        return None


@pytest.mark.realdata
@pytest.mark.skipif(not DAY.is_file(), reason="the folder of real market data is absent")
@pytest.mark.parametrize("engine", [by_the_pool, by_the_compiled_engine])
def test_every_swap_of_a_mainnet_day_comes_out_to_the_last_unit(engine: Engine) -> None:
    events = read_events(DAY)
    assert sum(event.kind is EventKind.SWAP for event in events) == 6_046
    found = Counter(explanation(recorded, engine) for recorded in repeatable(events))
    assert found == {"exact input": 4_686, "exact output": 575, "price limit": 103}
