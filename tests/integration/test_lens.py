"""A Snapshot through the lens equals one by single calls, and what a node does to the lens."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from devnet_world import CHECKED, World, a_world
from eth_abi.abi import decode, encode
from structlog.testing import capture_logs

from lpmanager.abi import ContractCall, Function
from lpmanager.amm import sqrt_price_at_tick, uncollected_fees
from lpmanager.chain import lens
from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.node import Node
from lpmanager.chain.pools import find_pool, read_pool
from lpmanager.chain.reader import Reader
from lpmanager.chain.sighting import MOST_NFTS
from lpmanager.chain.transport import RpcError, Transport
from lpmanager.devnet.deploy import created_address, fund
from lpmanager.errors import ChainError, ConfigError, RpcUnavailable
from lpmanager.model import MAX_TICK, MIN_TICK, Mint, PoolKey, Snapshot, TickRange, VaultBounds
from lpmanager.venues import liquidity_vault
from lpmanager.venues.liquidity_vault import Rebalance

WIDE, NARROW = "[195000, 203000)", "[198900, 199100)"
USDC, WETH = 10**10, 10**19
#: What a trader sells to leave every tick behind.
EVERYTHING = 2**110
READ_AT = 1_700_000_000
_CREATE_POOL = Function("createPool(address,address,uint24)")
_INITIALIZE = Function("initialize(uint160)")
_DECREASE = Function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))")
TRADES = ((10**9, True), (2 * 10**12, True), (10**21, False), (10**18, False))


def owner_of(world: World) -> str:
    return world.backend.accounts[3]


def a_reader(world: World, transport: Transport | None = None, **changes: object) -> Reader:
    node = Node(transport or world.backend.transport, world.backend.chain_id)
    return Reader(
        node, world.venue, world.watch(owner_of(world), **changes), lambda: READ_AT, CHECKED
    )


def by_calls(world: World, ours: Iterable[int] = (), **changes: object) -> Snapshot:
    node = Node(world.backend.transport, world.backend.chain_id)
    node.refuses_lens = True
    watch = world.watch(owner_of(world), **changes)
    return Reader(node, world.venue, watch, lambda: READ_AT, CHECKED).read(ours)


def through_lens(world: World, ours: Iterable[int] = (), **changes: object) -> Snapshot:
    """Through the lens and nothing else."""
    transport = Watched(world.backend.transport)
    snapshot = a_reader(world, transport, **changes).read(ours)
    assert {message.get("to") for message in transport.called} == {None}
    return snapshot


def the_same(world: World, ours: Iterable[int] = (), **changes: object) -> Snapshot:
    """A Snapshot that is the same both ways."""
    seen = through_lens(world, ours, **changes)
    assert seen == by_calls(world, ours, **changes)
    return seen


class Watched:
    """A transport that notes what contracts are asked, and how often anything is."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.called: list[dict[str, str]] = []
        self.trips = 0

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        self.trips += bool(requests)
        self.called += [params[0] for method, params in requests if method == "eth_call"]
        return self._inner.request_many(requests)


# ---- both ways tell the same ----


def test_without_positions(world: World) -> None:
    assert the_same(world).positions == ()


def test_with_one_position_and_its_fees(world: World) -> None:
    world.mint(owner_of(world), WIDE, USDC, WETH)
    for raw_in, zero_for_one in TRADES:
        world.trade(raw_in, zero_for_one=zero_for_one)
        (held,) = the_same(world).positions
        assert sum(uncollected_fees(held)) > 0


def test_with_a_position_whose_fees_were_taken_before(small_world: World) -> None:
    world, owner = small_world, owner_of(small_world)
    token_id = world.mint(owner, WIDE, USDC, WETH)
    for raw_in, zero_for_one in TRADES:
        world.trade(raw_in, zero_for_one=zero_for_one)
        world.collect(owner, token_id)
        world.trade(raw_in, zero_for_one=not zero_for_one)
        (held,) = the_same(world).positions
    assert min(held.fee_growth_inside0_last_x128, held.fee_growth_inside1_last_x128) > 0


