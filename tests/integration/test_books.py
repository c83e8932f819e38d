"""Campaigns on the real contracts: the books close to the wei and the result adds up exactly."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest
from builders import a_limits
from devnet_world import World, a_world

from lpmanager.abi import Function
from lpmanager.bookkeeping import Bookkeeper
from lpmanager.chain.node import Node, Question
from lpmanager.chain.reader import Reader
from lpmanager.chain.transfers import find_transfers, received
from lpmanager.cycle import Campaign, Cycle, observe, run_cycle, run_plan
from lpmanager.devnet.deploy import fund
from lpmanager.errors import BooksDoNotClose, GuardVeto, Halted, UsageError
from lpmanager.execution.executor import Executor
from lpmanager.execution.sender import Sender, SendPolicy
from lpmanager.execution.signer import signer_from_clear_key
from lpmanager.ledger.journal import TransactionJournal
from lpmanager.ledger.store import Ledger
from lpmanager.model import Amounts, Hold, Plan, TickRange
from lpmanager.rebalancer import Policy
from lpmanager.rebalancer.by_hand import close_plan, collect_plan, open_plan
from lpmanager.rebalancer.policies import FixedWidth, Passive

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
    payback_horizon_s=600,
    max_step_ticks=10**6,
    plan_ttl_s=3_600,
)


@dataclass
class Desk:
    """A campaign with 100,000 USDC and 40 WETH, wired as the program wires it."""

    world: World
    ledger: Ledger
    policy: Policy
    quote: str
    account: str = field(init=False)
    campaign: Campaign = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        self.account, key = world.new_account("campaign", USDC_RAW, WETH_RAW)
        node = Node(world.backend.transport, world.backend.chain_id)
        quote = next(t for t in (world.pool.token0, world.pool.token1) if t.symbol == self.quote)
        watch = world.watch(self.account, quote=quote, history_blocks=500)
        reader = Reader(node, world.venue, watch, lambda: node.head().timestamp)
        journal = TransactionJournal(self.ledger.engine, node.chain_id)
        signer = signer_from_clear_key(key, devnet=True)
        sender = Sender(node, signer, journal, SendPolicy(timeout_s=5.0, poll_s=0.01))
        self.campaign = Campaign(
            name="main",
            read=reader.read,
            policy=self.policy,
            limits=LIMITS,
            books=Bookkeeper("main", self.ledger, None, self._moved),
            custody=Executor(node, world.venue, world.pool, world.native, sender, lambda: False),
        )

    def _moved(self, first: int, last: int, ours: frozenset[str]) -> Amounts:
        tokens = [self.world.pool.token0.address, self.world.pool.token1.address]
        found = find_transfers(self.world.node, tokens, self.account, first, last)
        outside = [transfer for transfer in found if transfer.tx_hash not in ours]
        return self.world.pool.amounts(*(received(outside, t, self.account) for t in tokens))

    def cycle(self) -> Cycle:
        return run_cycle(self.campaign)

    def market_moves(self, rng: random.Random, trades: int = 4) -> None:
        for _ in range(trades):
            if rng.random() < 0.5:
                self.world.trade(rng.randint(10**9, 6 * 10**10), zero_for_one=True)
            else:
                self.world.trade(rng.randint(10**17, 3 * 10**19), zero_for_one=False)

    def act_by_hand(self, to: str, data: bytes) -> None:
        """The owner sends a transaction that is none of ours."""
        node = self.world.node
        node.ask(Question("anvil_impersonateAccount", [self.account], lambda _: None))
        self.world.execute(self.account, to, data)

    def require_exact(self) -> None:
        """The identity holds exactly, and what the books hold is what the chain holds."""
        snapshot = self.campaign.read()
        record = self.campaign.books.bring_up_to(snapshot)
        result = self.campaign.books.result(snapshot)
        assert result.identity_error == 0
        assert result.in_quote()["identity_error"] == "0"
        assert record.wallet == snapshot.wallet.balances
        assert record.bases.keys() == {p.token_id for p in snapshot.positions}


POLICIES: dict[str, Policy] = {
    "fixed_width": FixedWidth(half_width_ticks=300, deploy=Fraction(4, 5)),
    "passive": Passive(half_width_ticks=150, order_width_ticks=150),
}


@pytest.fixture(params=["USDC", "WETH"])
def quote(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=sorted(POLICIES))
def desk(quote: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with a_world("anvil", oracle_slots=200) as world:
        made = a_desk(world, tmp_path, POLICIES[request.param], quote)
        yield made
        made.ledger.engine.dispose()


@pytest.fixture
def simple(tmp_path: Path) -> Iterator[Desk]:
    with a_world("anvil") as world:
        made = a_desk(world, tmp_path, POLICIES["fixed_width"], "USDC")
        yield made
        made.ledger.engine.dispose()


def a_desk(world: World, folder: Path, policy: Policy, quote: str) -> Desk:
    for turn in range(24):  # a history for the outlook
        if turn % 2:
            world.trade(10**18, zero_for_one=False)
        else:
            world.trade(2 * 10**9, zero_for_one=True)
    return Desk(world, Ledger.open(f"sqlite:///{folder / 'books.db'}"), policy, quote)


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


def test_a_dry_run_writes_nothing_and_sends_nothing(simple: Desk) -> None:
    nonce = simple.world.controls.nonce(simple.account)
    books = Bookkeeper("main", simple.ledger.rehearsal(), None, simple._moved)
    dry = Campaign(
        name="main",
        read=simple.campaign.read,
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
