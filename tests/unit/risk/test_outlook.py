"""What recent swaps say, worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest
from builders import a_market, price_at

from lpmanager.model import Flow, Liquidity, Snapshot, SwapEvent
from lpmanager.risk import assess
from lpmanager.risk.outlook import MINIMUM_SAMPLES


def a_swap(
    block: int, *, tick: int = 0, amount0: int = 10**6, amount1: int = -(10**6), liquidity: int = 10
) -> SwapEvent:
    return SwapEvent(
        block_number=block,
        log_index=0,
        tx_hash="0x",
        sender="0x",
        amount0=amount0,
        amount1=amount1,
        sqrt_price_x96=price_at(tick),
        liquidity=Liquidity(liquidity),
        tick=tick,
    )


def after(swaps: Iterable[SwapEvent], *, seconds: int = 100, fee_protocol: int = 0) -> Snapshot:
    market = a_market()
    state = replace(market.state, fee_protocol=fee_protocol)
    flow = Flow(from_block=1, seconds=seconds, swaps=tuple(swaps))
    return replace(market, state=state, flow=flow)


ENOUGH = [a_swap(block) for block in range(MINIMUM_SAMPLES)]


def test_without_history_nothing_is_said() -> None:
    assert assess(a_market()) is None
    assert assess(after([])) is None
    assert assess(after(ENOUGH[1:])) is None
    assert assess(after(ENOUGH)) is not None


def test_many_swaps_of_one_block_are_one_sample() -> None:
    assert assess(after([a_swap(1)] * 50)) is None


def test_fees_are_per_unit_of_liquidity_and_second_in_the_token_that_came_in() -> None:
    sold1 = a_swap(20, amount0=-5, amount1=4 * 10**6, liquidity=20)
    outlook = assess(after([*ENOUGH, sold1]))
    assert outlook is not None
    # 10 swaps of 10**6 token0 at 500 pips over 10 liquidity and 100 s
    assert outlook.fee_rate0 == pytest.approx(10 * 500 / 10 / 100)
    assert outlook.fee_rate1 == pytest.approx(2000 / 20 / 100)
    assert (outlook.samples, outlook.seconds) == (11, 100)


def test_the_owners_share_of_the_fees_is_not_ours() -> None:
    both = [*ENOUGH, a_swap(20, amount0=-5, amount1=10**6)]
    free, shared = assess(after(both)), assess(after(both, fee_protocol=0xA4))
    assert free is not None
    assert shared is not None
    assert shared.fee_rate0 == pytest.approx(free.fee_rate0 * 3 / 4)
    assert shared.fee_rate1 == pytest.approx(free.fee_rate1 * 9 / 10)


def test_swaps_through_empty_ranges_pay_nobody() -> None:
    outlook = assess(after([*ENOUGH, a_swap(20, liquidity=0)]))
    assert outlook is not None
    assert outlook.fee_rate0 == pytest.approx(50 / 10)


def test_variance_is_the_sum_of_squared_log_returns_between_blocks() -> None:
    swaps = [a_swap(block, tick=100 * (block % 2)) for block in range(11)]
    bounce = a_swap(10, tick=5_000)
    outlook = assess(after([*swaps[:10], bounce, swaps[10]]))
    assert outlook is not None
    one_move = math.log(1.0001) * 100
    assert outlook.variance_rate == pytest.approx(10 * one_move**2 / 100, rel=1e-6)


def test_a_price_that_stands_still_has_no_variance() -> None:
    outlook = assess(after(ENOUGH))
    assert outlook is not None
    assert outlook.variance_rate == 0