def test_with_more_positions_than_one_call_looks_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lens, "PAGE", 3)
    for step in range(7):
        world.mint(owner_of(world), f"[{198_000 - 10 * step}, 200000)", USDC, WETH)
    world.trade(10**9, zero_for_one=True)
    assert len(the_same(world).positions) == 7


def test_with_chosen_positions_more_than_one_call_looks_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lens, "PAGE", 2)
    ids = [world.mint(owner_of(world), WIDE, USDC, WETH) for _ in range(5)]
    snapshot = the_same(world, ours=ids[3:4], positions=(ids[4], ids[0]))
    assert [p.token_id for p in snapshot.positions] == [ids[0], ids[3], ids[4]]


def test_with_none_chosen(small_world: World) -> None:
    small_world.mint(owner_of(small_world), WIDE, USDC, WETH)
    assert the_same(small_world, positions=()).positions == ()


def test_with_positions_that_are_burned_given_away_emptied_or_never_were(world: World) -> None:
    owner, stranger = owner_of(world), world.backend.accounts[4]
    burned, kept, given, emptied, last = (world.mint(owner, WIDE, USDC, WETH) for _ in range(5))
    liquidity = {p.token_id: p.liquidity for p in the_same(world).positions}
    world.close(owner, burned, liquidity[burned])
    world.give_nft(owner, stranger, given)
    empty(world, owner, emptied, liquidity[emptied])
    assert [p.token_id for p in the_same(world).positions] == [kept, last]
    chosen = the_same(world, ours=(given, 999), positions=(kept, burned, emptied))
    assert [p.token_id for p in chosen.positions] == [kept]


def empty(world: World, owner: str, token_id: int, liquidity: int) -> None:
    """Take everything out of an NFT, and leave it there."""
    take_out(world, owner, token_id, liquidity)
    world.collect(owner, token_id)


def take_out(world: World, owner: str, token_id: int, liquidity: int) -> None:
    """Make all of a position owed."""
    data = _DECREASE.encode((token_id, liquidity, 0, 0, 2**40))
    world.execute(owner, world.deployment.position_manager, data)


def test_with_fees_owed_to_a_position_without_liquidity(small_world: World) -> None:
    owner = owner_of(small_world)
    token_id = small_world.mint(owner, WIDE, USDC, WETH)
    (held,) = the_same(small_world).positions
    take_out(small_world, owner, token_id, held.liquidity)
    (left,) = the_same(small_world).positions
    assert left.liquidity == 0
    assert left.tokens_owed0 > 0


@pytest.mark.parametrize(("zero_for_one", "tick"), [(True, MIN_TICK), (False, MAX_TICK - 1)])
def test_at_an_extreme_price(world: World, zero_for_one: bool, tick: int) -> None:
    world.mint(owner_of(world), NARROW, USDC, WETH)
    world.trade(EVERYTHING if zero_for_one else 10**26, zero_for_one=zero_for_one)
    assert the_same(world).state.tick == tick


def test_with_liquidity_up_to_the_last_ticks(small_world: World) -> None:
    small_world.provide(-887_270, 887_270, 10**12)
    small_world.trade(EVERYTHING, zero_for_one=True)
    state = the_same(small_world).state
    assert [t.tick for t in state.ticks] == [-887_270]
    assert state.tick == MIN_TICK


@pytest.mark.parametrize("from_above", [True, False])
def test_with_the_price_on_the_edges_of_ranges(small_world: World, from_above: bool) -> None:
    """A price that is a tick's own belongs to that tick, or to the one below where it came down."""
    world, edge = small_world, 199_500
    for lower, upper in ((edge - 500, edge), (edge, edge + 500)):
        world.mint(owner_of(world), f"[{lower}, {upper})", USDC, WETH)
    for tick in (edge + 200, edge - 200, edge + 200) if from_above else (edge + 200, edge - 200):
        world.follow(sqrt_price_at_tick(tick))
    world.follow(sqrt_price_at_tick(edge))
    snapshot = the_same(world)
    assert snapshot.state.tick == (edge - 1 if from_above else edge)
    assert len(snapshot.positions) == 2


