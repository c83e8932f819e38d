"""The same market on both backends; a recorded one on its recorded path."""

from __future__ import annotations

import os
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from lpmanager.backtest.markets.events import EventKind, read_events
from lpmanager.devnet.anvil import AnvilBackend, Fresh
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.deploy import Deployment, MarketSpec, deploy, fund
from lpmanager.devnet.flow_generated import GeneratedFlow, generated_flow
from lpmanager.devnet.flow_recorded import RecordedFlow, recorded_flow
from lpmanager.devnet.market import Market
from lpmanager.devnet.orders import (
    AddLiquidity,
    BlockOrders,
    Follow,
    KeepWithin,
    RemoveLiquidity,
    Trade,
)
from lpmanager.devnet.tester import EthTesterBackend
from lpmanager.errors import TransactionFailed
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange
from lpmanager.venues import uniswap_v3
from lpmanager.venues.erc20 import balance_of

START = SqrtPriceX96(1662995104975155420368771254341874)
SPEC = MarketSpec(token0="USDC", fee_pips=500, sqrt_price_x96=START, oracle_slots=120)
GENESIS = 1_704_326_400
OPENING = GENESIS + 86_400
WIDE = AddLiquidity(range=TickRange(190_000, 208_000), liquidity=Liquidity(10**19))
FLOW = GeneratedFlow(
    seed=11,
    start_timestamp=OPENING,
    block_time_s=12,
    blocks=25,
    start_sqrt_price_x96=START,
    fee_pips=500,
    volatility=0.5,
    jumps_per_day=1_000.0,
    jump_volatility=0.003,
    noise_trades_per_block=1.0,
    noise_median_raw1=10**18,
    noise_spread=1.0,
)
DATA = Path(os.environ.get("LPM_DATA", Path(__file__).parents[2] / "../shared/data"))
DAY = DATA / "ethereum-usdc-weth-0.05-events-2024-01-05.csv.gz"


def both_backends() -> tuple[Backend, Backend]:
    return EthTesterBackend(GENESIS), AnvilBackend(Fresh(genesis_timestamp=GENESIS))


def market_of(backend: Backend, *blocks: BlockOrders) -> tuple[Market, Deployment]:
    deployment = deploy(backend, SPEC)
    market = Market(backend, deployment, blocks)
    market.provide([WIDE])
    return market, deployment


def market_on_eth_tester(*blocks: BlockOrders) -> tuple[Backend, Market, Deployment]:
    """As `market_of`, on a copy of a chain that was made once: py-evm takes its time to deploy."""
    backend, deployment = deepcopy(_provided_on_eth_tester())
    return backend, Market(backend, deployment, blocks), deployment


@cache
def _provided_on_eth_tester() -> tuple[Backend, Deployment]:
    backend = EthTesterBackend(GENESIS)
    _, deployment = market_of(backend)
    return backend, deployment


def block_of(timestamp: int, *orders: Trade | KeepWithin | RemoveLiquidity) -> BlockOrders:
    return BlockOrders(timestamp=timestamp, orders=orders, expected_sqrt_price_x96=None)


def pool_state(backend: Backend, deployment: Deployment) -> tuple[object, ...]:
    node, pool = Controls(backend).node, deployment.pool.address
    head = node.head()
    answers = node.call_many(
        [
            uniswap_v3.slot0(pool),
            uniswap_v3.liquidity(pool),
            uniswap_v3.fee_growth_global0(pool),
            uniswap_v3.fee_growth_global1(pool),
            uniswap_v3.observe(pool, 60),
            balance_of(deployment.pool.token0.address, pool),
            balance_of(deployment.pool.token1.address, pool),
        ],
        head,
    )
    return head.number, head.timestamp, head.base_fee, *answers


def price_of(backend: Backend, deployment: Deployment) -> SqrtPriceX96:
    node = Controls(backend).node
    return node.call(uniswap_v3.slot0(deployment.pool.address), node.head()).sqrt_price_x96


