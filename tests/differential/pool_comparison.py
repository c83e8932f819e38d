"""A pool of ours as the words that the contract tells of one, and what differs between two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from abi_words import unsigned
from amm_contracts import (
    OBSERVATION_WORDS,
    POOL_WORDS,
    POSITION_WORDS,
    TICK_WORDS,
    Look,
    PositionKey,
)

from lpmanager.amm import Pool

#: Of a longer ring of observations only the first slots and those around the newest are looked at.
_RING_COMPARED = 40

_NO_TICK = (0,) * len(TICK_WORDS)
_NO_POSITION = (0,) * len(POSITION_WORDS)
_NO_OBSERVATION = (0,) * len(OBSERVATION_WORDS)
#: What a slot holds that the ring has grown by and that waits for its first observation.
_RESERVED = (1, 0, 0, 0)


def everything(pool: Pool, ticks: set[int], positions: set[PositionKey]) -> Look:
    """All there is of a pool, and the ticks and positions where there should be nothing."""
    cardinality, newest = pool.observation_cardinality_next, pool.observation_index
    slots = set(range(min(cardinality, _RING_COMPARED)))
    slots |= {newest, max(newest - 1, 0), (newest + 1) % max(cardinality, 1)}
    return Look(sorted(ticks.union(pool.ticks)), sorted(positions.union(pool.positions)), [*slots])


def words(pool: Pool, balances: tuple[int, int], look: Look) -> list[int]:
    """What the contract should find, were it `pool`; unsigned."""
    return [word for row in _rows(pool, balances, look) for word in row]


def word_names(look: Look) -> list[str]:
    """What each of `words` is."""
    return [
        *POOL_WORDS,
        *(f"tick {tick} {name}" for tick in look.ticks for name in TICK_WORDS),
        *(f"position {key} {name}" for key in look.positions for name in POSITION_WORDS),
        *(f"observation {slot} {name}" for slot in look.observations for name in OBSERVATION_WORDS),
    ]


def different(one: Pool, other: Pool) -> str:
    """What differs between two pools of ours, value by value; "" where they are the same."""
    names = sorted(name for name in dir(Pool) if not name.startswith("_"))
    values = [(name, getattr(one, name), getattr(other, name)) for name in names]
    return "; ".join(
        f"{name}: {first}, not {second}"
        for name, first, second in values
        if not callable(first) and first != second
    )


def _rows(pool: Pool, balances: tuple[int, int], look: Look) -> Iterator[Sequence[int]]:
    yield (
        pool.sqrt_price_x96,
        unsigned(pool.tick),
        pool.observation_index,
        pool.observation_cardinality,
        pool.observation_cardinality_next,
        pool.fee_protocol,
        int(pool.sqrt_price_x96 != 0),
        pool.liquidity,
        pool.fee_growth_global0_x128,
        pool.fee_growth_global1_x128,
        pool.protocol_fees0,
        pool.protocol_fees1,
        *balances,
    )
    ticks, positions, observations = pool.ticks, pool.positions, pool.observations
    for tick in look.ticks:
        info = ticks.get(tick)
        yield (*map(unsigned, info), 1) if info else _NO_TICK
    for key in look.positions:
        yield positions.get(key, _NO_POSITION)
    for slot in look.observations:
        if slot < len(observations):
            yield (*map(unsigned, observations[slot]), 1)
        else:
            yield _RESERVED if slot < pool.observation_cardinality_next else _NO_OBSERVATION