@pytest.mark.parametrize("price", [4295128740, 2**96, 2**159])
def test_in_a_pool_of_another_fee_and_spacing(small_world: World, price: int) -> None:
    world, owner = small_world, owner_of(small_world)
    world.mint(owner, WIDE, USDC, WETH)
    pool = another_pool(world, price)
    held = world.mint(owner, "[-200, 400)", USDC, WETH, pool)
    assert [p.token_id for p in the_same(world, pool=pool).positions] == [held]


def another_pool(world: World, price: int) -> PoolKey:
    tokens = (world.pool.token0.address, world.pool.token1.address)
    creation = _CREATE_POOL.encode(*tokens, 10_000)
    world.execute(owner_of(world), world.deployment.factory, creation)
    address = find_pool(world.node, world.venue, tokens, 10_000)
    world.execute(owner_of(world), address, _INITIALIZE.encode(price))
    pool = read_pool(world.node, world.venue, address)
    world.provide(-887_200, 887_200, 10**6, pool)
    return pool


@pytest.mark.parametrize("window_s", [60, 10**6])
def test_with_and_without_a_history(small_world: World, window_s: int) -> None:
    twap = the_same(small_world, twap_window_s=window_s).twap
    assert (twap is None) == (window_s > 60)


def test_with_allowances_and_a_pricing_pool(small_world: World) -> None:
    world, owner = small_world, owner_of(small_world)
    world.mint(owner, WIDE, USDC, WETH)
    snapshot = the_same(world, native_pool=world.pool)
    assert [spender for _, spender, _ in snapshot.wallet.allowances] == [
        world.deployment.position_manager
    ] * 2


@pytest.mark.parametrize("seed", range(4))
def test_in_a_market_that_does_anything(seed: int) -> None:
    dice = random.Random(seed)
    with a_world("anvil") as world:
        owner, held = owner_of(world), {}
        for _ in range(12):
            something = dice.choice(("mint", "trade", "trade", "collect", "close", "time"))
            if something == "mint":
                lower = dice.randrange(19_000, 20_700) * 10
                upper = lower + dice.randrange(1, 400) * 10
                held[world.mint(owner, f"[{lower}, {upper})", USDC, WETH)] = None
            elif something == "trade":
                zero_for_one = dice.random() < 0.5
                most = 13 if zero_for_one else 22
                world.trade(int(10 ** dice.uniform(3, most)), zero_for_one=zero_for_one)
            elif something == "time":
                world.pass_time(dice.randrange(1, 1_000))
            elif held:
                token_id = dice.choice(list(held))
                if something == "collect":
                    world.execute(
                        owner,
                        world.deployment.position_manager,
                        world.venue.collect(token_id, owner),
                    )
                else:
                    del held[token_id]
                    found = {p.token_id: p.liquidity for p in through_lens(world).positions}
                    world.close(owner, token_id, found[token_id])
            assert {p.token_id for p in the_same(world).positions} == set(held)


# ---- a vault ----

BOUNDS = VaultBounds(
    twap_window_s=60,
    max_deviation_ticks=100,
    min_width_ticks=60,
    max_move_ticks=2_000,
    cooldown_s=600,
    max_loss_per_call_pips=3_000,
    max_loss_per_day_pips=10_000,
)


