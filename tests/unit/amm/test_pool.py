"""The pool in memory: what it refuses, what it reads from, what a copy shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from builders import a_market, a_position, a_state

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    Pool,
    PoolRevert,
    TickDataMissing,
    TickInfo,
    principal_down,
    sqrt_price_at_tick,
    uncollected_fees,
)
from lpmanager.model import MAX_TICK, MIN_TICK, SqrtPriceX96, TickRange, TickState

Q96, Q128 = 2**96, 2**128
WHOLE = -887220, 887220


def an_empty_pool(timestamp: int = 1_700_000_000) -> Pool:
    pool = Pool(3_000, 60, timestamp=timestamp)
    pool.initialize(Q96)
    return pool


def a_deep_pool() -> Pool:
    pool = an_empty_pool()
    pool.mint("lp", *WHOLE, 10**21)
    pool.mint("lp", -600, 600, 10**22)
    return pool


def everything(pool: Pool) -> tuple[object, ...]:
    """All that can be read of a pool."""
    names = [name for name in Pool.__slots__ if not name.startswith("_")]
    return (
        *(getattr(pool, name) for name in names),
        dict(pool.ticks),
        dict(pool.positions),
        tuple(pool.observations),
        pool.observation_index,
        pool.observation_cardinality,
        pool.observation_cardinality_next,
        pool.known,
    )


REVERTS: dict[str, list[Callable[[Pool], object]]] = {
    "AI": [lambda p: p.initialize(Q96)],
    "AS": [lambda p: p.swap(True, 0), lambda p: p.quote(False, 0)],
    "SPL": [
        lambda p: p.swap(True, 1, Q96),
        lambda p: p.swap(True, 1, Q96 + 1),
        lambda p: p.swap(True, 1, MIN_SQRT_PRICE),
        lambda p: p.swap(False, 1, Q96),
        lambda p: p.swap(False, 1, 0),
        lambda p: p.swap(False, 1, MAX_SQRT_PRICE),
    ],
    "TLU": [lambda p: p.mint("lp", 60, 60, 1), lambda p: p.burn("lp", 60, 0, 1)],
    "TLM": [lambda p: p.mint("lp", -887280, 0, 1)],
    "TUM": [lambda p: p.mint("lp", 0, 887280, 1)],
    "LO": [lambda p: p.mint("lp", -60, 60, p.max_liquidity_per_tick + 1)],
    "LS": [
        lambda p: p.burn("lp", -600, 600, 10**22 + 1),
        lambda p: p.burn("nobody", -600, 600, 1),
        lambda p: p.burn("lp", -120, 60, 1),
    ],
    "NP": [lambda p: p.burn("nobody", -600, 600, 0)],
    "F0": [lambda p: p.flash(10**6, 0, 2_999, 0)],
    "F1": [lambda p: p.flash(0, 10**6, 3_000, 2_999)],
    "OLD": [lambda p: p.observe([0, 1])],
    "": [
        lambda p: p.mint("lp", -60, 60, 0),
        lambda p: p.mint("lp", -61, 60, 1),
        lambda p: p.mint("lp", -60, 61, 1),
        lambda p: p.mint("lp", -60, 60, 2**127),
        lambda p: p.set_fee_protocol(3, 4),
        lambda p: p.set_fee_protocol(4, 11),
        lambda p: p.flash(0, 0, 2**255, 0),
        lambda p: p.snapshot_cumulatives_inside(-60, 60),
    ],
}


@pytest.mark.parametrize(
    ("code", "call"), [(code, call) for code, calls in REVERTS.items() for call in calls]
)
def test_what_the_contract_reverts_raises_its_code_and_changes_nothing(
    code: str, call: Callable[[Pool], object]
) -> None:
    pool = a_deep_pool()
    before = everything(pool)
    with pytest.raises(PoolRevert) as caught:
        call(pool)
    assert caught.value.code == code
    assert everything(pool) == before


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.swap(True, 1),
        lambda p: p.mint("lp", -60, 60, 1),
        lambda p: p.burn("lp", -60, 60, 1),
        lambda p: p.collect("lp", -60, 60, 1, 1),
        lambda p: p.flash(0, 0, 0, 0),
        lambda p: p.set_fee_protocol(4, 4),
        lambda p: p.collect_protocol(1, 1),
        lambda p: p.increase_observation_cardinality_next(2),
    ],
)
def test_a_pool_without_a_price_is_locked(call: Callable[[Pool], object]) -> None:
    with pytest.raises(PoolRevert, match="LOK") as caught:
        call(Pool(3_000, 60))
    assert caught.value.code == "LOK"


@pytest.mark.parametrize("price", [0, MIN_SQRT_PRICE - 1, MAX_SQRT_PRICE, 2**160 - 1])
def test_a_first_price_beyond_the_ticks_is_reverted(price: int) -> None:
    with pytest.raises(PoolRevert) as caught:
        Pool(3_000, 60).initialize(price)
    assert caught.value.code == "R"


def test_an_oracle_without_a_price_has_nothing_to_tell() -> None:
    with pytest.raises(PoolRevert) as caught:
        Pool(3_000, 60).observe([0])
    assert caught.value.code == "I"


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda p: p.swap(True, 2**255), "amount_specified"),
        (lambda p: p.swap(True, -(2**255) - 1), "amount_specified"),
        (lambda p: p.swap(True, 1, 2**160), "sqrt_price_limit_x96"),
        (lambda p: p.swap(True, 1, -1), "sqrt_price_limit_x96"),
        (lambda p: p.mint("lp", -(2**23) - 1, 0, 1), "tick_lower"),
        (lambda p: p.mint("lp", 0, 2**23, 1), "tick_upper"),
        (lambda p: p.mint("lp", -60, 60, 2**128), "liquidity"),
        (lambda p: p.burn("lp", -60, 60, -1), "liquidity"),
        (lambda p: p.collect("lp", -60, 60, 2**128, 0), "amount0_requested"),
        (lambda p: p.collect_protocol(0, -1), "amount1_requested"),
        (lambda p: p.set_fee_protocol(256, 0), "fee_protocol0"),
        (lambda p: p.observe([2**32]), "seconds_ago"),
        (lambda p: p.increase_observation_cardinality_next(2**16), "cardinality_next"),
        (lambda p: p.flash(2**256, 0, 0, 0), "amount0"),
        (lambda p: p.initialize(2**160), "sqrt_price_x96"),
        (lambda p: p.set_time(p.timestamp - 1), "timestamp"),
        (lambda p: Pool(1_000_000, 60), "fee_pips"),
        (lambda p: Pool(3_000, 0), "tick_spacing"),
    ],
)
def test_what_the_abi_could_not_take_names_the_value_and_its_bounds(
    call: Callable[[Pool], object], named: str
) -> None:
    pool = a_deep_pool()
    before = everything(pool)
    with pytest.raises(ValueError, match=rf"^{named} must be in \[-?\d+, \d+\], found -?\d+$"):
        call(pool)
    assert everything(pool) == before


def test_an_amount_that_is_no_integer_is_refused() -> None:
    with pytest.raises(TypeError):
        a_deep_pool().swap(True, 1e18)  # type: ignore[arg-type]


def test_a_quote_is_the_swap_without_doing_it() -> None:
    pool = a_deep_pool()
    before = everything(pool)
    quoted = pool.quote(True, 10**21)
    assert everything(pool) == before
    assert pool.swap(True, 10**21) == quoted
    assert everything(pool) != before


def test_the_steps_of_a_swap_add_up_to_it() -> None:
    result = a_deep_pool().swap(False, 10**21)
    assert [s.crossed for s in result.steps if s.crossed is not None] == [600]
    assert sum(s.amount_in + s.fee for s in result.steps) == result.amount1 == 10**21
    assert sum(s.amount_out for s in result.steps) == -result.amount0
    assert result.steps[-1].sqrt_price_x96 == result.sqrt_price_x96


def test_a_copy_goes_its_own_way_and_can_be_taken_over() -> None:
    pool = a_deep_pool()
    pool.increase_observation_cardinality_next(10)
    before = everything(pool)
    aside = pool.copy()
    aside.set_time(pool.timestamp + 12)
    aside.swap(True, 10**21)
    aside.mint("other", -120, 120, 10**18)
    assert everything(pool) == before
    pool.become(aside)
    assert everything(pool) == everything(aside)
    aside.swap(False, 10**20)
    assert everything(pool) != everything(aside)


def test_a_pool_does_not_become_one_of_other_terms() -> None:
    with pytest.raises(ValueError, match="500 pips and tickSpacing 10"):
        a_deep_pool().become(Pool(500, 10))


def test_what_can_be_read_cannot_be_written() -> None:
    pool = a_deep_pool()
    with pytest.raises(TypeError):
        pool.ticks[0] = TickInfo(1, 1, 0, 0, 0, 0, 0)  # type: ignore[index]
    with pytest.raises(TypeError):
        del pool.positions["lp", -600, 600]  # type: ignore[attr-defined]


def test_a_pool_from_its_own_state_swaps_alike() -> None:
    pool = a_deep_pool()
    pool.swap(True, 10**21)
    twin = Pool.from_state(pool.state(), 3_000, 60)
    assert twin.state() == pool.state()
    for zero_for_one, amount in [(True, 10**20), (False, 10**22), (False, -(10**19))]:
        assert twin.swap(zero_for_one, amount) == pool.swap(zero_for_one, amount)
        assert twin.state() == pool.state()


def test_fees_earned_after_a_state_was_read_are_those_of_the_whole_pool() -> None:
    pool = a_deep_pool()
    pool.swap(True, 10**20)
    pool.swap(False, 3 * 10**19)
    twin = Pool.from_state(pool.state(), 3_000, 60)
    earned = []
    for one in (pool, twin):
        one.mint("late", -1_200, 1_200, 10**20)
        one.swap(True, 10**22)
        one.swap(False, 10**22)
        one.burn("late", -1_200, 1_200, 0)
        earned.append(one.collect("late", -1_200, 1_200, Q128 - 1, Q128 - 1))
    assert earned[0] == earned[1]
    assert min(earned[0]) > 0


def test_a_position_of_a_snapshot_collects_what_it_would_on_chain() -> None:
    position = replace(
        a_position("[-600, 600)", liquidity=10**18, fees=(7, 11)),
        fee_growth_inside0_x128=Q128,
        fee_growth_inside0_last_x128=2**256 - Q128,
        fee_growth_inside1_x128=5 * Q128 // 3,
    )
    pool = Pool.from_snapshot(a_market(positions=(position,)))
    key = str(position.token_id), -600, 600
    principal = pool.burn(*key, position.liquidity)
    assert principal == principal_down(position, pool.sqrt_price_x96)
    fees = uncollected_fees(position)
    assert pool.collect(*key, Q128 - 1, Q128 - 1) == (
        principal[0] + fees[0],
        principal[1] + fees[1],
    )


def test_a_position_beyond_the_known_ticks_cannot_be_changed() -> None:
    position = a_position("[-600, 600)", liquidity=10**18)
    market = a_market(positions=(position,))
    known = TickRange(-300, 300)
    narrow = replace(market, state=replace(market.state, ticks=(), known=known))
    pool = Pool.from_snapshot(narrow)
    with pytest.raises(TickDataMissing, match="known only in"):
        pool.burn(str(position.token_id), -600, 600, 1)


def test_a_swap_that_leaves_the_known_ticks_raises_and_changes_nothing() -> None:
    whole = a_deep_pool().state()
    ticks = tuple(t for t in whole.ticks if abs(t.tick) <= 600)
    pool = Pool.from_state(replace(whole, ticks=ticks, known=TickRange(-660, 660)), 3_000, 60)
    before = everything(pool)
    for zero_for_one in (True, False):
        with pytest.raises(TickDataMissing):
            pool.swap(zero_for_one, 10**24)
        assert everything(pool) == before
        assert pool.quote(zero_for_one, 10**15) == a_deep_pool().quote(zero_for_one, 10**15)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tick": 1}, "belongs to tick 0, found 1"),
        ({"sqrt_price_x96": SqrtPriceX96(Q96 + 1), "tick": -1}, "belongs to tick 0, found -1"),
        ({"sqrt_price_x96": SqrtPriceX96(0)}, "is outside"),
        ({"ticks": (TickState(tick=61, liquidity_gross=1, liquidity_net=1),)}, "found 61"),
        ({"ticks": (TickState(tick=60, liquidity_gross=1, liquidity_net=1),) * 2}, "after 60"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Pool.from_state(replace(a_state(sqrt_price_at_tick(0)), **change), 3_000, 60)


def test_a_position_over_all_ticks_survives_its_state() -> None:
    pool = Pool(100, 1)
    pool.initialize(Q96)
    pool.mint("lp", MIN_TICK, MAX_TICK, 10**18)
    twin = Pool.from_state(pool.state(), 100, 1)
    assert twin.swap(False, 10**30) == pool.swap(False, 10**30)
    assert twin.ticks.keys() == {MIN_TICK, MAX_TICK}


def test_ticks_that_take_out_more_liquidity_than_there_is_revert() -> None:
    state = a_state(sqrt_price_at_tick(0))
    broken = TickState(tick=-60, liquidity_gross=10**30, liquidity_net=10**30)
    pool = Pool.from_state(replace(state, ticks=(broken,)), 3_000, 60)
    with pytest.raises(PoolRevert) as caught:
        pool.swap(True, 10**30)
    assert caught.value.code == "LS"


def test_a_price_on_a_ticks_edge_may_belong_to_the_tick_below() -> None:
    state = replace(a_state(sqrt_price_at_tick(60)), tick=59)
    assert Pool.from_state(state, 3_000, 60).tick == 59


def test_one_unit_of_each_protocol_fee_always_stays() -> None:
    pool = a_deep_pool()
    pool.set_fee_protocol(4, 5)
    pool.swap(True, 10**18)
    held = pool.protocol_fees0
    assert held == 3 * 10**15 // 4
    assert pool.collect_protocol(Q128 - 1, Q128 - 1) == (held - 1, 0)
    assert (pool.protocol_fees0, pool.protocol_fees1) == (1, 0)


def test_the_oracle_counts_ticks_times_seconds_across_blocks() -> None:
    pool = a_deep_pool()
    pool.increase_observation_cardinality_next(5)
    began = pool.timestamp
    ticks = []
    for block in range(1, 4):
        ticks.append(pool.tick)
        pool.set_time(began + 12 * block)
        pool.swap(block % 2 == 0, 10**20 * block)
    now, half, start = pool.observe([0, 18, 36])[0]
    assert start == 0
    assert now == 12 * sum(ticks)
    assert half == 12 * ticks[0] + 6 * ticks[1]


@pytest.mark.parametrize("spacing", [1, 10, 60, 200])
def test_all_ticks_together_fit_uint128(spacing: int) -> None:
    count = len([t for t in range(MIN_TICK, MAX_TICK + 1) if t % spacing == 0])
    most = Pool(3_000, spacing).max_liquidity_per_tick
    assert most * count < Q128 <= (most + 1) * count
