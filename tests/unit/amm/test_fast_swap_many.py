"""Many swaps in one call of the compiled engine: what it gives, takes, refuses and keeps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numba.core.caching import CacheImpl

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE, Pool, PoolRevert, TickDataMissing
from lpmanager.amm.fast import Swaps, jit, kernel, one_by_one, swap_many
from lpmanager.amm.fast.orders import Orders
from lpmanager.model import TickRange

Q96 = 2**96
DOWN, UP = True, False


def a_pool(timestamp: int = 1_700_000_000) -> Pool:
    pool = Pool(3_000, 60, timestamp=timestamp)
    pool.initialize(Q96)
    pool.mint("lp", -887_220, 887_220, 10**21)
    pool.mint("lp", -60, 60, 10**22)
    pool.mint("lp", 15_300, 15_360, 10**22)
    return pool


def by_python(
    pool: Pool, orders: Sequence[tuple[bool, int, int | None]]
) -> list[tuple[int, int, int, int, int]]:
    return [pool.swap(*order)[:5] for order in orders]


def rows_of(swaps: Swaps) -> list[tuple[int, ...]]:
    columns = (
        swaps.amount0,
        swaps.amount1,
        swaps.sqrt_price_x96,
        swaps.liquidity,
        swaps.tick,
    )
    return list(zip(*columns, strict=True))


def everything(pool: Pool) -> list[object]:
    return [
        pool.sqrt_price_x96,
        pool.tick,
        pool.liquidity,
        pool.fee_growth_global0_x128,
        pool.fee_growth_global1_x128,
        pool.protocol_fees0,
        pool.protocol_fees1,
        dict(pool.ticks),
        dict(pool.positions),
        pool.observation_index,
        pool.observation_cardinality,
        pool.observations,
    ]


ORDERS = [
    (DOWN, 10**18, None),
    (DOWN, 10**20, None),
    (UP, -(10**19), None),
    (UP, 10**22, None),
    (DOWN, -1, None),
    (DOWN, 2**255 - 1, Q96 - 12345),
    (UP, 1, MAX_SQRT_PRICE - 1),
]


def test_many_swaps_leave_the_pool_as_one_after_another_would() -> None:
    pool, twin = a_pool(), a_pool()
    pool.set_time(pool.timestamp + 12)
    twin.set_time(pool.timestamp)
    pool.set_fee_protocol(4, 10)
    twin.set_fee_protocol(4, 10)
    assert rows_of(swap_many(pool, *map(list, zip(*ORDERS, strict=True)))) == by_python(
        twin, ORDERS
    )
    assert everything(pool) == everything(twin)


def test_swaps_without_limits_go_as_far_as_prices_go() -> None:
    pool = a_pool()
    swaps = swap_many(pool, [DOWN, UP], [2**255 - 1, 2**255 - 1])
    assert list(swaps.sqrt_price_x96) == [MIN_SQRT_PRICE + 1, MAX_SQRT_PRICE - 1]


def test_a_pool_without_liquidity_moves_to_the_limit_for_nothing() -> None:
    pool = Pool(100, 1)
    pool.initialize(Q96)
    swaps = swap_many(pool, [DOWN, UP], [10**18, -1], [Q96 // 2, None])
    assert rows_of(swaps) == [
        (0, 0, Q96 // 2, 0, -13_864),
        (0, 0, MAX_SQRT_PRICE - 1, 0, 887_271),
    ]


def test_no_swaps_are_no_change() -> None:
    pool = a_pool()
    swaps = swap_many(pool, [], [], [])
    assert len(swaps) == 0
    assert rows_of(swaps) == []
    assert everything(pool) == everything(a_pool())


def test_a_column_is_read_by_number_by_slice_and_as_a_whole() -> None:
    orders = [(DOWN, 10**18, None), (UP, -(10**15), None), (UP, 3, None)]
    amount0 = swap_many(a_pool(), *map(list, zip(*orders, strict=True))).amount0
    expected = [row[0] for row in by_python(a_pool(), orders)]
    assert expected[1] < 0 < expected[0]
    assert list(amount0) == expected
    assert [amount0[0], amount0[1], amount0[-1]] == [expected[0], expected[1], expected[2]]
    assert amount0[1:] == expected[1:]
    assert amount0 != expected[1:]
    assert amount0 != 0
    assert repr(amount0) == f"LimbColumn({expected})"
    with pytest.raises(IndexError):
        amount0[3]


def test_numpys_integers_and_truth_values_will_do() -> None:
    plain = swap_many(a_pool(), [DOWN, UP], [10**18, -(10**15)], [None, 2 * Q96])
    typed = swap_many(
        a_pool(),
        list(np.array([DOWN, UP])),
        list(np.array([10**18, -(10**15)])),
        [None, 2 * Q96],
    )
    assert rows_of(plain) == rows_of(typed)


def test_both_crossings_of_a_tick_in_one_block_count() -> None:
    pool, twin = a_pool(), a_pool()
    for one in (pool, twin):
        one.set_time(one.timestamp + 100)
    crossing = [(DOWN, 10**21, None), (UP, 10**21, None), (UP, 10**20, None), (DOWN, 10**21, None)]
    for orders in (crossing[:2], crossing[2:], crossing, crossing[:1]):
        swap_many(pool, [order[0] for order in orders], [order[1] for order in orders])
        by_python(twin, orders)
        assert everything(pool) == everything(twin)
        for one in (pool, twin):
            one.set_time(one.timestamp + 7)


SOUND = (DOWN, 10**18, None)


@pytest.mark.parametrize(
    ("refused", "code"),
    [((DOWN, 0, None), "AS"), ((DOWN, 1, 2 * Q96), "SPL"), ((UP, 1, MAX_SQRT_PRICE), "SPL")],
)
def test_a_swap_that_reverts_is_named_and_undoes_the_call(
    refused: tuple[bool, int, int | None], code: str
) -> None:
    pool = a_pool()
    with pytest.raises(PoolRevert, match=r"^swap \[2\] of 4: the pool reverts") as raised:
        swap_many(pool, *map(list, zip(SOUND, SOUND, refused, SOUND, strict=True)))
    assert raised.value.code == code
    assert everything(pool) == everything(a_pool())


def test_a_pool_without_a_price_reverts_as_on_chain() -> None:
    with pytest.raises(PoolRevert) as raised:
        swap_many(Pool(3_000, 60), [DOWN], [1])
    assert raised.value.code == "LOK"


@pytest.mark.parametrize(
    "refused", [(DOWN, 2**255, None), (UP, -(2**255) - 1, None), (DOWN, 1, -1), (UP, 1, 2**160)]
)
def test_a_swap_that_no_contract_could_be_asked_for_is_named(
    refused: tuple[bool, int, int | None],
) -> None:
    pool = a_pool()
    with pytest.raises(ValueError, match=r"^swap \[1\] of 2: .* must be in \["):
        swap_many(pool, *map(list, zip(SOUND, refused, strict=True)))
    assert everything(pool) == everything(a_pool())


def test_the_first_swap_that_is_refused_is_the_one_named() -> None:
    with pytest.raises(PoolRevert, match=r"^swap \[0\] of 2: "):
        swap_many(a_pool(), [DOWN, DOWN], [0, 2**255])


def test_what_is_no_number_is_no_amount() -> None:
    with pytest.raises(TypeError):
        swap_many(a_pool(), [DOWN], [1.5])  # type: ignore[list-item]


@pytest.mark.parametrize(("down", "needed"), [(DOWN, -660), (UP, 600)])
def test_ticks_that_are_not_known_are_not_guessed(down: bool, needed: int) -> None:
    state = a_pool().state()
    known = replace(state, known=TickRange(-600, 600), ticks=state.ticks[1:3])
    pool = Pool.from_state(known, 3_000, 60)
    twin = pool.copy()
    orders = [(DOWN, 10**19, None), (UP, 5 * 10**19, None), (DOWN, 7 * 10**19, None)]
    assert rows_of(swap_many(pool, *map(list, zip(*orders, strict=True)))) == by_python(
        twin, orders
    )
    before = everything(pool)
    with pytest.raises(TickDataMissing, match=rf"^swap \[1\] of 2: tick {needed} is needed"):
        swap_many(pool, [UP, down], [1, 10**20])
    assert everything(pool) == before


def test_liquidity_that_the_ticks_contradict_reverts() -> None:
    state = a_pool().state()
    pool = Pool.from_state(replace(state, liquidity=1), 3_000, 60)  # type: ignore[arg-type]
    with pytest.raises(PoolRevert) as raised:
        swap_many(pool, [DOWN], [10**22])
    assert raised.value.code == "LS"


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="amounts_specified must have a value for each of the 2"):
        swap_many(a_pool(), [DOWN, UP], [1])
    with pytest.raises(ValueError, match="sqrt_price_limits_x96 must have a value for each of the"):
        swap_many(a_pool(), [DOWN, UP], [1, 1], [None])


def test_the_python_engine_gives_the_same_columns() -> None:
    pool, twin = a_pool(), a_pool()
    orders = Orders(*map(list, zip(*ORDERS, strict=True)))
    assert one_by_one.swap_all(pool, orders) == swap_many(twin, *orders)
    assert everything(pool) == everything(twin)


def in_another_process(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.splitlines()


WITHOUT_NUMBA = """
import sys, warnings
sys.modules["numba"] = None
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from lpmanager.amm.fast import swap_many
    from lpmanager.amm import Pool
    pool = Pool(3000, 60)
    pool.initialize(2**96)
    pool.mint("lp", -600, 600, 10**18)
    swaps = swap_many(pool, [True, False], [10**12, -5])
