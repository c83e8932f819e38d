"""The pool and the swaps that every engine is measured with. Standard library only."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from decimal import Decimal, localcontext
from pathlib import Path
from typing import NamedTuple

SEED = 20240607
FEE_PIPS = 3_000
TICK_SPACING = 60
SQRT_PRICE_X96 = 2**96
#: The outermost ticks that a position at this spacing may have.
FULL_RANGE = 887_220
MIN_SQRT_PRICE = 4295128739
MAX_SQRT_PRICE = 1461446703485210103287273052203988822378723970342
#: `digest` of the rows that UniswapV3Pool's own bytecode ends with; `real_pool` finds it again.
TRUTH = "acc9f2fe36dc8c494726357be4fd229a1f6957df827c313f8b0ba8a3a25366bd"

_RANGES = 60
_SWAPS = 5_000
_EXACT_OUTPUT = 0.15
_SMALLEST, _LARGEST = 10**15, 2 * 10**20
# Chosen so that a swap takes 1.3 steps on average and 887 swaps end at another active liquidity.
_FULL_RANGE_LIQUIDITY = 5 * 10**21
_LEAST_LIQUIDITY, _MOST_LIQUIDITY = 10**19, 2 * 10**21
_FURTHEST_CENTRE, _WIDEST_HALF = 40, 10


class PlacedLiquidity(NamedTuple):
    """A position, its edges in ticks."""

    tick_lower: int
    tick_upper: int
    liquidity: int


class Order(NamedTuple):
    """One swap as a pool takes it: the amount is positive for exact input, negative for output."""

    zero_for_one: bool
    amount_specified: int

    @property
    def limit(self) -> int:
        """The furthest price limit a pool accepts in the swap's direction."""
        return MIN_SQRT_PRICE + 1 if self.zero_for_one else MAX_SQRT_PRICE - 1


class Workload(NamedTuple):
    """A 0.3% pool at price 1 with these positions, and the swaps it gets one after another."""

    positions: tuple[PlacedLiquidity, ...]
    orders: tuple[Order, ...]

    @property
    def liquidity(self) -> int:
        """The active liquidity at the start, at tick 0."""
        return sum(p.liquidity for p in self.positions if p.tick_lower <= 0 < p.tick_upper)

    def ticks(self) -> dict[int, tuple[int, int]]:
        """The initialized ticks in rising order, each with its gross and net liquidity."""
        found: dict[int, tuple[int, int]] = {}
        for lower, upper, liquidity in self.positions:
            for tick, change in ((lower, liquidity), (upper, -liquidity)):
                gross, net = found.get(tick, (0, 0))
                found[tick] = gross + liquidity, net + change
        return dict(sorted(found.items()))


class Row(NamedTuple):
    """Where one swap left the pool, and the raw amount that was not specified, as the pool sees it.

    The specified amount is left out because the swaps never come to their limit, so it is the
    same for every engine that gets the price right.
    """

    sqrt_price_x96: int
    tick: int
    liquidity: int
    calculated: int


def generate(seed: int = SEED) -> Workload:
    """The workload of a seed, the same on every machine."""
    rng = random.Random(seed)
    positions = [PlacedLiquidity(-FULL_RANGE, FULL_RANGE, _FULL_RANGE_LIQUIDITY)]
    positions += [_range(rng) for _ in range(_RANGES)]
    return Workload(tuple(positions), tuple(_orders(rng)))


def save(workload: Workload, path: Path) -> None:
    """Write the workload for engines in other processes and languages.

    Amounts and liquidity are text, since JSON's numbers are floats to some of them.
    """
    path.write_text(
        json.dumps(
            {
                "positions": [[p[0], p[1], str(p[2])] for p in workload.positions],
                "orders": [[o.zero_for_one, str(o.amount_specified)] for o in workload.orders],
                "ticks": [[t, *map(str, gross_net)] for t, gross_net in workload.ticks().items()],
                "liquidity": str(workload.liquidity),
            }
        )
    )


def load(path: Path) -> Workload:
    """What `save` wrote."""
    read = json.loads(path.read_text())
    return Workload(
        tuple(PlacedLiquidity(lower, upper, int(q)) for lower, upper, q in read["positions"]),
        tuple(Order(zero_for_one, int(amount)) for zero_for_one, amount in read["orders"]),
    )


def _range(rng: random.Random) -> PlacedLiquidity:
    centre = rng.randrange(-_FURTHEST_CENTRE, _FURTHEST_CENTRE + 1)
    half = rng.randrange(1, _WIDEST_HALF + 1)
    return PlacedLiquidity(
        (centre - half) * TICK_SPACING,
        (centre + half) * TICK_SPACING,
        rng.randrange(_LEAST_LIQUIDITY, _MOST_LIQUIDITY),
    )


def _orders(rng: random.Random) -> Iterable[Order]:
    # Decimal's exp is rounded correctly everywhere; a C library's is not.
    with localcontext(prec=28):
        lowest = Decimal(_SMALLEST).ln()
        span = Decimal(_LARGEST).ln() - lowest
        for _ in range(_SWAPS):
            size = int((lowest + span * Decimal(rng.random())).exp())
            zero_for_one = rng.random() < 0.5
            exact_output = rng.random() < _EXACT_OUTPUT
            yield Order(zero_for_one, -size if exact_output else size)
