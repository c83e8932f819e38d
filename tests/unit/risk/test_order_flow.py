"""VPIN, just-in-time liquidity and our share of the pool."""

from __future__ import annotations

import csv
import gzip
import math
from dataclasses import replace
from itertools import groupby

import pytest
from builders import a_position
from hypothesis import given, settings
from hypothesis import strategies as st
from market_builders import MAINNET_EVENTS, needs_data
from order_flow_builders import BIG, a_flow, a_swap

from lpmanager.model import Flow, Liquidity, SqrtPriceX96, SwapEvent
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.just_in_time import MINIMUM_BLOCKS, just_in_time
from lpmanager.risk.order_flow.pool_share import pool_share
from lpmanager.risk.order_flow.vpin import imbalance_of, signed_volumes, volume_buckets, vpin

# ---- VPIN ----


def test_the_reference_buckets() -> None:
    assert imbalance_of([(8, 2), (5, 5), (3, 7)]) == pytest.approx(1 / 3)


def test_flow_to_one_side_is_1_and_equal_flow_is_0() -> None:
    assert vpin([1.0] * 100, 2.0, 50) == 1
    assert vpin([1.0, -1.0] * 50, 2.0, 50) == 0


def test_a_large_swap_fills_several_buckets_and_the_rest_waits() -> None:
    assert volume_buckets([25.0, -7.0], 10.0) == ((10, 0), (10, 0), (5, 5))


@settings(max_examples=40)
@given(st.lists(st.integers(-50, 50), max_size=30), st.integers(1, 20))
def test_every_bucket_is_full_and_no_volume_is_lost(volumes: list[int], size: int) -> None:
    full = volume_buckets(map(float, volumes), float(size))
    assert all(bought + sold == size for bought, sold in full)
    assert len(full) == sum(map(abs, volumes)) // size


def test_only_the_newest_buckets_count() -> None:
    assert vpin([1.0] * 10 + [0.5, -0.5] * 10, 1.0, 10) == 0


def test_the_sign_is_of_token0_also_where_a_record_tells_one_amount() -> None:
    swaps = [a_swap(1), a_swap(2, bought=-BIG)]
    one_sided = [swaps[0]._replace(amount0=0), swaps[1]._replace(amount1=0)]
    for flow in (swaps, one_sided):
        bought, sold = signed_volumes(a_flow(flow, last_block=2))
        assert bought == pytest.approx(BIG, rel=1e-3)
        assert sold == pytest.approx(-BIG, rel=1e-3)


def test_a_swap_of_dust_is_next_to_no_volume() -> None:
    swaps = [a_swap(n, bought=(-1) ** n * BIG) for n in range(1, 101)]
    dust = [a_swap(100)._replace(amount0=1, amount1=0), a_swap(100)._replace(amount0=0, amount1=1)]
    plain, dusty = (signed_volumes(a_flow(f, last_block=100)) for f in (swaps, swaps + dust))
    assert vpin(dusty, BIG / 2) == vpin(plain, BIG / 2)


def test_vpin_of_too_little_is_missing_and_of_nonsense_refused() -> None:
    few = vpin([1.0] * 7, 1.0)
    assert few == Missing("VPIN needs 50 buckets of volume, found 7 full ones")
    assert isinstance(imbalance_of([]), Missing)
    with pytest.raises(ValueError, match="bucket_volume"):
        vpin([1.0], 0.0)
    with pytest.raises(ValueError, match="volume"):
        vpin([math.nan], 1.0)
    with pytest.raises(ValueError, match="at least 1 bucket"):
        vpin([1.0], 1.0, 0)


# ---- just-in-time liquidity ----


def test_volume_that_met_far_more_liquidity_than_its_neighbours_came_just_in_time() -> None:
    swaps = [a_swap(block) for block in range(1, 21)]
    swaps[9] = a_swap(10, bought=21 * BIG, liquidity=10**16)
    found = just_in_time(a_flow(swaps, last_block=20))
    assert not isinstance(found, Missing)
    assert found.share == pytest.approx(21 / 40)
    assert found.swaps == 1