for warning in caught:
    sys.stdout.write(f"{warning.category.__name__}: {warning.message}\\n")
sys.stdout.write(f"{list(swaps.amount0)} {pool.sqrt_price_x96} {'numpy' in sys.modules}\\n")
"""


def test_without_numba_there_is_one_warning_and_the_same_result() -> None:
    pool = Pool(3_000, 60)
    pool.initialize(Q96)
    pool.mint("lp", -600, 600, 10**18)
    amounts = [row[0] for row in by_python(pool, [(DOWN, 10**12, None), (UP, -5, None)])]
    warning, result = in_another_process(WITHOUT_NUMBA)
    assert warning.startswith("RuntimeWarning: numba cannot be had")
    assert "lpmanager[backtest]" in warning
    assert result == f"{amounts} {pool.sqrt_price_x96} False"


def test_the_pool_alone_needs_neither_numba_nor_numpy() -> None:
    script = "import sys, lpmanager.amm; sys.stdout.write(str({'numba', 'numpy'} & {*sys.modules}))"
    assert in_another_process(script) == ["set()"]


KEPT = """
import sys
from lpmanager.amm import Pool
from lpmanager.amm.fast import kernel, swap_many
pool = Pool(3000, 60)
pool.initialize(2**96)
swap_many(pool, [True], [1])
sys.stdout.write(str(sum(kernel.swap_all.stats.cache_hits.values())))
"""


def test_what_was_compiled_once_serves_the_next_process() -> None:
    swap_many(a_pool(), [DOWN], [1])
    assert in_another_process(KEPT) == ["1"]


def doubling(stamp: str) -> Callable[[int], int]:
    def double(value: int) -> int:
        _ = stamp
        return 2 * value

    return double


def test_a_change_in_any_file_of_the_engine_makes_it_compile_anew(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text("a = 1")
    (tmp_path / "limbs.py").write_text("b = 1")
    before = jit.stamp_of_sources(tmp_path)
    (tmp_path / "limbs.py").write_text("b = 2")
    assert jit.stamp_of_sources(tmp_path) != before
    (tmp_path / "limbs.py").write_text("b = 1")
    assert jit.stamp_of_sources(tmp_path) == before


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert jit.compiled_once(doubling)(21) == 42


def test_where_there_are_no_sources_it_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    assert jit.compiled_once(doubling)(21) == 42


def test_every_call_is_served_by_the_same_compiled_code() -> None:
    # Another kind of argument would have the loop compiled again, for seconds.
    empty = Pool(100, 1)
    empty.initialize(Q96)
    for pool in (a_pool(), Pool.from_state(a_pool().state(), 3_000, 60), empty):
        swap_many(pool, [], [])
        swap_many(pool, (DOWN, UP), np.array([1, 1]), (None, MAX_SQRT_PRICE - 1))  # type: ignore[arg-type]
    assert len(kernel.swap_all.signatures) == 1  # type: ignore[attr-defined]


def test_a_price_outside_of_the_known_ticks_moves_no_further_than_the_next() -> None:
    state = a_pool().state()
    pool = Pool.from_state(replace(state, known=TickRange(600, 20_000), ticks=()), 3_000, 60)
    twin = pool.copy()
    orders = [(UP, 10**18, None), (DOWN, 10**17, None)]
    swaps = swap_many(pool, *map(list, zip(*orders, strict=True)))
    assert rows_of(swaps) == by_python(twin, orders)
    for refused, tick in (((DOWN, 10**22, None), 0), ((UP, 10**22, None), 60)):
        with pytest.raises(TickDataMissing, match=rf"^swap \[0\] of 1: tick {tick} is needed"):
            swap_many(pool, *([value] for value in refused))  # type: ignore[arg-type]
