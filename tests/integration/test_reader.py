"""A snapshot against the real contracts: equal to what they answer, at one block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from devnet_world import CHECKED, TICK, World, a_world
from round_trips import Counting

from lpmanager.abi import Function
from lpmanager.amm import uncollected_fees
from lpmanager.chain.node import Node
from lpmanager.chain.pools import find_pool, read_pool
from lpmanager.chain.reader import Reader
from lpmanager.chain.transport import RpcError
from lpmanager.devnet.anvil import AnvilBackend
from lpmanager.devnet.deploy import created_address
from lpmanager.devnet.npm import core_artifact
from lpmanager.errors import ChainError, ConfigError
from lpmanager.model import ChainHealth, PoolKey, Position, SqrtPriceX96
from lpmanager.venues import erc20, uniswap_v3

WIDE = "[195000, 203000)"
#: Enough to move the pool's price by some thousand ticks.
MUCH_USDC, MUCH_WETH = 2 * 10**12, 10**21

#: When `World.read` reads, by its clock.
READ_AT = 1_700_000_000
#: The selector of tokenOfOwnerByIndex(address,uint256).
TOKEN_BY_INDEX = "0x2f745c59"
_CREATE_POOL = Function("createPool(address,address,uint24)")
_INITIALIZE = Function("initialize(uint160)")


def owner_of(world: World) -> str:
    return world.backend.accounts[3]


def other_pool(world: World, fee_pips: int = 3000) -> PoolKey:
    """The same pair at another fee, with others' liquidity."""
    tokens, deployer = (world.pool.token0.address, world.pool.token1.address), owner_of(world)
    factory = world.deployment.factory
    world.execute(deployer, factory, _CREATE_POOL.encode(*tokens, fee_pips))
    address = find_pool(world.node, world.venue, tokens, fee_pips)
    start = world.node.call(uniswap_v3.slot0(world.pool.address), world.node.head())
    world.execute(deployer, address, _INITIALIZE.encode(start.sqrt_price_x96))
    pool = read_pool(world.node, world.venue, address)
    world.provide(195_000, 203_040, 10**17, pool)
    return pool


def position(world: World, token_id: int) -> Position:
    found = world.read(owner_of(world)).positions
    (wanted,) = [p for p in found if p.token_id == token_id]
    return wanted


def test_a_snapshot_is_what_the_contracts_say_at_its_block(world: World) -> None:
    owner, pool = owner_of(world), world.pool.address
    token_id = world.mint(owner, WIDE, 10**10, 10**19)
    world.trade(10**9, zero_for_one=True)
    snapshot = world.read(owner, base_fee_blocks=5)
    head, state = snapshot.block, snapshot.state
    assert head == world.node.head()
    node = world.node
    slot0 = node.call(uniswap_v3.slot0(pool), head)
    assert (state.sqrt_price_x96, state.tick, state.fee_protocol) == (
        slot0.sqrt_price_x96,
        slot0.tick,
        slot0.fee_protocol,
    )
    assert state.liquidity == node.call(uniswap_v3.liquidity(pool), head)
    assert state.fee_growth_global0_x128 == node.call(uniswap_v3.fee_growth_global0(pool), head)
    assert state.fee_growth_global1_x128 == node.call(uniswap_v3.fee_growth_global1(pool), head)
    assert {t.tick for t in state.ticks} == {
        t for t in (190_000, 195_000, 203_000, 208_000) if t in state.known
    }
    assert snapshot.wallet.balances.raw == world.balances(owner)
    assert snapshot.wallet.native.raw > 0
    managed = node.call(world.venue.position(token_id), head)
    (held,) = snapshot.positions
    assert (held.token_id, held.range, held.liquidity) == (
        token_id,
        managed.range,
        managed.liquidity,
    )
    assert snapshot.gas_price > head.base_fee
    # eth-tester does not know the question, and that is no reason not to read the rest
    fees = tuple(node.block(head.number - back).base_fee for back in (4, 3, 2, 1, 0))
    told = fees if isinstance(world.backend, AnvilBackend) else None
    assert snapshot.health == ChainHealth(rpcs=1, healthy_rpcs=1, base_fees=told)


def test_allowances_that_stand_are_seen(small_world: World) -> None:
    owner = owner_of(small_world)
    token, router = small_world.pool.token1.address, small_world.deployment.swap_router
    small_world.execute(owner, token, erc20.approve(router, 77))
    assert small_world.read(owner).wallet.allowances == ((token, router, 77),)