def test_liquidity_that_stays_is_not_just_in_time() -> None:
    swaps = [a_swap(b, liquidity=10**15 if b < 10 else 10**16) for b in range(1, 30)]
    swaps[9] = a_swap(10, liquidity=10**15)
    found = just_in_time(a_flow(swaps, last_block=30))
    assert not isinstance(found, Missing)
    assert found.swaps == 0


def test_swaps_of_the_same_block_do_not_say_what_is_usual() -> None:
    """A block with ten swaps in just-in-time liquidity, and plain ones around it."""
    swaps = [a_swap(b) for b in range(1, 9)]
    swaps[4:4] = [a_swap(5, liquidity=10**16) for _ in range(10)]
    found = just_in_time(a_flow(swaps, last_block=10))
    assert not isinstance(found, Missing)
    assert found.swaps == 10


def test_too_few_blocks_to_compare_are_missing() -> None:
    few = just_in_time(a_flow([a_swap(1)] * 100, last_block=1))
    assert few == Missing(
        f"just-in-time liquidity needs {MINIMUM_BLOCKS} blocks with swaps, found 1"
    )
    with pytest.raises(ValueError, match="above 1"):
        just_in_time(a_flow([], last_block=1), times_usual=1.0)


def mainnet_day() -> tuple[list[SwapEvent], list[bool]]:
    """The swaps of the recorded day, and whether each was inside a mint that the same block
    burned."""
    with gzip.open(MAINNET_EVENTS, "rt") as file:
        rows = list(csv.DictReader(file))
    swaps, just_then = [], []
    for block, together in groupby(rows, key=lambda row: int(row["block_number"])):
        events = list(together)
        burned = {_position(row) for row in events if row["tx_type"] == "BURN"}
        standing: set[tuple[str, ...]] = set()
        for row in events:
            if row["tx_type"] == "MINT" and _position(row) in burned:
                standing.add(_position(row))
            elif row["tx_type"] == "BURN":
                standing.discard(_position(row))
            elif row["tx_type"] == "SWAP":
                swaps.append(_recorded(block, row))
                just_then.append(bool(standing))
    return swaps, just_then


def _position(row: dict[str, str]) -> tuple[str, ...]:
    return row["tick_lower"], row["tick_upper"], row["liquidity"]


def _recorded(block: int, row: dict[str, str]) -> SwapEvent:
    like = a_swap(block, liquidity=int(row["total_liquidity"]), sender=row["sender"])
    return like._replace(
        amount0=int(row["amount0"]),
        amount1=int(row["amount1"]),
        sqrt_price_x96=SqrtPriceX96(int(row["sqrtPriceX96"])),
    )


@pytest.mark.realdata
@needs_data
def test_swaps_alone_tell_the_just_in_time_liquidity_of_a_mainnet_day() -> None:
    """28 of the 29 swaps that mints and burns give away; 8 more met liquidity that stayed for a
    block or two."""
    swaps, just_then = mainnet_day()
    flow = Flow(from_block=swaps[0].block_number, seconds=86_400, swaps=tuple(swaps))
    assert sum(just_then) == 29
    found = just_in_time(flow)
    assert not isinstance(found, Missing)
    assert found.swaps == 36
    without = [swap for swap, was in zip(swaps, just_then, strict=True) if not was]
    left = just_in_time(replace(flow, swaps=tuple(without)))
    assert not isinstance(left, Missing)
    assert left.swaps == 36 - 28


# ---- our share ----


def test_only_what_is_active_is_a_share_of_the_active_liquidity() -> None:
    ours = [a_position("[-600, 600)", liquidity=25), a_position("[600, 900)", liquidity=50)]
    assert pool_share(ours, 0, Liquidity(100)) == 0.25
    assert pool_share(ours, 600, Liquidity(100)) == 0.5
    assert pool_share(ours, 900, Liquidity(100)) == 0


def test_a_pool_without_liquidity_has_no_shares() -> None:
    assert isinstance(pool_share([], 0, Liquidity(0)), Missing)
    with pytest.raises(ValueError, match="more than the pool's"):
        pool_share([a_position(liquidity=2)], 0, Liquidity(1))
