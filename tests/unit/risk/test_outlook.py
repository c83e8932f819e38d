"""What recent swaps say, worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest
from builders import a_block, a_market, price_at

from lpmanager.amm import Pool
from lpmanager.model import Flow, Liquidity, Snapshot, SwapEvent
from lpmanager.risk import Outlook, assess
from lpmanager.risk.implied_volatility import annual_volatility
from lpmanager.risk.missing import Missing
from lpmanager.risk.outlook import MINIMUM_SAMPLES
from lpmanager.risk.price_path import PricePath, path_of
from lpmanager.risk.volatility.realised import STEP_S


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


def after(swaps: Iterable[SwapEvent], *, seconds: int = 3_600, fee_protocol: int = 0) -> Snapshot:
    """A snapshot at tick 0 of block 100, with these swaps of blocks 1 to 100 in so many seconds."""
    market = a_market()
    state = replace(market.state, fee_protocol=fee_protocol)
    flow = Flow(from_block=1, seconds=seconds, swaps=tuple(swaps))
    return replace(market, state=state, flow=flow)


def known(snapshot: Snapshot) -> Outlook:
    found = assess(snapshot)
    assert isinstance(found, Outlook), found
    return found


def why_missing(snapshot: Snapshot) -> str:
    found = assess(snapshot)
    assert isinstance(found, Missing), found
    return found.reason


ENOUGH = [a_swap(block, tick=block) for block in range(1, MINIMUM_SAMPLES + 1)]


def test_without_history_nothing_is_said() -> None:
    assert "none were read" in why_missing(a_market())
    assert "10 blocks with swaps, found 0 in the last 3600 s" in why_missing(after([]))
    assert "found 9" in why_missing(after(ENOUGH[1:]))
    assert known(after(ENOUGH)).samples == MINIMUM_SAMPLES


def test_many_swaps_of_one_block_are_one_sample() -> None:
    assert "found 1" in why_missing(after([a_swap(1, tick=5)] * 50))


def test_fees_are_per_unit_of_liquidity_and_second_in_the_token_that_came_in() -> None:
    sold1 = a_swap(20, amount0=-5, amount1=4 * 10**6, liquidity=20)
    outlook = known(after([*ENOUGH, sold1]))
    # 10 swaps of 10**6 token0 at 500 pips over 10 liquidity and an hour
    assert outlook.fee_rate0 == pytest.approx(10 * 500 / 10 / 3_600)
    assert outlook.fee_rate1 == pytest.approx(2000 / 20 / 3_600)
    assert (outlook.samples, outlook.seconds) == (11, 3_600)


def test_fees_are_what_the_pools_own_counters_of_fee_growth_say() -> None:
    market = a_market()
    pool = Pool.from_state(market.state, market.pool.fee_pips, market.pool.tick_spacing)
    swaps = []
    for block in range(1, 41):
        went = pool.swap(block % 3 == 0, 10**15 + block * 10**12)
        swaps.append(
            a_swap(
                block,
                amount0=went.amount0,
                amount1=went.amount1,
                liquidity=went.liquidity,
                tick=went.tick,
            )
        )
    outlook = known(after(swaps))
    grown = pool.fee_growth_global0_x128, pool.fee_growth_global1_x128
    earned = tuple(growth / 2**128 / 3_600 for growth in grown)
    assert (outlook.fee_rate0, outlook.fee_rate1) == pytest.approx(earned, rel=1e-9)
    assert min(earned) > 0


def test_the_owners_share_of_the_fees_is_not_ours() -> None:
    both = [*ENOUGH, a_swap(20, amount0=-5, amount1=10**6)]
    free, shared = known(after(both)), known(after(both, fee_protocol=0xA4))
    assert shared.fee_rate0 == pytest.approx(free.fee_rate0 * 3 / 4)
    assert shared.fee_rate1 == pytest.approx(free.fee_rate1 * 9 / 10)


def test_swaps_through_empty_ranges_pay_nobody() -> None:
    outlook = known(after([*ENOUGH, a_swap(20, liquidity=0)]))
    assert outlook.fee_rate0 == pytest.approx(50 * 100 / 10 / 3_600)


def test_a_price_that_bounces_is_as_wild_as_five_minutes_show_it() -> None:
    """Ten ticks to and fro with every block of 12 s: 32 % a year, where the sum from block to block
    would be 162 %."""
    swaps = [a_swap(block, tick=10 * (block % 2)) for block in range(1, 301)]
    rate = known(replace(after(swaps), block=a_block(300))).variance_rate
    assert rate == pytest.approx((10 * math.log(1.0001)) ** 2 / STEP_S, rel=1e-6)
    assert annual_volatility(rate) == pytest.approx(0.324, abs=0.001)


def test_variance_is_the_mean_square_of_returns_of_five_minutes() -> None:
    snapshot = after([a_swap(block, tick=block * block) for block in range(1, 101)])
    path = path_of(snapshot)
    assert isinstance(path, PricePath)
    returns = path.returns(STEP_S)
    assert len(returns) == 11
    mean_square = sum(change**2 for change in returns) / 11
    assert known(snapshot).variance_rate == pytest.approx(mean_square / STEP_S, rel=1e-12)


def test_twenty_five_minutes_of_prices_are_the_least() -> None:
    enough, less = ([a_swap(b, tick=b) for b in range(first, 101)] for first in (58, 59))
    assert known(after(enough)).samples == 43
    assert "5 returns of 300 s, found 4" in why_missing(after(less))


def a_lively_end(hours: float) -> Snapshot:
    """Blocks of 12 s over so many hours, with a swap in every twelfth of the last 140 blocks."""
    blocks = round(hours * 300)
    swaps = [a_swap(blocks - back, tick=back) for back in range(139, 0, -12)]
    lively = after(swaps, seconds=12 * blocks)
    return replace(lively, block=a_block(blocks))


@pytest.mark.parametrize("hours", [0.5, 1, 6, 24])
def test_fees_and_volatility_are_of_the_same_time_however_long_it_was_quiet(hours: float) -> None:
    """Before the first swap the pool's price stood still."""
    outlook, shortest = known(a_lively_end(hours)), known(a_lively_end(0.5))
    assert outlook.fee_rate0 == pytest.approx(shortest.fee_rate0 * 0.5 / hours)
    assert outlook.variance_rate == pytest.approx(shortest.variance_rate * 0.5 / hours)


