"""A market's way through a pool: the compiled engine goes it as the Python engine does."""

from __future__ import annotations

import random

import numpy as np
import pytest

from lpmanager.amm import Pool, PoolRevert, sqrt_price_at_tick
from lpmanager.amm.fast import follow_one_by_one
from lpmanager.amm.fast.follow import follow
from lpmanager.amm.fast.legs import SELL0, SELL1, TO, Followed, Legs
from lpmanager.amm.fast.packing import from_limbs, to_limbs
from lpmanager.model import MAX_TICK, MIN_TICK

Leg = tuple[int, int, int, int, int]


def a_pool() -> Pool:
    dice = random.Random(3)
    pool = Pool(3_000, 60)
    pool.initialize(sqrt_price_at_tick(7))
    pool.mint("lp", -887_220, 887_220, 10**20)
    for _ in range(20):
        centre, width = dice.randrange(-20, 20), dice.randrange(1, 10)
        liquidity = dice.randrange(10**18, 10**20)
        pool.mint("lp", 60 * (centre - width), 60 * (centre + width), liquidity)
    return pool


def legs_of(*legs: Leg) -> Legs:
    """Each with its kind, row, amount, price and what others' liquidity gains."""
    kinds, rows, amounts, prices, gained = zip(*legs, strict=True)
    return Legs(
        np.array(kinds, np.int8),
        np.array(rows, np.int64),
        to_limbs(amounts, 2),
        to_limbs(prices, 3),
        to_limbs(gained, 2, signed=True),
    )


def some_legs(seed: int, rows: int = 40) -> Legs:
    """Sales that may end before their price, or lie behind it, and then to the price."""
    dice, legs = random.Random(seed), []
    for row in range(rows):
        price = sqrt_price_at_tick(dice.randrange(-900, 900)) + dice.randrange(10**20)
        sale = dice.choice((SELL0, SELL1))
        gained = dice.randrange(-(10**15), 10**16)
        legs += [(sale, row, dice.randrange(10**21), price, gained), (TO, row, 0, price, 0)]
    return legs_of(*legs)


def rows_of(done: Followed) -> list[list[int]]:
    return [
        from_limbs(done.amounts0, signed=True),
        from_limbs(done.amounts1, signed=True),
        from_limbs(done.prices),
        from_limbs(done.liquidities),
        done.ticks.tolist(),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_both_engines_go_the_same_way(seed: int) -> None:
    legs, compiled, plain = some_legs(seed), a_pool(), a_pool()
    done = follow(compiled, legs, -700, 700)
    twin = follow_one_by_one.follow_all(plain, legs, -700, 700)
    assert done.legs == twin.legs
    assert rows_of(done) == rows_of(twin)
    assert compiled.state() == plain.state()
    assert dict(compiled.ticks) == dict(plain.ticks)


def test_the_compiled_engine_goes_it_without_the_help_of_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would come to the same, some thirty times as slow."""
    monkeypatch.delattr(follow_one_by_one, "follow_all")
    assert follow(a_pool(), some_legs(0), -700, 700).legs > 0


def test_it_ends_with_the_row_that_leaves_the_ticks_asked_for() -> None:
    beyond, back = sqrt_price_at_tick(130), sqrt_price_at_tick(10)
    legs = legs_of(
        (TO, 0, 0, back, 0),
        (TO, 1, 0, beyond, 0),
        (TO, 1, 0, back, 0),
        (TO, 2, 0, beyond, 0),
        (TO, 3, 0, back, 0),
    )
    pool = a_pool()
    assert follow(pool, legs, 0, 130).legs == 4
    assert pool.tick == 130


def test_a_sale_stops_at_its_price_and_one_behind_it_sells_nothing() -> None:
    here, above = sqrt_price_at_tick(7), sqrt_price_at_tick(8)
    done = follow(a_pool(), legs_of((SELL0, 0, 10**18, above, 0), (SELL1, 0, 10**30, above, 0)))
    assert from_limbs(done.prices) == [here, above]
    assert from_limbs(done.amounts0, signed=True)[0] == 0
    assert 0 < from_limbs(done.amounts1, signed=True)[1] < 10**30


def test_others_liquidity_comes_and_goes_before_a_leg() -> None:
    pool = a_pool()
    before = pool.liquidity
    follow(
        pool,
        legs_of((TO, 0, 0, sqrt_price_at_tick(8), -(10**18)), (TO, 1, 0, sqrt_price_at_tick(9), 5)),
    )
    assert pool.liquidity == before - 10**18 + 5


def test_liquidity_that_nobody_has_names_the_row_and_changes_nothing() -> None:
    pool = a_pool()
    untouched = pool.state()
    with pytest.raises(ValueError, match=r"row 5 of the market: active liquidity .* cannot change"):
        follow(
            pool,
            legs_of(
                (TO, 4, 0, sqrt_price_at_tick(9), 0), (TO, 5, 0, sqrt_price_at_tick(8), -(10**30))
            ),
        )
    assert pool.state() == untouched


def test_a_price_that_no_pool_can_have_names_the_row() -> None:
    with pytest.raises(PoolRevert, match="row 2 of the market"):
        follow(a_pool(), legs_of((TO, 2, 0, 1, 0)), MIN_TICK, MAX_TICK)