@pytest.mark.parametrize("text", [WIDE, "[198900, 199100)", "[200000, 201000)", "[197000, 198000)"])
def test_uncollected_fees_are_what_collect_then_pays(world: World, text: str) -> None:
    """Through the range and back, from inside, above and below."""
    owner = owner_of(world)
    token_id = world.mint(owner, text, 10**10, 10**19)
    for raw_in, zero_for_one in (
        (10**9, True),
        (MUCH_WETH, False),
        (MUCH_USDC, True),
        (MUCH_USDC // 3, True),
        (MUCH_WETH // 5, False),
    ):
        world.trade(raw_in, zero_for_one=zero_for_one)
        expected = uncollected_fees(position(world, token_id))
        assert world.collect(owner, token_id) == expected
        assert uncollected_fees(position(world, token_id)) == (0, 0)
    assert position(world, token_id).liquidity > 0


@pytest.mark.parametrize(("raw_in", "zero_for_one"), [(MUCH_WETH, False), (MUCH_USDC, True)])
def test_fees_wait_for_a_position_that_the_price_has_left(
    small_world: World, raw_in: int, zero_for_one: bool
) -> None:
    owner = owner_of(small_world)
    token_id = small_world.mint(owner, "[198900, 199100)", 10**10, 10**19)
    small_world.trade(raw_in, zero_for_one=zero_for_one)
    snapshot = small_world.read(owner)
    assert snapshot.state.tick not in snapshot.positions[0].range
    earned = uncollected_fees(snapshot.positions[0])
    assert (earned[0] > 0, earned[1] > 0) == (zero_for_one, not zero_for_one)
    assert small_world.collect(owner, token_id) == earned


def test_positions_of_other_pools_and_other_owners_and_empty_ones_are_not_ours(
    small_world: World,
) -> None:
    owner, stranger = owner_of(small_world), small_world.backend.accounts[4]
    ours = small_world.mint(owner, WIDE, 10**10, 10**19)
    small_world.mint(stranger, WIDE, 10**10, 10**19)
    small_world.mint(owner, "[195000, 201000)", 10**10, 10**19, other_pool(small_world))
    closed = small_world.mint(owner, "[198000, 200000)", 10**10, 10**19)
    small_world.close(owner, closed, position(small_world, closed).liquidity)
    assert [p.token_id for p in small_world.read(owner).positions] == [ours]


def test_only_chosen_positions_are_looked_at(small_world: World) -> None:
    owner = owner_of(small_world)
    first = small_world.mint(owner, WIDE, 10**10, 10**19)
    second = small_world.mint(owner, "[198000, 200000)", 10**10, 10**19)
    assert [p.token_id for p in small_world.read(owner, positions=(second,)).positions] == [second]
    assert small_world.read(owner, positions=()).positions == ()
    reader = Reader(
        small_world.node,
        small_world.venue,
        small_world.watch(owner, positions=()),
        lambda: 0,
        CHECKED,
    )
    assert [p.token_id for p in reader.read({first}).positions] == [first]


def test_a_chosen_position_that_is_burned_or_never_was_is_not_there(small_world: World) -> None:
    owner = owner_of(small_world)
    gone = small_world.mint(owner, WIDE, 10**10, 10**19)
    small_world.close(owner, gone, position(small_world, gone).liquidity)
    assert small_world.read(owner, positions=(gone, 999)).positions == ()


def test_a_position_that_was_minted_for_the_campaign_and_given_away_is_not_there(
    small_world: World,
) -> None:
    owner, stranger = owner_of(small_world), small_world.backend.accounts[4]
    token_id = small_world.mint(owner, WIDE, 10**10, 10**19)
    small_world.give_nft(owner, stranger, token_id)
    reader = Reader(
        small_world.node,
        small_world.venue,
        small_world.watch(owner, positions=()),
        lambda: 0,
        CHECKED,
    )
    assert reader.read({token_id}).positions == ()


def test_a_chosen_position_of_somebody_else_is_refused(small_world: World) -> None:
    owner, stranger = owner_of(small_world), small_world.backend.accounts[4]
    token_id = small_world.mint(owner, WIDE, 10**10, 10**19)
    small_world.give_nft(owner, stranger, token_id)
    with pytest.raises(ConfigError, match=f"position {token_id} belongs to {stranger}"):
        small_world.read(owner, positions=(token_id,))


def test_a_chosen_position_of_another_pool_is_refused(small_world: World) -> None:
    owner = owner_of(small_world)
    token_id = small_world.mint(owner, "[195000, 201000)", 10**10, 10**19, other_pool(small_world))
    with pytest.raises(ConfigError, match=r"of another pool \(.* 3000 pips\)"):
        small_world.read(owner, positions=(token_id,))


def test_a_mean_price_needs_a_history_that_reaches_back(small_world: World) -> None:
    owner = owner_of(small_world)
    assert small_world.read(owner, twap_window_s=10**6).twap is None
    seen = small_world.read(owner, twap_window_s=60)
    assert seen.twap is not None
    assert abs(seen.twap.tick_down - TICK) < 10
    assert seen.oracle_slots == 100


def test_an_oracle_of_one_slot_has_no_history() -> None:
    with a_world(oracle_slots=1) as world:
        world.trade(10**10, zero_for_one=True)
        assert world.read(owner_of(world)).twap is None


def test_the_flow_is_every_swap_of_the_window(small_world: World) -> None:
    small_world.trade(10**6, zero_for_one=True)  # one block before the window
    small_world.trade(5 * 10**6, zero_for_one=True)
    small_world.trade(10**15, zero_for_one=False)
    flow = small_world.read(owner_of(small_world), history_blocks=2).flow
    assert flow is not None
    assert [(s.amount0 > 0, s.amount1 > 0) for s in flow.swaps] == [(True, False), (False, True)]
    assert flow.swaps[0].amount0 == 5 * 10**6
    assert flow.seconds > 0


def test_gas_has_a_price_where_a_pool_token_wraps_the_coin(small_world: World) -> None:
    owner, weth = owner_of(small_world), small_world.pool.token1
    in_usdc = small_world.read(owner)
    assert in_usdc.native_price is not None
    assert in_usdc.native_price.ratio == in_usdc.price.ratio
    assert in_usdc.native_price.quote.symbol == "USDC"
    in_weth = small_world.read(owner, quote=weth)
    assert in_weth.native_price is not None
    assert in_weth.native_price.ratio == 1


def test_gas_has_a_price_where_token0_wraps_the_coin(small_world: World) -> None:
    usdc = small_world.pool.token0.address
    snapshot = small_world.read(owner_of(small_world), wrapped_native=usdc)
    assert snapshot.native_price is not None
    assert snapshot.native_price.ratio == 1


def test_gas_has_no_price_where_nothing_wraps_the_coin(small_world: World) -> None:
    nothing = small_world.deployment.factory
    assert small_world.read(owner_of(small_world), wrapped_native=nothing).native_price is None


def test_gas_is_priced_by_the_pool_configured_for_it(small_world: World) -> None:
    pricing = other_pool(small_world)
    small_world.trade(MUCH_WETH, zero_for_one=False, pool=pricing)
    snapshot = small_world.read(owner_of(small_world), native_pool=pricing)
    slot0 = small_world.node.call(uniswap_v3.slot0(pricing.address), snapshot.block)
    assert snapshot.native_price is not None
    assert snapshot.native_price.ratio == pricing.price(pricing.token0, slot0.sqrt_price_x96).ratio
    assert abs(snapshot.native_price.ratio / snapshot.price.ratio - 1) > Fraction(1, 100)


# ---- the pool itself ----


def test_a_pool_is_what_the_factory_made(small_world: World) -> None:
    assert read_pool(small_world.node, small_world.venue, small_world.pool.address) == (
        small_world.pool
    )


def test_a_pool_the_factory_did_not_make_is_refused(small_world: World) -> None:
    elsewhere = replace(small_world.venue, factory=_another_factory(small_world))
    with pytest.raises(ConfigError, match="another venue's, or a trap"):
        read_pool(small_world.node, elsewhere, small_world.pool.address)


class Spacing:
    """A transport on whose chain the pool's ticks are so far apart."""

    def __init__(self, world: World, spacing: int) -> None:
        _, call = uniswap_v3.pool_fee_and_spacing(world.pool.address)
        self._inner = world.backend.transport
        self._asked = "0x" + call.data.hex()
        self._told = "0x" + spacing.to_bytes(32, signed=True).hex()

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = self._inner.request_many(requests)
        return [
            self._told if method == "eth_call" and params[0]["data"] == self._asked else answer
            for (method, params), answer in zip(requests, answers, strict=True)
        ]


@pytest.mark.parametrize("spacing", [-(2**23), -1, 0, 16_384, 2**23 - 1])
def test_a_tick_spacing_that_no_factory_allows_is_an_error(
    small_world: World, spacing: int
) -> None:
    node = Node(Spacing(small_world, spacing), small_world.backend.chain_id)
    with pytest.raises(ChainError, match=f"expected a tick spacing .* found {spacing};"):
        read_pool(node, small_world.venue, small_world.pool.address)


def _another_factory(world: World) -> str:
    deployer = owner_of(world)
    address = created_address(deployer, world.controls.nonce(deployer))
    creation = core_artifact("UniswapV3Factory").creation((), ())
    world.controls.execute(deployer, None, creation, what="deploy another factory")
    return address


def test_an_address_without_a_contract_is_no_pool(small_world: World) -> None:
    with pytest.raises(ConfigError, match="there is no contract"):
        read_pool(small_world.node, small_world.venue, owner_of(small_world))


@pytest.mark.parametrize("contract", ["stable", "wrapped_native", "position_manager"])
def test_a_contract_that_is_no_pool_is_refused(small_world: World, contract: str) -> None:
    address = getattr(small_world.deployment, contract)
    with pytest.raises(ConfigError, match=f"pool {address}: .* not a Uniswap v3 pool"):
        read_pool(small_world.node, small_world.venue, address)


def test_a_pair_without_a_pool_at_that_fee_is_refused(small_world: World) -> None:
    tokens = (small_world.pool.token0.address, small_world.pool.token1.address)
    with pytest.raises(ConfigError, match="at a fee of 10000 pips"):
        find_pool(small_world.node, small_world.venue, tokens, 10_000)


def test_a_pool_without_a_price_cannot_be_read(small_world: World) -> None:
    tokens = (small_world.pool.token0.address, small_world.pool.token1.address)
    factory = small_world.deployment.factory
    small_world.execute(owner_of(small_world), factory, _CREATE_POOL.encode(*tokens, 10_000))
    address = find_pool(small_world.node, small_world.venue, tokens, 10_000)
    pool = read_pool(small_world.node, small_world.venue, address)
    with pytest.raises(ChainError, match="was not initialized"):
        small_world.read(owner_of(small_world), pool=pool)


# ---- readings of one reader by calls, one after the other (test_lens.py has the lens) ----


def by_calls(world: World, transport: Any = None) -> Node:
    """The chain by a node that is known to refuse the lens."""
    node = Node(transport or world.backend.transport, world.backend.chain_id)
    node.refuses_lens = True
    return node


def test_while_nothing_of_ours_changes_a_reading_is_one_round_trip_after_the_head(
    world: World,
) -> None:
    owner = owner_of(world)
    world.mint(owner, WIDE, 10**10, 10**19)
    transport = Counting(world.backend.transport)
    node = by_calls(world, transport)
    reader = Reader(node, world.venue, world.watch(owner), lambda: READ_AT, CHECKED)
    reader.read()
    transport.trips = 0
    world.trade(10**9, zero_for_one=True)
    assert reader.read() == world.read(owner)
    assert transport.trips == 2


def test_what_has_changed_since_the_last_reading_is_read(small_world: World) -> None:
    world, owner = small_world, owner_of(small_world)
    reader = Reader(by_calls(world), world.venue, world.watch(owner), lambda: READ_AT, CHECKED)
    first = world.mint(owner, WIDE, 10**10, 10**19)
    assert reader.read() == world.read(owner)
    world.mint(owner, "[198000, 200000)", 10**10, 10**19)
    assert reader.read() == world.read(owner)
    world.trade(MUCH_WETH, zero_for_one=False)  # to ticks that were not read before
    assert reader.read() == world.read(owner)
    world.close(owner, first, position(world, first).liquidity)
    assert reader.read() == world.read(owner)
    assert len(reader.read().positions) == 1


def test_a_chosen_position_that_is_burned_costs_no_round_trip(small_world: World) -> None:
    world, owner = small_world, owner_of(small_world)
    gone = world.mint(owner, WIDE, 10**10, 10**19)
    world.close(owner, gone, position(world, gone).liquidity)
    transport = Counting(world.backend.transport)
    node = by_calls(world, transport)
    reader = Reader(
        node, world.venue, world.watch(owner, positions=(gone,)), lambda: READ_AT, CHECKED
    )
    reader.read()
    transport.trips = 0
    assert reader.read().positions == ()
    assert transport.trips == 2


class Refusing:
    """A transport that can be told to refuse one function, for no reason a contract gives."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.refuses: str | None = None

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = self._inner.request_many(requests)
        return [
            RpcError(-32000, "VM execution error", None)
            if self.refuses is not None and self.refuses in str(params)
            else answer
            for (_, params), answer in zip(requests, answers, strict=True)
        ]


def test_what_is_refused_this_time_is_not_asked_for_in_advance_next_time(
    small_world: World,
) -> None:
    world, owner = small_world, owner_of(small_world)
    only = world.mint(owner, WIDE, 10**10, 10**19)
    transport = Refusing(world.backend.transport)
    node = by_calls(world, transport)
    reader = Reader(node, world.venue, world.watch(owner), lambda: READ_AT, CHECKED)
    reader.read()
    world.close(owner, only, position(world, only).liquidity)
    transport.refuses = TOKEN_BY_INDEX
    with pytest.raises(ChainError, match="VM execution error"):
        reader.read()
    assert reader.read().positions == ()


# ---- a chain that changes its mind ----


class Reorganised:
    """A transport on whose chain a block, asked for by height, has another hash than before."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = self._inner.request_many(requests)
        for index, (method, params) in enumerate(requests):
            if method == "eth_getBlockByNumber" and params[0] != "latest":
                answers[index] = {**answers[index], "hash": "0x" + "ee" * 32}
        return answers


@pytest.mark.parametrize("refuses_lens", [False, True])
def test_a_block_that_was_reorganised_away_is_noticed(
    small_world: World, refuses_lens: bool
) -> None:
    node = Node(Reorganised(small_world.backend.transport), small_world.backend.chain_id)
    node.refuses_lens = refuses_lens
    reader = Reader(
        node, small_world.venue, small_world.watch(owner_of(small_world)), lambda: 0, CHECKED
    )
    with pytest.raises(ChainError, match="reorganised away while it was read"):
        reader.read()


class SwapsOfABranch:
    """A transport whose logs of the newest block are of another block of that height."""

    def __init__(self, inner: Any, head: str) -> None:
        self._inner = inner
        self._head = head

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = self._inner.request_many(requests)
        for (method, _), answer in zip(requests, answers, strict=True):
            for log in answer if method == "eth_getLogs" else []:
                if log["blockHash"] == self._head:
                    log["blockHash"] = "0x" + "ee" * 32
        return answers


def test_swaps_of_another_branch_are_noticed(small_world: World) -> None:
    small_world.trade(10**9, zero_for_one=True)
    head = small_world.node.head()
    transport = SwapsOfABranch(small_world.backend.transport, head.hash)
    node = Node(transport, small_world.backend.chain_id)
    reader = Reader(
        node, small_world.venue, small_world.watch(owner_of(small_world)), lambda: 0, CHECKED
    )
    with pytest.raises(ChainError, match="reorganised away while its swaps were read"):
        reader.read()


def test_extreme_prices_are_read_too(small_world: World) -> None:
    """The window of ticks that are read ends where prices end."""
    pool = other_pool_at(small_world, SqrtPriceX96(4295128740))
    snapshot = small_world.read(owner_of(small_world), pool=pool)
    assert snapshot.state.known.lower == -887_272


def other_pool_at(world: World, price: SqrtPriceX96) -> PoolKey:
    tokens, deployer = (world.pool.token0.address, world.pool.token1.address), owner_of(world)
    world.execute(deployer, world.deployment.factory, _CREATE_POOL.encode(*tokens, 10_000))
    address = find_pool(world.node, world.venue, tokens, 10_000)
    world.execute(deployer, address, _INITIALIZE.encode(price))
    return read_pool(world.node, world.venue, address)


def test_an_empty_chosen_position_is_nothing_to_manage(small_world: World) -> None:
    owner = owner_of(small_world)
    token_id = small_world.mint(owner, WIDE, 10**10, 10**19)
    decrease = Function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))")
    liquidity = position(small_world, token_id).liquidity
    data = decrease.encode((token_id, liquidity, 0, 0, 2**40))
    small_world.execute(owner, small_world.deployment.position_manager, data)
    small_world.collect(owner, token_id)
    assert small_world.read(owner).positions == ()
    assert small_world.read(owner, positions=(token_id,)).positions == ()


def test_earlier_blocks_are_told_of_as_far_as_the_chain_reaches(small_world: World) -> None:
    world, head = small_world, small_world.node.head()
    reader = Reader(world.node, world.venue, world.watch(owner_of(world)), lambda: READ_AT, CHECKED)
    before, beyond = head.number - 1, head.number + 5
    told = reader.read(heights=(before, beyond)).earlier
    assert told == {before: world.node.block(before).hash, beyond: None}