def a_vault(world: World) -> str:
    """A vault of the account's, whose operator it is too, with tokens in it."""
    owner = owner_of(world)
    address = created_address(owner, world.controls.nonce(owner))
    guardian = world.backend.accounts[5]
    creation = own_artifact("LiquidityVault").creation(
        liquidity_vault.CONSTRUCTOR,
        (
            world.deployment.factory,
            world.pool.address,
            owner,
            owner,
            guardian,
            liquidity_vault.bounds_words(BOUNDS),
        ),
    )
    world.controls.execute(owner, None, creation, what="deploy a vault")
    fund(world.backend, world.deployment, address, world.pool.amounts(10 * USDC, 10 * WETH))
    return address


def open_ranges(world: World, vault: str, *ranges: TickRange) -> None:
    desired, least = world.pool.amounts(USDC, WETH), world.pool.amounts(1, 1)
    order = Rebalance(
        keep=0,
        burn_minimum=world.pool.amounts(0, 0),
        swap=None,
        mints=tuple(Mint(range=held, desired=desired, minimum=least) for held in ranges),
    )
    head = world.node.head()
    seq = world.node.call(liquidity_vault.turns(vault), head).seq
    data = liquidity_vault.rebalance(seq, order, 2**40)
    world.execute(owner_of(world), vault, data)


def test_with_a_vault_that_holds_nothing_yet(world: World) -> None:
    vault = a_vault(world)
    snapshot = the_same(world, vault=vault)
    assert snapshot.positions == ()
    assert snapshot.vault is not None
    assert (snapshot.vault.bounds, snapshot.vault.centre, snapshot.vault.seq) == (BOUNDS, None, 0)
    assert (snapshot.wallet.address, snapshot.wallet.signer) == (vault, owner_of(world))
    assert snapshot.wallet.balances.raw == (10 * USDC, 10 * WETH)
    assert snapshot.wallet.native.raw > 10**18


def test_with_the_ranges_of_a_vault_in_its_own_order(world: World) -> None:
    vault, ranges = a_vault(world), (TickRange(198_000, 201_000), TickRange(195_000, 199_000))
    world.mint(owner_of(world), WIDE, USDC, WETH)  # the account's own, not the vault's
    open_ranges(world, vault, *ranges)
    for raw_in, zero_for_one in TRADES:
        world.trade(raw_in, zero_for_one=zero_for_one)
        world.pass_time(10)
        positions = the_same(world, vault=vault).positions
        assert [p.range for p in positions] == list(ranges)
        assert [liquidity_vault.range_of(p.token_id) for p in positions] == list(ranges)
    world.execute(owner_of(world), vault, liquidity_vault.collect_fees())
    for held in the_same(world, vault=vault).positions:
        assert min(held.fee_growth_inside0_last_x128, held.fee_growth_inside1_last_x128) > 0
    state = the_same(world, vault=vault).vault
    assert state is not None
    assert (state.seq, state.centre) == (1, 198_000)


@pytest.mark.parametrize("left", [0, 1])
def test_with_a_vault_that_left_a_token_in_the_pool(small_world: World, left: int) -> None:
    """As the owner may where a token's transfers are frozen. The vault keeps the range listed."""
    world, owner = small_world, owner_of(small_world)
    vault, held = a_vault(world), TickRange(198_000, 201_000)
    open_ranges(world, vault, held)
    leave = liquidity_vault.exit_all(owner, want0=left != 0, want1=left != 1)
    world.execute(owner, vault, leave)
    (kept,) = the_same(world, vault=vault).positions
    owed = (kept.tokens_owed0, kept.tokens_owed1)
    assert (kept.range, kept.liquidity, owed[1 - left]) == (held, 0, 0)
    assert owed[left] > 0


def test_with_a_vault_that_is_paused_and_to_change_hands(small_world: World) -> None:
    world, heir = small_world, small_world.backend.accounts[6]
    vault = a_vault(world)
    world.execute(owner_of(world), vault, liquidity_vault.propose_owner(heir))
    world.execute(owner_of(world), vault, liquidity_vault.pause())
    state = the_same(world, vault=vault).vault
    assert state is not None
    assert (state.paused, state.pending_owner) == (True, heir)