def test_a_swap_long_ago_at_the_same_price_tells_how_the_step_of_the_first_was() -> None:
    """The others leave the price at ticks 139, 127, 115 and so on, two or three in a step of 25
    blocks: so it moves by 24 or 36 ticks, and by 12 in the first, which is taken to be as wild as
    the others until a price before it is known."""
    quiet = a_lively_end(24)
    assert quiet.flow is not None
    first = a_swap(1, tick=139)
    told = known(replace(quiet, flow=replace(quiet.flow, swaps=(first, *quiet.flow.swaps))))
    assert told.variance_rate < known(quiet).variance_rate
    squares = known(a_lively_end(0.5)).variance_rate * 5 * STEP_S
    all_of_it = (squares + (12 * math.log(1.0001)) ** 2) / (288 * STEP_S)
    assert told.variance_rate == pytest.approx(all_of_it, rel=0.005)


def test_a_quiet_time_before_it_is_no_history_of_a_price_that_moves() -> None:
    swaps = [a_swap(block, tick=block) for block in range(7_165, 7_201)]
    quiet = replace(after(swaps, seconds=86_400), block=a_block(7_200))
    assert "5 returns of 300 s, found 1" in why_missing(quiet)


def test_a_price_that_stood_still_has_no_volatility_to_tell() -> None:
    still = [a_swap(block) for block in range(1, 50)]
    assert "it stood still in all 11 returns" in why_missing(after(still))


def test_a_price_of_zero_is_named() -> None:
    broken = a_swap(20)._replace(sqrt_price_x96=0)
    assert "a price of 0" in why_missing(after([*ENOUGH, broken]))