def test_both_backends_put_the_same_market_at_the_same_addresses_in_the_same_state() -> None:
    outcomes = []
    for backend in both_backends():
        with backend:
            market, deployment = market_of(backend, *generated_flow(FLOW))
            market.advance_until(OPENING + 10_000)
            assert market.report.blocks == FLOW.blocks
            outcomes.append((deployment, pool_state(backend, deployment), market.report))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("token0", ["USDC", "WETH"])
def test_the_pool_has_the_token_order_asked_for(token0: str) -> None:
    backend = EthTesterBackend(GENESIS)
    pool = deploy(backend, replace(SPEC, token0=token0)).pool
    assert pool.token0.symbol == token0
    assert int(pool.token0.address, 16) < int(pool.token1.address, 16)
    assert (pool.fee_pips, pool.tick_spacing) == (500, 10)


def test_an_account_is_funded_to_the_last_unit() -> None:
    backend, _, deployment = market_on_eth_tester()
    account = backend.accounts[2]
    fund(backend, deployment, account, deployment.pool.amounts(123, 456))
    node = Controls(backend).node
    tokens = (deployment.pool.token0.address, deployment.pool.token1.address)
    held = node.call_many([balance_of(token, account) for token in tokens], node.head())
    assert held == [123, 456]


def test_the_arbitrageur_stops_at_the_edge_and_leaves_a_price_inside_alone() -> None:
    low, high = SqrtPriceX96(START * 101 // 100), SqrtPriceX96(START * 102 // 100)
    backend, market, deployment = market_on_eth_tester(
        block_of(OPENING, KeepWithin(low=low, high=high)),
        block_of(OPENING + 12, KeepWithin(low=START, high=high)),
    )
    assert market.advance()
    assert price_of(backend, deployment) == low
    assert market.advance()
    assert price_of(backend, deployment) == low
    assert not market.advance()
    assert (market.report.orders, market.report.swaps) == (2, 1)


def test_others_may_act_between_two_blocks() -> None:
    trade = Trade(zero_for_one=True, raw_in=10**9)
    backend, market, _ = market_on_eth_tester(
        block_of(OPENING, trade), block_of(OPENING + 12, trade)
    )
    controls = Controls(backend)
    assert market.next_timestamp == OPENING
    market.advance()
    controls.execute(backend.accounts[2], backend.accounts[3], b"", value=1, what="a payment")
    assert controls.node.head().timestamp == OPENING + 1
    market.advance()
    assert controls.node.head().timestamp == OPENING + 12
    assert market.next_timestamp is None


def test_a_price_moved_by_others_is_brought_back_to_the_recorded_path() -> None:
    target = SqrtPriceX96(START * 1001 // 1000)
    follow = Follow(zero_for_one=False, raw_in=1, target=target)
    blocks = [
        BlockOrders(timestamp=OPENING + 12 * n, orders=(follow,), expected_sqrt_price_x96=target)
        for n in range(2)
    ]
    backend, market, deployment = market_on_eth_tester(*blocks)
    market.advance()
    dump = Trade(zero_for_one=False, raw_in=10**20).calldata(deployment.pool.address)
    Controls(backend).execute(backend.accounts[2], deployment.flow_trader, dump, what="a trade")
    assert price_of(backend, deployment) > target
    market.advance()
    assert price_of(backend, deployment) == target
    assert market.report.largest_deviation == 0


def test_a_trade_too_small_to_move_the_recorded_price_is_made_all_the_same() -> None:
    follow = Follow(zero_for_one=True, raw_in=1_000, target=START)
    block = BlockOrders(timestamp=OPENING, orders=(follow,), expected_sqrt_price_x96=START)
    backend, market, deployment = market_on_eth_tester(block)
    before = pool_balances(backend, deployment)
    market.advance()
    assert pool_balances(backend, deployment)[0] == before[0] + 1_000
    assert market.report.largest_deviation is not None
    assert 0 < market.report.largest_deviation < Fraction(1, 10**9)


@pytest.mark.parametrize("which", [0, 1])
def test_an_order_that_reverts_is_not_silent(which: int) -> None:
    with both_backends()[which] as backend:
        nothing = RemoveLiquidity(range=TickRange(199_000, 199_010), liquidity=Liquidity(1))
        trade = Trade(zero_for_one=True, raw_in=10**9)
        market, _ = market_of(backend, block_of(OPENING, trade, nothing))
        with pytest.raises(TransactionFailed, match="2 orders, 2 mined, 1 reverted, first Remove"):
            market.advance()


def test_a_block_whose_time_has_passed_comes_one_second_after_the_head_and_says_so() -> None:
    trade = Trade(zero_for_one=True, raw_in=10**9)
    backend, market, _ = market_on_eth_tester(*(block_of(OPENING + 2 * n, trade) for n in range(3)))
    controls = Controls(backend)
    market.advance()
    for _ in range(3):
        controls.execute(backend.accounts[2], backend.accounts[3], b"", value=1, what="a payment")
    assert controls.node.head().timestamp == OPENING + 3
    market.advance_until(OPENING + 4)
    assert controls.node.head().timestamp == OPENING + 5
    assert market.report.blocks == 3
    assert market.report.largest_shift_s == 2


def recorded_market(backend: Backend, flow: RecordedFlow) -> tuple[Market, Deployment]:
    deployment = deploy(backend, replace(SPEC, sqrt_price_x96=flow.start_sqrt_price_x96))
    market = Market(backend, deployment, flow.blocks)
    market.provide(flow.profile)
    return market, deployment


@pytest.mark.realdata
@pytest.mark.skipif(not DAY.is_file(), reason="the folder of real market data is absent")
def test_the_recorded_day_follows_its_path_to_the_last_digit_on_both_backends() -> None:
    events = read_events(DAY)[:300]
    swaps = [event for event in events if event.kind is EventKind.SWAP]
    flow = recorded_flow(events, fee_pips=500, tick_spacing=10)
    states = []
    for backend in both_backends():
        with backend:
            market, deployment = recorded_market(backend, flow)
            market.advance_until(events[-1].timestamp)
            assert market.report.swaps == len(swaps)
            assert market.report.largest_deviation == 0
            states.append(pool_state(backend, deployment))
    assert states[0] == states[1]
    assert price_of_state(states[0]) == (swaps[-1].sqrt_price_x96, swaps[-1].active_liquidity)


@pytest.mark.realdata
@pytest.mark.skipif(not DAY.is_file(), reason="the folder of real market data is absent")
def test_a_recorded_swap_costs_the_market_what_it_cost_on_mainnet() -> None:
    events = read_events(DAY)[:20]
    flow = recorded_flow(events, fee_pips=500, tick_spacing=10)
    backend = EthTesterBackend(GENESIS)
    market, deployment = recorded_market(backend, flow)
    before = pool_balances(backend, deployment)
    market.advance_until(events[-1].timestamp)
    after = pool_balances(backend, deployment)
    # A swap that stops at a price pays its fee on what it took, one unit more or less; the first
    # starts from an estimated price.
    recorded = [sum(event.amount0 for event in events), sum(event.amount1 for event in events)]
    moved = [now - then for now, then in zip(after, before, strict=True)]
    assert abs(moved[0] - recorded[0]) <= 2 * len(events)
    assert abs(moved[1] - recorded[1]) <= 10**9 * len(events)


def price_of_state(state: tuple[object, ...]) -> tuple[object, object]:
    slot0 = state[3]
    assert isinstance(slot0, uniswap_v3.Slot0)
    return slot0.sqrt_price_x96, state[4]


def pool_balances(backend: Backend, deployment: Deployment) -> list[int]:
    node, pool = Controls(backend).node, deployment.pool
    calls = [balance_of(token.address, pool.address) for token in (pool.token0, pool.token1)]
    return node.call_many(calls, node.head())