# ---- what it costs ----


@pytest.mark.parametrize("known", [False, True])
def test_a_reading_is_one_call_in_one_round_trip_after_the_head(world: World, known: bool) -> None:
    world.mint(owner_of(world), WIDE, USDC, WETH)
    transport = Watched(world.backend.transport)
    reader = a_reader(world, transport)
    if known:
        reader.read()
    transport.called, transport.trips = [], 0
    reader.read()
    assert (len(transport.called), transport.trips) == (1, 2)


def test_how_many_calls_it_takes_is_remembered(
    small_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lens, "PAGE", 2)
    for _ in range(5):
        small_world.mint(owner_of(small_world), WIDE, USDC, WETH)
    transport = Watched(small_world.backend.transport)
    reader = a_reader(small_world, transport)
    for trips in (3, 2):
        transport.called, transport.trips = [], 0
        assert len(reader.read().positions) == 5
        assert (len(transport.called), transport.trips) == (3, trips)


# ---- nodes that do not answer it ----


class Meddling:
    """A transport that does something to the answers to calls which create a contract."""

    def __init__(self, inner: Transport, meddle: Callable[[Any], Any]) -> None:
        self._inner = inner
        self._meddle = meddle
        self.lenses = 0

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        return [
            self._meddled(answer) if method == "eth_call" and "to" not in params[0] else answer
            for (method, params), answer in zip(
                requests, self._inner.request_many(requests), strict=True
            )
        ]

    def _meddled(self, answer: Any) -> Any:
        self.lenses += 1
        return self._meddle(answer)


def without_data(answer: RpcError) -> RpcError:
    return RpcError(answer.code, "execution reverted", None)


def cut(answer: RpcError) -> RpcError:
    return RpcError(answer.code, answer.message, answer.data[: 2 + 2 * 1024])


def cut_after_the_selector(answer: RpcError) -> RpcError:
    return RpcError(answer.code, answer.message, answer.data[:10])


