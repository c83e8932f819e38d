"""Generated order flow: the same seed, the same market."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import log
from statistics import stdev

from lpmanager.devnet.flow_generated import GeneratedFlow, generated_flow
from lpmanager.devnet.orders import BlockOrders, KeepWithin, Trade
from lpmanager.model import SqrtPriceX96

START = SqrtPriceX96(1662995104975155420368771254341874)
CALM = GeneratedFlow(
    seed=7,
    start_timestamp=1_704_412_823,
    block_time_s=12,
    blocks=400,
    start_sqrt_price_x96=START,
    fee_pips=500,
    volatility=0.04,
    jumps_per_day=0.0,
    jump_volatility=0.01,
    noise_trades_per_block=0.5,
    noise_median_raw1=10**17,
    noise_spread=1.0,
)


def blocks_of(flow: GeneratedFlow) -> list[BlockOrders]:
    return list(generated_flow(flow))


def bands_of(flow: GeneratedFlow) -> list[KeepWithin]:
    return [
        order
        for block in generated_flow(flow)
        for order in block.orders
        if isinstance(order, KeepWithin)
    ]


def trades_of(flow: GeneratedFlow) -> list[Trade]:
    return [
        order
        for block in generated_flow(flow)
        for order in block.orders
        if isinstance(order, Trade)
    ]


def daily_volatility(flow: GeneratedFlow) -> float:
    prices = [band.low for band in bands_of(flow)]
    returns = [2 * log(after / before) for before, after in pairwise(prices)]
    return stdev(returns) * (86_400 / flow.block_time_s) ** 0.5


def test_the_same_seed_gives_the_same_orders() -> None:
    assert blocks_of(CALM) == blocks_of(CALM)


def test_another_seed_gives_other_orders() -> None:
    assert blocks_of(CALM) != blocks_of(replace(CALM, seed=8))


def test_blocks_follow_each_other_at_the_block_time() -> None:
    times = [block.timestamp for block in blocks_of(CALM)]
    assert times == list(range(CALM.start_timestamp, CALM.start_timestamp + 12 * 400, 12))


def test_without_volatility_the_band_is_the_fee_around_the_start() -> None:
    still = replace(CALM, volatility=0.0, noise_trades_per_block=0.0, blocks=3)
    (band,) = set(bands_of(still))
    assert abs(band.low**2 / START**2 - (1 - 0.0005)) < 1e-12
    assert abs(band.high**2 / START**2 - (1 + 0.0005)) < 1e-12


def test_the_external_price_has_the_volatility_asked_for() -> None:
    assert 0.8 < daily_volatility(replace(CALM, blocks=2_000)) / CALM.volatility < 1.2


def test_jumps_add_to_the_volatility() -> None:
    jumpy = replace(CALM, jumps_per_day=2_000.0, jump_volatility=0.01)
    assert daily_volatility(jumpy) > 3 * daily_volatility(CALM)


def test_noise_trades_come_at_their_rate_both_ways_around_their_median() -> None:
    trades = trades_of(replace(CALM, blocks=2_000))
    sold1 = sorted(trade.raw_in for trade in trades if not trade.zero_for_one)
    assert 0.9 < len(trades) / 1_000 < 1.1
    assert 0.4 < len(sold1) / len(trades) < 0.6
    assert 0.8 < sold1[len(sold1) // 2] / CALM.noise_median_raw1 < 1.25
