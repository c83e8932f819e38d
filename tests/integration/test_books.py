"""Campaigns on the real contracts: the books close to the wei and the result adds up exactly."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import pytest
from a_person import resume
from builders import a_limits
from devnet_world import CHECKED, World, a_world
from empty_store import an_empty_ledger
from meddling import SEND, Meddling, failing_on
from sqlalchemy import text
from whole_intents import whole_intents

from lpmanager.abi import Function
from lpmanager.bookkeeping import Bookkeeper
from lpmanager.chain.node import Node, Question, block_hash_question
from lpmanager.chain.reader import Reader
from lpmanager.chain.transfers import find_transfers, received
from lpmanager.chain.transport import RpcError
from lpmanager.cycle import Campaign, Cycle, begin, observe, run_cycle, run_plan, take_over
from lpmanager.devnet.deploy import fund
from lpmanager.errors import (
    BooksDoNotClose,
    ChainError,
    GuardVeto,
    Halted,
    MaybeSent,
    PlanRefused,
    RpcUnavailable,
    StrangersTransaction,
    UsageError,
)
from lpmanager.execution.executor import Executor
from lpmanager.execution.fees import FeePolicy
from lpmanager.execution.intent import Intent, Status
from lpmanager.execution.moves import Pace
from lpmanager.execution.sender import Sender, SendPolicy
from lpmanager.execution.signer import signer_from_clear_key
from lpmanager.ledger.by_hand import ByHand
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.journal import TransactionJournal
from lpmanager.ledger.store import Ledger
from lpmanager.model import Amounts, Hold, Plan, Position, StopKind, TickRange
from lpmanager.rebalancer import Policy
from lpmanager.rebalancer.by_hand import close_plan, collect_plan, open_plan
from lpmanager.rebalancer.policies import FixedWidth, Passive
from lpmanager.venues import erc20

_TRANSFER = Function("transfer(address,uint256)")
_SOMEBODY = "0x" + "55" * 20
USDC_RAW, WETH_RAW = 10**11, 4 * 10**19
LIMITS = a_limits(
    max_twap_deviation_ticks=10**6,
    max_head_age_s=10**9,
    min_interval_s=0,
    max_moves_per_day=10**6,
    max_gas_per_day_raw=10**20,
    max_swap_cost_per_day_raw=10**30,
    max_pool_share=Fraction(1),
    payback_horizon_s=86_400,
    max_step_ticks=10**6,
    plan_ttl_s=3_600,
)


GWEI = 10**9
#: What is mined is final at once.
PROMPT = SendPolicy(
    timeout_s=5.0,
    poll_s=0.01,
    confirmations=1,
    fees=FeePolicy(cap=1_000 * GWEI),
    pace=Pace(bump_after_s=60),
)
#: What three blocks hold is final.
DEEP = replace(PROMPT, confirmations=3)


class Killed(BaseException):
    """As `kill -9`: nothing catches it."""


@dataclass
class Desk:
    """A campaign, by default with 100,000 USDC and 40 WETH, wired as the program wires it."""

    world: World
    ledger: Ledger
    policy: Policy
    quote: str
    name: str = "main"
    budget: Amounts | None = None
    owner: tuple[str, str] | None = None
    sending: SendPolicy = PROMPT
    rule: ByHand = ByHand.HALT
    stop: bool = False
    transport: Meddling = field(init=False)
    campaign: Campaign = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        self.owner = self.owner or world.new_account("campaign", USDC_RAW, WETH_RAW)
        self.transport = Meddling(world.backend.transport)
        node = Node(self.transport, world.backend.chain_id)
        quote = next(t for t in (world.pool.token0, world.pool.token1) if t.symbol == self.quote)
        adopted = None if self.budget is None else ()
        watch = world.watch(self.account, quote=quote, history_blocks=500, positions=adopted)
        reader = Reader(node, world.venue, watch, lambda: node.head().timestamp, CHECKED)
        signer = signer_from_clear_key(self.owner[1], devnet=True)
        may_sign = Diary(self.ledger.engine, self.name).require_running
        sending = replace(self.sending, owner_signs_too=self.rule is ByHand.ADOPT)
        sender = Sender(node, signer, self.journal, sending, may_sign)
        books = Bookkeeper(
            self.name, self.ledger, self.account, self.budget, self._moved, self.rule
        )
        self.campaign = Campaign(
            name=self.name,
            read=lambda: reader.read(books.open_positions(world.pool), books.landmarks().heights),
            block_hash=lambda height: node.ask(block_hash_question(height)),
            policy=self.policy,
            limits=LIMITS,
            books=books,
            custody=Executor(
                node, world.venue, world.pool, world.native, sender, lambda: self.stop
            ),
        )

    @property
    def account(self) -> str:
        assert self.owner is not None
        return self.owner[0]

    @property
    def journal(self) -> TransactionJournal:
        return self.ledger.journal(self.world.backend.chain_id)

    def restarted(self) -> Desk:
        """A new process of the same campaign."""
        return replace(self)

    def _moved(self, first: int, last: int, ours: frozenset[str]) -> Amounts:
        tokens = [self.world.pool.token0.address, self.world.pool.token1.address]
        wrapped = self.world.deployment.wrapped_native
        found = find_transfers(self.world.node, tokens, wrapped, self.account, first, last)
        outside = [transfer for transfer in found if transfer.tx_hash not in ours]
        return self.world.pool.amounts(*(received(outside, t, self.account) for t in tokens))

    def cycle(self) -> Cycle:
        return run_cycle(self.campaign)

    def intents(self) -> list[Intent]:
        return whole_intents(self.ledger.engine, self.account, self.world.backend.chain_id)

    def allowances(self) -> tuple[tuple[str, str, int], ...]:
        return self.world.read(self.account).wallet.allowances

    def market_moves(self, rng: random.Random, trades: int = 4) -> None:
        for _ in range(trades):
            if rng.random() < 0.5:
                self.world.trade(rng.randint(10**9, 6 * 10**10), zero_for_one=True)
            else:
                self.world.trade(rng.randint(10**17, 3 * 10**19), zero_for_one=False)

    def act_by_hand(self, to: str, data: bytes) -> None:
        """The owner sends a transaction that is none of ours."""
        self.unlock()
        self.world.execute(self.account, to, data)

    def unlock(self) -> None:
        """Let the chain sign whatever the owner sends."""
        node = self.world.node
        node.ask(Question("anvil_impersonateAccount", [self.account], lambda _: None))

    def at_rest(self) -> Cycle:
        """Cycles until the campaign has what it wants."""
        for _ in range(5):
            cycle = self.cycle()
            self.require_exact()
            if isinstance(cycle.decision, Hold):
                return cycle
        raise AssertionError("the campaign finds no rest")

    def require_nothing_twice(self) -> None:
        """Each nonce of the account is of one intent, and all of them are booked."""
        done = [i for i in self.intents() if i.attempts]
        assert {i.status for i in done} == {Status.BOOKED}
        assert [i.nonce for i in done] == list(range(self.world.controls.nonce(self.account)))

    def require_exact(self) -> None:
        """The identity holds exactly, and what the books hold is what the chain holds."""
        snapshot = self.campaign.read()
        record = self.campaign.books.bring_up_to(snapshot)
        result = self.campaign.books.result(snapshot)
        assert result.identity_error == 0
        assert result.in_quote()["identity_error"] == "0"
        assert record.wallet == snapshot.wallet.balances
        assert record.bases.keys() == {p.token_id for p in snapshot.positions}


#: Trades for the outlook to look back on.
HISTORY = 24

POLICIES: dict[str, Policy] = {
    "fixed_width": FixedWidth(half_width_ticks=300, deploy=Fraction(4, 5)),
    "passive": Passive(half_width_ticks=150, order_width_ticks=150),
}


@pytest.fixture(params=["USDC", "WETH"])
def quote(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=sorted(POLICIES))
def desk(quote: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with a_world("anvil", oracle_slots=200, trades=HISTORY) as world:
        made = a_desk(world, tmp_path, POLICIES[request.param], quote)
        yield made
        made.ledger.engine.dispose()


@pytest.fixture
def simple(tmp_path: Path) -> Iterator[Desk]:
    with a_world("anvil", trades=HISTORY) as world:
        made = a_desk(world, tmp_path, POLICIES["fixed_width"], "USDC")
        yield made
        made.ledger.engine.dispose()


def a_desk(world: World, folder: Path, policy: Policy, quote: str) -> Desk:
    return Desk(world, an_empty_ledger(folder / "books.db"), policy, quote)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_campaign_in_a_market_closes_its_books_at_every_cycle(desk: Desk, seed: int) -> None:
    rng, moved = random.Random(seed), 0
    for _ in range(10):
        cycle = desk.cycle()
        if cycle.outcome is not None:
            assert cycle.outcome.steps
            moved += 1
        desk.require_exact()
        assert cycle.snapshot.wallet.allowances == ()
        desk.market_moves(rng)
    assert moved >= 2
    result = desk.campaign.books.result(observe(desk.campaign).snapshot)
    assert result.fees > 0
    assert result.gas > 0
    assert len(desk.campaign.books.diary()) == 10


def test_the_same_chain_gives_the_same_decision_twice(simple: Desk) -> None:
    observe(simple.campaign)  # books are opened before they stand on a block
    first, second = observe(simple.campaign), observe(simple.campaign)
    assert first == second


def test_a_deposit_and_a_withdrawal_by_the_owner_are_dated_and_are_no_gain(simple: Desk) -> None:
    simple.cycle()
    before = simple.campaign.books.result(observe(simple.campaign).snapshot)
    given = simple.world.pool.amounts(12_345, 0)
    fund(simple.world.backend, simple.world.deployment, simple.account, given)
    simple.require_exact()
    deposited = simple.campaign.books.result(observe(simple.campaign).snapshot)
    assert deposited.net_deposits - before.net_deposits == 12_345
    assert deposited.nav_end - before.nav_end == 12_345
    simple.act_by_hand(simple.world.pool.token0.address, _TRANSFER.encode(_SOMEBODY, 2_345))
    simple.require_exact()
    taken = simple.campaign.books.result(observe(simple.campaign).snapshot)
    assert taken.net_deposits - before.net_deposits == 10_000
    assert taken.hodl == before.hodl


_WRAP, _UNWRAP = Function("deposit()"), Function("withdraw(uint256)")


def wraps(desk: Desk, wei: int) -> None:
    """The owner makes WETH of native coin."""
    desk.unlock()
    weth, data = desk.world.deployment.wrapped_native, _WRAP.encode()
    desk.world.controls.execute(desk.account, weth, data, value=wei, what="wrap")


def test_native_coin_that_the_owner_wraps_or_unwraps_comes_in_and_goes_out(simple: Desk) -> None:
    """WETH tells of it by events of its own, and of no transfer."""
    desk = replace(simple, quote="WETH", rule=ByHand.ADOPT)
    desk.at_rest()
    before = desk.campaign.books.result(observe(desk.campaign).snapshot)
    wraps(desk, 12_345)
    desk.require_exact()
    wrapped = desk.campaign.books.result(observe(desk.campaign).snapshot)
    assert wrapped.net_deposits - before.net_deposits == 12_345
    desk.act_by_hand(desk.world.deployment.wrapped_native, _UNWRAP.encode(2_345))
    desk.require_exact()
    unwrapped = desk.campaign.books.result(observe(desk.campaign).snapshot)
    assert unwrapped.net_deposits - before.net_deposits == 10_000
    assert unwrapped.hodl == before.hodl
    desk.cycle()
    desk.require_exact()


def test_native_coin_wrapped_by_hand_halts_as_a_strangers_transaction(simple: Desk) -> None:
    simple.cycle()
    wraps(simple, 12_345)
    with pytest.raises(StrangersTransaction, match="something else signs"):
        simple.cycle()


def test_a_dry_run_writes_nothing_and_sends_nothing(simple: Desk) -> None:
    nonce = simple.world.controls.nonce(simple.account)
    books = Bookkeeper("main", simple.ledger.rehearsal(), simple.account, None, simple._moved)
    dry = Campaign(
        name="main",
        read=simple.campaign.read,
        block_hash=simple.campaign.block_hash,
        policy=simple.policy,
        limits=LIMITS,
        books=books,
        custody=None,
    )
    cycle = run_cycle(dry)
    assert isinstance(cycle.decision, Plan)
    assert cycle.outcome is None
    assert simple.world.controls.nonce(simple.account) == nonce
    assert simple.ledger.campaign("main") is None


def test_a_position_withdrawn_by_hand_halts_until_a_person_has_looked(simple: Desk) -> None:
    cycle = simple.cycle()
    assert cycle.outcome is not None
    books = simple.campaign.books
    held = simple.campaign.read().positions[0]
    manager, nothing = simple.world.deployment.position_manager, simple.world.pool.amounts(0, 0)
    data = simple.world.venue.withdraw(
        held.token_id, held.liquidity, nothing, simple.account, 2**40
    )
    simple.act_by_hand(manager, data)
    with pytest.raises(BooksDoNotClose, match=f"position {held.token_id}"):
        simple.cycle()
    assert books.halted() is not None
    with pytest.raises(Halted, match="campaign main is halted"):
        simple.cycle()


# ---- what the owner does by hand ----

_INCREASE = Function("increaseLiquidity((uint256,uint256,uint256,uint256,uint256,uint256))")
_DECREASE = Function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))")
_FOREVER = 2**40


def the_position(desk: Desk) -> Position:
    return desk.campaign.read().positions[0]


def opens(desk: Desk) -> None:
    desk.world.mint(desk.account, "[198000, 200000)", 10**9, 10**17)


def adds(desk: Desk) -> None:
    given = desk.world.pool.amounts(10**9, 10**18)
    fund(desk.world.backend, desk.world.deployment, desk.account, given)
    pool, manager = desk.world.pool, desk.world.deployment.position_manager
    for token in (pool.token0, pool.token1):
        desk.act_by_hand(token.address, erc20.approve(manager, 2**255))
    added = (the_position(desk).token_id, *given.raw, 0, 0, _FOREVER)
    desk.act_by_hand(manager, _INCREASE.encode(added))
    for token in (pool.token0, pool.token1):
        desk.act_by_hand(token.address, erc20.approve(manager, 0))


def takes_out(desk: Desk) -> None:
    """A third, which waits in the NFT to be collected."""
    held = the_position(desk)
    taken = (held.token_id, held.liquidity // 3, 0, 0, _FOREVER)
    desk.act_by_hand(desk.world.deployment.position_manager, _DECREASE.encode(taken))


def collects(desk: Desk) -> None:
    desk.world.collect(desk.account, the_position(desk).token_id)


def closes(desk: Desk) -> None:
    held = the_position(desk)
    desk.world.close(desk.account, held.token_id, held.liquidity)


def gives_away(desk: Desk) -> None:
    desk.world.give_nft(desk.account, _SOMEBODY, the_position(desk).token_id)


ACTS = (opens, adds, takes_out, collects, closes, gives_away)


def halting_twin(desk: Desk) -> Bookkeeper:
    """The same books in memory, with the other rule."""
    return Bookkeeper("main", desk.ledger.rehearsal(), desk.account, None, desk._moved, ByHand.HALT)


def test_what_the_owner_does_halts_the_campaign_or_is_taken_in_to_the_wei(simple: Desk) -> None:
    desk = replace(simple, rule=ByHand.ADOPT)
    desk.unlock()
    for turn, act in enumerate(ACTS, start=1):
        desk.at_rest()
        desk.market_moves(random.Random(turn), trades=2)
        observe(desk.campaign)
        twin = halting_twin(desk)
        act(desk)
        desk.world.trade(10**6, zero_for_one=True)
        with pytest.raises(BooksDoNotClose, match="changed by hand"):
            twin.bring_up_to(desk.campaign.read())
        desk.require_exact()
        assert len(desk.campaign.books.adoptions()) == turn
    desk.at_rest()
    assert desk.campaign.books.halted() is None
    assert desk.campaign.read().positions != ()


def test_what_the_owner_did_is_no_gain_of_the_campaign(simple: Desk) -> None:
    desk = replace(simple, rule=ByHand.ADOPT)
    desk.unlock()
    desk.at_rest()
    desk.market_moves(random.Random(1))
    before = desk.campaign.books.result(observe(desk.campaign).snapshot)
    closes(desk)
    after = desk.campaign.books.result(observe(desk.campaign).snapshot)
    gained = (after.nav_end - after.net_deposits) - (before.nav_end - before.net_deposits)
    assert gained == 0
    assert (after.fees, after.rounding) == (before.fees, before.rounding)


def test_an_owner_who_signs_too_is_waited_for_until_that_is_final(simple: Desk) -> None:
    simple.at_rest()
    desk = replace(simple, rule=ByHand.ADOPT, sending=DEEP)
    desk.unlock()
    for _ in range(3):
        desk.world.pass_time(12)
    plan = close_plan("main", observe(desk.campaign), LIMITS)
    desk.world.controls.set_automine(False)
    data = "0x" + _TRANSFER.encode(_SOMEBODY, 0).hex()
    sent = {"from": desk.account, "to": desk.world.pool.token0.address, "data": data}
    desk.world.node.ask(Question("eth_sendTransaction", [sent], str))
    assert "that its owner signed are pending (1 of them)" in stopped(desk, plan)
    desk.world.pass_time(12)
    with pytest.raises(PlanRefused, match=r"perhaps by this very plan; make a new one"):
        run_plan(desk.campaign, plan)
    plan = close_plan("main", observe(desk.campaign), LIMITS)
    assert "not final yet; wait" in stopped(desk, plan)
    for _ in range(2):
        desk.world.pass_time(12)
    desk.transport.before_look = lambda: desk.world.pass_time(12)
    by_hand(desk, plan)
    desk.require_exact()
    assert desk.campaign.read().positions == ()


def stopped(desk: Desk, plan: Plan) -> str:
    """Why the plan was interrupted before anything was signed for it."""
    signed = len(desk.intents())
    outcome = run_plan(desk.campaign, plan).outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.stop.kind is StopKind.INTERRUPTED
    assert len(desk.intents()) == signed
    return outcome.stop.reason


# ---- plans by hand ----


def by_hand(desk: Desk, plan: Plan) -> Cycle:
    cycle = run_plan(desk.campaign, plan)
    assert cycle.outcome is not None
    assert cycle.outcome.stopped is None
    desk.require_exact()
    return cycle


def test_a_person_opens_collects_and_closes(simple: Desk) -> None:
    wanted = TickRange(198_500, 199_500)
    by_hand(simple, open_plan("main", observe(simple.campaign), wanted, LIMITS))
    (opened,) = simple.campaign.read().positions
    assert opened.range == wanted
    simple.world.trade(10**10, zero_for_one=True)
    simple.world.trade(10**18, zero_for_one=False)
    collected = by_hand(simple, collect_plan("main", observe(simple.campaign), LIMITS))
    assert [a.kind for a in plan_of(collected).actions] == ["collect"]
    by_hand(simple, close_plan("main", observe(simple.campaign), LIMITS))
    assert simple.campaign.read().positions == ()
    lives = simple.campaign.books.lineage()
    assert [(life.range, life.closed_at is not None) for life in lives] == [(wanted, True)]


def plan_of(cycle: Cycle) -> Plan:
    assert isinstance(cycle.decision, Plan)
    return cycle.decision


def test_a_plan_is_carried_out_once(simple: Desk) -> None:
    plan = open_plan("main", observe(simple.campaign), TickRange(198_500, 199_500), LIMITS)
    by_hand(simple, plan)
    with pytest.raises(GuardVeto, match="has moved since"):
        run_plan(simple.campaign, plan)


def test_what_a_person_asks_for_still_meets_the_guards(simple: Desk) -> None:
    view = observe(simple.campaign)
    with pytest.raises(UsageError, match="nothing to do"):
        close_plan("main", view, LIMITS)
    with pytest.raises(UsageError, match="nothing to do"):
        collect_plan("main", view, LIMITS)
    with pytest.raises(UsageError, match="nearest are 198500 and 198510"):
        open_plan("main", view, TickRange(198_505, 199_500), LIMITS)
    tight = a_limits(max_head_age_s=10**9, max_gas_per_day_raw=1)
    with pytest.raises(GuardVeto, match="gate gas per day is closed"):
        open_plan("main", view, TickRange(198_500, 199_500), tight)


def test_every_hold_lists_its_gates(simple: Desk) -> None:
    simple.cycle()
    again = simple.cycle()
    assert isinstance(again.decision, Hold)
    assert {"head age", "TWAP", "history", "price of gas"} <= {g.name for g in again.decision.gates}
    told = simple.campaign.books.diary()[-1].decision
    assert told["decision"] == "hold"
    assert [g["name"] for g in told["gates"]] == [g.name for g in again.decision.gates]


# ---- processes that end where they should not ----


RANGE = TickRange(198_500, 199_500)


def an_opening(desk: Desk) -> Plan:
    """A swap, then a mint."""
    plan = open_plan(desk.name, observe(desk.campaign), RANGE, LIMITS)
    assert [action.kind for action in plan.actions] == ["swap", "mint"]
    return plan


def kill_at(desk: Desk, what: str, *, taken: bool) -> None:
    """A plan whose process is killed as it sends a transaction: `taken` if the node had got it."""

    def kill(method: str) -> None:
        intent = desk.intents()[-1] if method == SEND else None
        if intent is not None and intent.purpose.call.what.startswith(what):
            if taken:
                raw = "0x" + intent.attempts[-1].raw.hex()
                desk.world.backend.transport.request_many([(SEND, [raw])])
            raise Killed

    plan = an_opening(desk)
    desk.transport.meddle = kill
    with pytest.raises(Killed):
        run_plan(desk.campaign, plan)


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize(("what", "minted"), [("allow", 0), ("swap", 0), ("mint", 1)])
def test_what_a_killed_process_had_begun_is_finished_by_the_next(
    simple: Desk, what: str, minted: int, taken: bool
) -> None:
    kill_at(simple, what, taken=taken)
    again = simple.restarted()
    view = begin(again.campaign)
    assert len(view.snapshot.positions) == minted
    assert again.allowances() == ()
    again.require_exact()
    again.require_nothing_twice()
    again.cycle()
    again.require_exact()
    again.require_nothing_twice()


def test_a_plan_that_was_finished_by_the_next_process_is_one_move(simple: Desk) -> None:
    """Part of it was booked by the first, part by the second."""
    hurried = replace(simple, sending=replace(PROMPT, timeout_s=0.2))
    hurried.transport.meddle = lambda method: (
        RpcUnavailable("no answer")
        if method == SEND and hurried.intents()[-1].purpose.call.what.startswith("mint")
        else None
    )
    plan = an_opening(hurried)
    with pytest.raises(MaybeSent):
        run_plan(hurried.campaign, plan)
    view = begin(simple.campaign)
    assert len(view.snapshot.positions) == 1
    assert view.record.usage.moves == 1
    entries = simple.ledger.entries("main", ["swapped", "minted"])
    assert {entry.decided_at for entry in entries} == {plan.block.timestamp}


def test_what_a_killed_process_had_begun_is_unwound_once_its_plan_has_expired(
    simple: Desk,
) -> None:
    kill_at(simple, "swap", taken=False)
    assert simple.allowances() != ()
    simple.world.pass_time(LIMITS.plan_ttl_s + 60)
    before = simple.world.balances(simple.account)
    again = simple.restarted()
    assert begin(again.campaign).snapshot.positions == ()
    allow, swap, revoke = again.intents()
    assert swap.inclusion is not None
    assert swap.outcome_of(swap.inclusion) is Status.CANCELLED
    assert [i.purpose.call.what for i in (allow, revoke)] == ["allow USDC", "revoke USDC"]
    assert again.allowances() == ()
    assert again.world.balances(again.account) == before
    again.require_exact()
    again.require_nothing_twice()


def test_an_allowance_that_a_failing_node_left_is_taken_back_first_thing(simple: Desk) -> None:
    def fail_once_allowed(method: str) -> Exception | None:
        allowed = simple.transport.count(SEND) > 0
        return RpcUnavailable("no answer") if allowed and method == "eth_estimateGas" else None

    simple.transport.meddle = fail_once_allowed
    cycle = simple.cycle()
    assert cycle.outcome is not None
    assert cycle.outcome.stopped == "no answer"
    assert simple.allowances() != ()
    simple.transport.meddle = lambda _method: None
    simple.transport.sent.clear()
    simple.cycle()
    done = [i.purpose.call.what.split()[0] for i in simple.intents()]
    assert done[:2] == ["allow", "revoke"]
    assert simple.allowances() == ()
    simple.require_exact()
    simple.require_nothing_twice()


def test_a_plan_that_was_stopped_half_way_is_not_done_again_from_its_beginning(
    simple: Desk,
) -> None:
    plan = an_opening(simple)

    def stop_after_the_swap(method: str) -> None:
        simple.stop = simple.stop or method == SEND

    simple.transport.meddle = stop_after_the_swap
    cycle = run_plan(simple.campaign, plan)
    assert cycle.outcome is not None
    assert cycle.outcome.stopped == "asked to stop"
    simple.stop, simple.transport.meddle = False, lambda _method: None
    nonce = simple.world.controls.nonce(simple.account)
    with pytest.raises(PlanRefused, match=r"begun before: .* is booked; make a new one"):
        run_plan(simple.campaign, plan)
    assert simple.world.controls.nonce(simple.account) == nonce


# ---- chains that are slow, or change their mind ----


@pytest.fixture
def deep(simple: Desk) -> Desk:
    """A campaign on a chain that mines a block at each look, and calls three of them final."""
    made = replace(simple, sending=DEEP)
    for _ in range(3):  # what the account was given is final
        made.world.pass_time(12)
    made.world.controls.set_automine(False)
    made.transport.before_look = lambda: made.world.pass_time(12)
    return made


def test_what_is_not_final_in_time_is_written_down_and_left_to_the_next_cycle(deep: Desk) -> None:
    hurried = replace(deep, sending=replace(DEEP, timeout_s=0.2))
    with pytest.raises(
        MaybeSent, match=r"allow .* under way \(sent\); `lpm run --once --live main`"
    ):
        hurried.cycle()
    (written,) = hurried.campaign.books.diary()
    assert written.stopped is not None
    assert "not mined within 0.2 s" in written.stopped
    assert hurried.campaign.books.halted() is None
    with pytest.raises(MaybeSent, match="not final within"):
        hurried.cycle()
    deep.cycle()
    deep.require_exact()
    deep.require_nothing_twice()


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("look", [1, 3, 5])
def test_books_close_over_a_reorganisation_in_the_middle_of_a_plan(
    deep: Desk, look: int, depth: int
) -> None:
    looks = iter(range(1_000))

    def mine_and_reorganise() -> None:
        deep.world.pass_time(12)
        if next(looks) == look:
            deep.world.node.ask(Question("anvil_reorg", [depth, []], lambda done: done))
            deep.world.pass_time(12)

    deep.transport.before_look = mine_and_reorganise
    deep.cycle()
    assert "reopened" in events(deep)
    for _ in range(2):
        last = deep.cycle()
    assert isinstance(last.decision, Hold)
    assert last.snapshot.positions != ()
    assert deep.allowances() == ()
    deep.require_exact()
    deep.require_nothing_twice()


def events(desk: Desk) -> set[str]:
    with desk.ledger.engine.connect() as connection:
        return set(connection.execute(text("SELECT event FROM journal")).scalars())


# ---- plans that fail ----


def test_three_plans_that_fail_halt_the_campaign_whichever_process_tries_them(
    simple: Desk,
) -> None:
    for turn in range(3):
        failing = simple.restarted()
        failing.transport.meddle = failing_on(
            "eth_estimateGas", RpcError(3, "execution reverted", "0x")
        )
        if turn < 2:
            failing.cycle()
    with pytest.raises(Halted, match="main is halted: 3 plans in a row failed, the last: "):
        failing.cycle()
    assert simple.world.controls.nonce(simple.account) == 0
    with pytest.raises(Halted, match="main is halted"):
        simple.restarted().cycle()
    resume(Diary(simple.ledger.engine, "main"), 1)
    simple.cycle()
    simple.require_exact()


def test_a_plan_that_is_cancelled_only_by_the_next_process_has_failed_too(simple: Desk) -> None:
    hurried = replace(simple, sending=replace(PROMPT, timeout_s=0.1))
    for turn in range(1, 4):
        plan = an_opening(simple)
        simple.world.controls.set_automine(False)
        with pytest.raises(MaybeSent):
            run_plan(hurried.restarted().campaign, plan)
        kinds = [row.stop_kind for row in simple.campaign.books.diary()]
        assert kinds == [StopKind.ERROR] * (turn - 1) + [StopKind.INTERRUPTED]
        if turn < 3:
            take_over_late(simple)
    with pytest.raises(Halted, match="3 plans in a row failed, the last: allow USDC: cancelled"):
        take_over_late(simple)
    simple.require_nothing_twice()


def take_over_late(desk: Desk) -> None:
    """Once the deadline has passed before anything was mined."""
    desk.world.node.ask(Question("anvil_dropAllTransactions", [], lambda done: done))
    desk.world.controls.set_automine(True)
    desk.world.pass_time(LIMITS.plan_ttl_s + 60)
    take_over(desk.restarted().campaign)


def leave_an_allowance(desk: Desk) -> None:
    """A node that fails once an allowance stands keeps the plan from taking it back."""
    left = desk.restarted()
    left.transport.meddle = lambda method: (
        RpcUnavailable("no answer")
        if left.transport.count(SEND) and method == "eth_estimateGas"
        else None
    )
    left.cycle()
    assert desk.allowances() != ()


def test_three_times_that_an_allowance_cannot_be_taken_back_halt_the_campaign(
    simple: Desk,
) -> None:
    leave_an_allowance(simple)
    for turn in range(3):
        failing = simple.restarted()
        failing.transport.meddle = failing_on(
            "eth_estimateGas", RpcError(3, "execution reverted", "0x")
        )
        with pytest.raises(ChainError if turn < 2 else Halted, match="execution reverted"):
            failing.cycle()
    assert "3 plans in a row failed, the last: " in str(simple.campaign.books.halted())
    assert [row.acted for row in simple.campaign.books.diary()] == [True, False, False, False]
    resume(Diary(simple.ledger.engine, "main"), 1)
    simple.cycle()
    assert simple.allowances() == ()
    simple.require_exact()


def test_three_allowances_whose_end_is_cancelled_by_the_next_process_halt_the_campaign(
    simple: Desk,
) -> None:
    leave_an_allowance(simple)
    hurried = replace(simple, sending=replace(PROMPT, timeout_s=0.1))
    for turn in range(1, 4):
        simple.world.controls.set_automine(False)
        with pytest.raises(MaybeSent, match="revoke USDC of campaign main is under way"):
            hurried.restarted().cycle()
        if turn < 3:
            take_over_late(simple)
    with pytest.raises(Halted, match="3 plans in a row failed, the last: revoke USDC: cancelled"):
        take_over_late(simple)
    simple.require_nothing_twice()


def test_a_node_that_is_away_for_long_halts_nothing(simple: Desk) -> None:
    for _ in range(5):
        away = simple.restarted()
        away.transport.meddle = failing_on("eth_estimateGas", RpcUnavailable("no answer"))
        cycle = away.cycle()
        assert cycle.outcome is not None
        assert cycle.outcome.stopped == "no answer"
    simple.cycle()
    simple.require_exact()


# ---- who else uses the account ----


def test_somebody_else_who_signs_for_the_account_halts_the_campaign(simple: Desk) -> None:
    simple.cycle()
    nonce = simple.world.controls.nonce(simple.account)
    simple.act_by_hand(simple.world.pool.token0.address, _TRANSFER.encode(_SOMEBODY, 0))
    plan = close_plan("main", observe(simple.campaign), LIMITS)
    told = rf"expected its next nonce to be {nonce}, found {nonce + 1}.*lpm resume main"
    with pytest.raises(Halted, match=told):
        run_plan(simple.campaign, plan)
    with pytest.raises(Halted, match=told):
        simple.cycle()
    assert simple.world.controls.nonce(simple.account) == nonce + 1
    resume(Diary(simple.ledger.engine, "main"), 1)
    by_hand(simple, plan)
    assert simple.campaign.read().positions == ()


def test_somebody_else_who_signs_is_noticed_at_the_next_look_of_a_campaign_that_holds(
    simple: Desk,
) -> None:
    simple.at_rest()
    nonce = simple.world.controls.nonce(simple.account)
    simple.act_by_hand(simple.world.pool.token0.address, _TRANSFER.encode(_SOMEBODY, 0))
    told = rf"expected its next nonce to be {nonce}, found {nonce + 1}.*lpm resume main"
    for _ in range(2):
        with pytest.raises(Halted, match=told):
            simple.restarted().cycle()
    resume(Diary(simple.ledger.engine, "main"), 1)
    assert isinstance(simple.restarted().cycle().decision, Hold)
    adopting = replace(simple, rule=ByHand.ADOPT)
    simple.act_by_hand(simple.world.pool.token0.address, _TRANSFER.encode(_SOMEBODY, 0))
    assert isinstance(adopting.cycle().decision, Hold)


@pytest.mark.parametrize("rule", ByHand)
def test_a_nonce_that_was_taken_from_a_killed_process_halts_the_campaign(
    simple: Desk, rule: ByHand
) -> None:
    kill_at(simple, "allow", taken=False)
    simple.act_by_hand(simple.world.pool.token0.address, _TRANSFER.encode(_SOMEBODY, 0))
    again = replace(simple, rule=rule)
    with pytest.raises(Halted, match=r"nonce 0, of allow .*, was used by a transaction that this"):
        again.cycle()
    assert again.campaign.books.halted() is not None
    with pytest.raises(Halted, match="campaign main is halted"):
        again.cycle()
    resume(Diary(again.ledger.engine, "main"), 1)
    again.cycle()
    again.require_exact()


def test_a_halted_campaign_books_what_it_had_sent_and_keeps_no_other_from_going_on(
    simple: Desk,
) -> None:
    share = simple.world.pool.amounts(USDC_RAW // 2, WETH_RAW // 2)
    one = replace(simple, name="one", budget=share)
    two = replace(simple, name="two", budget=share)
    two.cycle()
    kill_at(one, "mint", taken=True)
    Diary(one.ledger.engine, "one").halt("let me look", 1)
    signed = [len(intent.attempts) for intent in one.intents()]
    with pytest.raises(MaybeSent, match=r"begun for campaign one .*`lpm run --once --live one`"):
        two.restarted().cycle()
    with pytest.raises(Halted, match="campaign one is halted: let me look"):
        one.restarted().cycle()
    assert [len(intent.attempts) for intent in one.intents()] == signed
    one.require_nothing_twice()
    two.restarted().cycle()
    resume(Diary(one.ledger.engine, "one"), 2)
    assert one.restarted().cycle().snapshot.positions != ()


def test_two_campaigns_share_an_account_and_one_waits_for_the_others_transactions(
    simple: Desk,
) -> None:
    share = simple.world.pool.amounts(USDC_RAW // 2, WETH_RAW // 2)
    one = replace(simple, name="one", budget=share)
    two = replace(simple, name="two", budget=share)
    two.cycle()
    kill_at(one, "mint", taken=False)
    with pytest.raises(MaybeSent, match=r"begun for campaign one .*`lpm run --once --live one`"):
        two.restarted().cycle()
    one = one.restarted()
    one.cycle()
    two.cycle()
    one.require_nothing_twice()
    for desk in (one, two):
        snapshot = desk.campaign.read()
        record = desk.campaign.books.bring_up_to(snapshot)
        assert desk.campaign.books.result(snapshot).identity_error == 0
        assert record.bases.keys() == {p.token_id for p in snapshot.positions}
        assert record.bases
    for token, held in zip(
        (one.world.pool.token0, one.world.pool.token1),
        one.world.balances(one.account),
        strict=True,
    ):
        chain_id = one.world.backend.chain_id
        assert one.ledger.wallet_totals(chain_id, one.account, token.address) == held