REFUSALS: dict[str, Callable[[Any], Any]] = {
    "not allowed": lambda _: RpcError(-32602, "missing field `to`", None),
    "out of gas": lambda _: RpcError(-32000, "out of gas", None),
    "a revert without data": without_data,
    "cut data": cut,
    "nearly no data": cut_after_the_selector,
    "no revert": lambda _: "0x",
    "another revert": lambda _: RpcError(3, "execution reverted", "0x12345678"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_node_that_refuses_the_lens_is_asked_by_calls_and_told_of_once(
    small_world: World, refusal: str
) -> None:
    small_world.mint(owner_of(small_world), WIDE, USDC, WETH)
    transport = Meddling(small_world.backend.transport, REFUSALS[refusal])
    reader = a_reader(small_world, transport)
    with capture_logs() as logs:
        assert [reader.read() for _ in range(3)] == [by_calls(small_world)] * 3
    assert transport.lenses == 1
    assert [entry["event"][:28] for entry in logs] == ["the RPC refuses the lens; sn"]


def test_all_readers_of_a_node_know_that_it_refuses_the_lens(small_world: World) -> None:
    world, owner = small_world, owner_of(small_world)
    transport = Meddling(world.backend.transport, without_data)
    node = Node(transport, world.backend.chain_id)
    for _ in range(2):
        Reader(node, world.venue, world.watch(owner), lambda: READ_AT, CHECKED).read()
    assert transport.lenses == 1


def test_a_node_that_does_not_answer_calls_either_has_not_refused_the_lens(
    small_world: World,
) -> None:
    """As one that is behind the others, and has not the block's state."""
    world = small_world
    missing = [RpcError(-32000, "missing trie node", None)]
    transport = AllCalls(world.backend.transport, missing)
    reader = a_reader(world, transport)
    with capture_logs() as logs, pytest.raises(ChainError, match="missing trie node"):
        reader.read()
    missing.clear()
    assert reader.read() == by_calls(world)
    assert (logs, transport.other_calls) == ([], 0)


class AllCalls:
    """A transport that answers all contract calls with an error, as long as there is one."""

    def __init__(self, inner: Transport, errors: list[RpcError]) -> None:
        self._inner = inner
        self._errors = errors
        self.other_calls = 0

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = self._inner.request_many(requests)
        if not self._errors:
            self.other_calls += sum(m == "eth_call" and "to" in p[0] for m, p in requests)
            return answers
        return [
            self._errors[0] if method == "eth_call" else answer
            for (method, _), answer in zip(requests, answers, strict=True)
        ]


def test_a_node_that_is_silent_has_not_refused_the_lens(small_world: World) -> None:
    def silent(_answer: Any) -> Any:
        raise RpcUnavailable("no answer")

    transport = Meddling(small_world.backend.transport, silent)
    reader = a_reader(small_world, transport)
    for _ in range(2):
        with pytest.raises(RpcUnavailable):
            reader.read()
    assert transport.lenses == 2


def test_a_wrong_choice_is_refused_in_words_and_the_lens_is_not(small_world: World) -> None:
    world, owner, stranger = small_world, owner_of(small_world), small_world.backend.accounts[4]
    given = world.mint(owner, WIDE, USDC, WETH)
    world.give_nft(owner, stranger, given)
    reader = a_reader(world, positions=(given,))
    with capture_logs() as logs, pytest.raises(ConfigError, match=f"belongs to {stranger}"):
        reader.read()
    assert logs == []
    world.give_nft(stranger, owner, given)
    assert reader.read() == the_same(world, positions=(given,))


def test_a_choice_of_another_pool_is_refused_in_words(small_world: World) -> None:
    world, owner = small_world, owner_of(small_world)
    other = world.mint(owner, "[-200, 400)", USDC, WETH, another_pool(world, 2**96))
    with pytest.raises(ConfigError, match="of another pool"):
        a_reader(world, positions=(other,)).read()


def one_tick_less(parts: list[list[int]]) -> None:
    parts[2].pop()


def one_word_less(parts: list[list[int]]) -> None:
    parts[1].pop()


def half_a_position(parts: list[list[int]]) -> None:
    parts[3].pop()


def inverted_range(parts: list[list[int]]) -> None:
    parts[3][2] = 1 << 176 | 203_000 << 152 | 195_000 << 128 | 1


def damaging(damage: Callable[[list[list[int]]], None]) -> Callable[[RpcError], RpcError]:
    """What changes the parts of a lens's answer."""

    def damaged(answer: RpcError) -> RpcError:
        told = bytes.fromhex(answer.data[2:])
        parts = [list(part) for part in decode(["uint256[]"] * 5, told[4:])]
        damage(parts)
        return RpcError(
            3, answer.message, answer.data[:10] + encode(["uint256[]"] * 5, parts).hex()
        )

    return damaged


@pytest.mark.parametrize("damage", [one_tick_less, one_word_less, half_a_position, inverted_range])
def test_an_answer_that_cannot_be_true_is_an_error(
    small_world: World, damage: Callable[[list[list[int]]], None]
) -> None:
    small_world.mint(owner_of(small_world), WIDE, USDC, WETH)
    transport = Meddling(small_world.backend.transport, damaging(damage))
    with pytest.raises(ChainError, match="the lens's answer is malformed"):
        a_reader(small_world, transport).read()


def a_price_below_all(parts: list[list[int]]) -> None:
    parts[0][3] = 143


def a_price_above_all(parts: list[list[int]]) -> None:
    parts[0][3] = 2**160 - 1


def a_tick_of_another_price(parts: list[list[int]]) -> None:
    parts[0][4] += 2


@pytest.mark.parametrize("damage", [a_price_below_all, a_price_above_all, a_tick_of_another_price])
def test_a_pool_that_cannot_be_is_an_error_before_anything_is_made_of_it(
    small_world: World, damage: Callable[[list[list[int]]], None]
) -> None:
    transport = Meddling(small_world.backend.transport, damaging(damage))
    with pytest.raises(ChainError, match=f"pool {small_world.pool.address}: .* use another RPC"):
        a_reader(small_world, transport).read()


def no_price_of_the_native_coin(parts: list[list[int]]) -> None:
    parts[0][13] = 0


def test_a_pool_for_the_native_coin_that_has_no_price_is_an_error(small_world: World) -> None:
    transport = Meddling(small_world.backend.transport, damaging(no_price_of_the_native_coin))
    reader = a_reader(small_world, transport, native_pool=small_world.pool)
    with pytest.raises(ChainError, match=r"expected a sqrtPriceX96 in .* found 0"):
        reader.read()


def as_many_positions_as_can_be_told(parts: list[list[int]]) -> None:
    parts[0][21] = 2**256 - 1


class Hoarding:
    """A transport that tells of as many NFTs as can be told where it is asked for their number."""

    def __init__(self, inner: Transport, call: ContractCall[int]) -> None:
        self._inner = inner
        self._asked = "0x" + call.data.hex()

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        answers = self._inner.request_many(requests)
        return [
            "0x" + "ff" * 32
            if method == "eth_call" and params[0]["data"] == self._asked
            else answer
            for (method, params), answer in zip(requests, answers, strict=True)
        ]


def test_more_positions_than_can_be_looked_at_are_an_error(small_world: World) -> None:
    transport = small_world.backend.transport
    told = f"at most {MOST_NFTS} position NFTs, found {2**256 - 1}; name"
    with pytest.raises(ChainError, match=told):
        a_reader(
            small_world, Meddling(transport, damaging(as_many_positions_as_can_be_told))
        ).read()
    counting = small_world.venue.position_count(owner_of(small_world))
    reader = a_reader(small_world, Hoarding(Meddling(transport, without_data), counting))
    with pytest.raises(ChainError, match=told):
        reader.read()


def the_id_of_no_range(parts: list[list[int]]) -> None:
    parts[3][0] += 1


def test_a_position_of_a_vault_with_another_id_than_its_range_has_is_an_error(
    small_world: World,
) -> None:
    world, vault = small_world, a_vault(small_world)
    open_ranges(world, vault, TickRange(198_000, 201_000))
    transport = Meddling(world.backend.transport, damaging(the_id_of_no_range))
    with pytest.raises(ChainError, match="the lens's answer is malformed"):
        a_reader(world, transport, vault=vault).read()


# ---- answers for something else ----


class Elsewhere:
    """A transport that asks the lens at another block than it was told to."""

    def __init__(self, inner: Transport, block_hash: str) -> None:
        self._inner = inner
        self._at = {"blockHash": block_hash}

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        return self._inner.request_many(
            [
                (method, [params[0], self._at] if method == "eth_call" else params)
                for method, params in requests
            ]
        )


def test_an_answer_of_another_block_is_an_error(world: World) -> None:
    head = world.node.head()
    before = world.node.block(head.number - 1)
    reader = a_reader(world, Elsewhere(world.backend.transport, before.hash))
    told = f"asked about block {head.number} .* told of {before.number} of {before.timestamp}"
    with pytest.raises(ChainError, match=told):
        reader.read()


class OtherBranch:
    """A transport on whose chain the head has another parent."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        return [
            {**answer, "parentHash": "0x" + "ee" * 32}
            if method == "eth_getBlockByNumber"
            else answer
            for (method, _), answer in zip(
                requests, self._inner.request_many(requests), strict=True
            )
        ]


def test_an_answer_of_another_branch_is_an_error(small_world: World) -> None:
    reader = a_reader(small_world, OtherBranch(small_world.backend.transport))
    with pytest.raises(ChainError, match=r"after 0xeeee.* told of"):
        reader.read()
