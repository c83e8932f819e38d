"""Plans carried out from a vault on the real contracts: in one transaction, to the wei."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from builders import a_block
from devnet_world import PRICE, a_world
from meddling import SEND, Blind, Forgetful, Meddling, failing_on
from plan_desk import POLICY, USDC_RAW, WETH_RAW, PlanDesk
from vault_world import WIDE, deploy_vault

from lpmanager.amm import MIN_SQRT_PRICE
from lpmanager.chain.node import Node, Question, Receipt, receipt_question
from lpmanager.devnet.deploy import fund
from lpmanager.errors import CallReverted, ChainError, PlanRefused, RpcUnavailable
from lpmanager.execution.plan_terms import wallet_change
from lpmanager.execution.rehearsal import rehearse
from lpmanager.execution.sender import Sender
from lpmanager.execution.signer import GuardedSigner, signer_from_clear_key
from lpmanager.execution.vault_allowed import OperatorAllowList
from lpmanager.execution.vault_custody import VaultExecutor
from lpmanager.execution.vault_facts import read_vault_facts
from lpmanager.model import (
    Action,
    Amounts,
    Collect,
    Collected,
    Liquidity,
    Mint,
    Minted,
    Outcome,
    Plan,
    SqrtPriceX96,
    StopKind,
    Swap,
    Swapped,
    SwapPurpose,
    TickRange,
    VaultTurn,
    Withdraw,
    Withdrawn,
)
from lpmanager.venues import liquidity_vault, uniswap_v3
from lpmanager.venues.liquidity_vault import Turns, position_id

OUTER, INNER, BESIDE = (
    TickRange(198_000, 200_000),
    TickRange(198_500, 199_500),
    TickRange(200_000, 200_500),
)

LONG_COOLDOWN = replace(WIDE, cooldown_s=3_600)


@dataclass
class Desk(PlanDesk):
    """A vault with 100,000 USDC and 50 WETH, and the account that operates it."""

    def __post_init__(self) -> None:
        world = self.world
        self.owner = world.backend.accounts[3]
        self.account, self._key = world.new_account("operator", 0, 1)
        backend, deployment = world.backend, world.deployment
        self.vault = deploy_vault(backend, deployment, owner=self.owner, operator=self.account)
        fund(backend, deployment, self.vault, world.pool.amounts(USDC_RAW, WETH_RAW))
        super().__post_init__()

    def executor(self, transport: Meddling | None = None) -> VaultExecutor:
        world = self.world
        node = Node(transport or self.transport, world.backend.chain_id)
        allowed = OperatorAllowList(
            chain_id=node.chain_id,
            account=self.account,
            vault=self.vault,
            max_fee=POLICY.fees.cap,
        )
        key = signer_from_clear_key(self._key, devnet=True)
        signer = GuardedSigner(key, allowed, lambda: None)
        sender = Sender(node, signer, self.journal, POLICY, lambda: None)
        return VaultExecutor(node, self.vault, world.pool, world.native, sender, lambda: self.stop)

    def plan(self, *actions: Action, **changes: object) -> Plan:
        turn = VaultTurn(address=self.vault, seq=self.turns().seq)
        return super().plan(*actions, **{"vault": turn, **changes})

    def carry_out(self, *actions: Action, **changes: object) -> Outcome:
        plan = self.plan(*actions, **changes)
        return self.booked(self.executor().carry_out(plan, self.idle()))

    def booked(self, outcome: Outcome) -> Outcome:
        """The cooldown is over then."""
        super().booked(outcome)
        self.world.pass_time(61)
        return outcome

    def turns(self) -> Turns:
        return self.world.node.call(liquidity_vault.turns(self.vault), self.world.node.head())

    def ranges(self) -> set[TickRange]:
        node = self.world.node
        return set(node.call(liquidity_vault.ranges(self.vault), node.head()))

    def idle(self) -> Amounts:
        return self.world.pool.amounts(*self.world.balances(self.vault))

    def native(self) -> int:
        told = self.world.backend.transport.request_many(
            [("eth_getBalance", [self.account, "latest"])]
        )
        return int(told[0], 16)

    def price(self) -> SqrtPriceX96:
        node = self.world.node
        return node.call(uniswap_v3.slot0(self.world.pool.address), node.head()).sqrt_price_x96

    def liquidity(self, tick_range: TickRange) -> int:
        node = self.world.node
        position = uniswap_v3.position_in_pool(self.world.pool, self.vault, tick_range)
        return node.call(position, node.head()).liquidity

    def id_of(self, tick_range: TickRange) -> int:
        return position_id(self.vault, tick_range)

    def mint(
        self, tick_range: TickRange = OUTER, *, minimum: tuple[int, int] = (1, 1), share: int = 2
    ) -> Mint:
        return self.minting(tick_range, minimum, share)

    def sale(self, raw_in: int) -> Swap:
        """A swap that sells all of it, wherever the price goes."""
        return replace(self.swap(raw_in), sqrt_price_limit_x96=SqrtPriceX96(MIN_SQRT_PRICE + 1))

    def withdraw(self, tick_range: TickRange = OUTER) -> Withdraw:
        pool = self.world.pool
        return Withdraw(
            token_id=self.id_of(tick_range),
            liquidity=Liquidity(self.liquidity(tick_range)),
            minimum=pool.amounts(1, 1),
            expected=pool.amounts(1, 1),
        )

    def collect(self, tick_range: TickRange = OUTER) -> Collect:
        return Collect(token_id=self.id_of(tick_range), expected=self.world.pool.amounts(0, 0))

    def receipt(self, outcome: Outcome) -> Receipt:
        (step,) = outcome.steps
        receipt = self.world.node.ask(receipt_question(step.tx_hash))
        assert receipt is not None
        return receipt


@pytest.fixture(params=["eth-tester", "anvil"])
def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with a_world(request.param) as world:
        desk = Desk(world, tmp_path)
        yield desk
        desk.engine.dispose()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_world("anvil") as world:
        made = Desk(world, tmp_path)
        yield made
        made.engine.dispose()


def facts(outcome: Outcome) -> list[Any]:
    return [fact for step in outcome.steps for fact in step.facts]


def done(outcome: Outcome) -> list[Any]:
    """The facts of a plan that was carried out, in one transaction."""
    assert outcome.stopped is None, outcome.stopped
    assert len(outcome.steps) == 1
    return facts(outcome)


def stopped(desk: Desk, outcome: Outcome, kind: StopKind) -> str:
    """Why nothing was done, and nothing was signed."""
    assert outcome.steps == ()
    assert outcome.stop is not None
    assert outcome.stop.kind is kind, outcome.stop
    assert desk.open() == []
    return outcome.stop.reason


def test_a_whole_plan_is_one_transaction_and_its_facts_are_what_the_vault_gained_to_the_wei(
    everywhere: Desk,
) -> None:
    desk = everywhere
    first = done(desk.carry_out(desk.mint()))
    assert [type(fact) for fact in first] == [Minted]
    desk.world.trade(10**10, zero_for_one=True)
    desk.world.trade(4 * 10**18, zero_for_one=False)
    desk.world.pass_time(60)
    before, coins = desk.idle(), desk.native()
    outcome = desk.carry_out(
        desk.withdraw(), desk.swap(), desk.mint(INNER), desk.mint(BESIDE, minimum=(1, 0))
    )
    moved = done(outcome)
    assert [type(fact) for fact in moved] == [Withdrawn, Swapped, Minted, Minted]
    assert desk.idle() - before == sum(map(wallet_change, moved), desk.world.pool.amounts(0, 0))
    assert coins - desk.native() == outcome.steps[0].gas_paid.raw
    assert moved[0].token_id == desk.id_of(OUTER)
    assert min(moved[0].fees.raw) > 0
    assert [fact.range for fact in moved[2:]] == [INNER, BESIDE]
    assert {fact.range: fact.liquidity for fact in moved[2:]} == {
        each: desk.liquidity(each) for each in (INNER, BESIDE)
    }
    assert desk.ranges() == {INNER, BESIDE}
    assert desk.turns().seq == 2
    assert desk.open() == []


def test_a_swap_is_told_with_the_price_before_it_and_a_mint_with_the_price_after_it(
    desk: Desk,
) -> None:
    before = desk.price()
    swapped, minted = done(desk.carry_out(desk.swap(), desk.mint()))
    assert swapped.sqrt_price_before_x96 == before
    assert minted.sqrt_price_x96 == desk.price() < before
    assert swapped.delta.amount0.raw == -(10**9)
    assert swapped.purpose is SwapPurpose.HEDGE
    assert all(0 <= raw <= 1 for raw in (minted.paid - minted.principal).raw)


def test_fees_of_all_that_a_vault_holds_are_collected_at_once(everywhere: Desk) -> None:
    desk = everywhere
    done(desk.carry_out(desk.mint(share=4), desk.mint(INNER, share=4)))
    desk.world.trade(10**10, zero_for_one=True)
    before, turn = desk.idle(), desk.turns().seq
    collected = done(desk.carry_out(desk.collect(INNER)))
    assert [type(fact) for fact in collected] == [Collected, Collected]
    assert {fact.token_id for fact in collected} == {desk.id_of(OUTER), desk.id_of(INNER)}
    gained = desk.idle() - before
    assert gained == sum(map(wallet_change, collected), desk.world.pool.amounts(0, 0))
    assert gained.amount0.raw > 0
    assert desk.turns().seq == turn


def test_what_a_plan_does_not_withdraw_stays_as_it_is(desk: Desk) -> None:
    done(desk.carry_out(desk.mint(share=4), desk.mint(INNER, share=4)))
    kept = desk.liquidity(OUTER)
    moved = done(desk.carry_out(desk.withdraw(INNER), desk.mint(BESIDE, minimum=(1, 0), share=8)))
    assert [type(fact) for fact in moved] == [Withdrawn, Minted]
    assert desk.ranges() == {OUTER, BESIDE}
    assert desk.liquidity(OUTER) == kept


def test_a_swap_that_stops_at_its_price_limit_is_told_by_what_it_sold(desk: Desk) -> None:
    near = replace(desk.swap(USDC_RAW), sqrt_price_limit_x96=SqrtPriceX96(PRICE - 10**30))
    before = desk.idle()
    (swapped,) = done(desk.carry_out(near))
    assert 0 < -swapped.delta.amount0.raw < USDC_RAW
    assert desk.idle() - before == swapped.delta


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chain_id": 1}, "the plan is for chain 1, this is 31337"),
        ({"account": "0x" + "11" * 20}, "the plan is for account 0x11"),
        ({"pool": "0x" + "22" * 20}, "the plan is for pool 0x22"),
        ({"vault": None}, "the plan is for the account itself, this is vault"),
        ({"vault": VaultTurn(address="0x" + "33" * 20, seq=0)}, "the plan is for vault 0x33"),
    ],
)
def test_a_plan_for_somebody_else_is_refused(desk: Desk, changes: dict, message: str) -> None:
    with pytest.raises(PlanRefused, match=message):
        desk.carry_out(desk.swap(), **changes)
    assert desk.transport.count(SEND) == 0


def test_a_plan_that_is_more_than_one_call_is_refused(desk: Desk) -> None:
    done(desk.carry_out(desk.mint()))
    with pytest.raises(PlanRefused, match="collects fees besides other actions"):
        desk.carry_out(desk.collect(), desk.swap())


def test_a_plan_of_a_turn_that_was_used_up_does_nothing(desk: Desk) -> None:
    late = desk.plan(desk.swap())
    done(desk.carry_out(desk.mint()))
    outcome = desk.executor().carry_out(late, desk.idle())
    reason = stopped(desk, outcome, StopKind.OVERTAKEN)
    assert reason == f"the plan is for rebalance 0 of vault {desk.vault}, which is at 1 by now"


def test_an_exit_by_the_owner_overtakes_a_plan(desk: Desk) -> None:
    done(desk.carry_out(desk.mint()))
    late = desk.plan(desk.withdraw())
    desk.world.execute(desk.owner, desk.vault, liquidity_vault.exit_all(desk.owner))
    outcome = desk.executor().carry_out(late, desk.idle())
    assert "is at 2 by now" in stopped(desk, outcome, StopKind.OVERTAKEN)


def test_an_expired_plan_and_one_whose_price_has_gone_do_nothing(desk: Desk) -> None:
    expired = desk.carry_out(desk.swap(), expires_at=desk.world.node.head().timestamp - 1)
    assert "expired" in stopped(desk, expired, StopKind.OVERTAKEN)
    gone = desk.carry_out(desk.swap(), sqrt_price_min_x96=SqrtPriceX96(PRICE + 10**28))
    assert "the price left the plan's bounds" in stopped(desk, gone, StopKind.OVERTAKEN)


def test_a_stop_that_was_asked_for_is_heard_before_anything_is_signed(desk: Desk) -> None:
    desk.stop = True
    assert stopped(desk, desk.carry_out(desk.swap()), StopKind.ASKED) == "asked to stop"


def test_what_the_vault_would_refuse_costs_nothing_and_is_said_in_words(everywhere: Desk) -> None:
    desk = everywhere
    outcome = desk.carry_out(desk.swap(minimum_out=10**30))
    reason = stopped(desk, outcome, StopKind.OVERTAKEN)
    assert reason.startswith(f"rebalance 0 of vault {desk.vault}: the swap brings ")
    assert reason.endswith("raw units, below the plan's minimum; the next cycle decides anew")
    assert desk.transport.count(SEND) == 0


def test_a_paused_vault_is_left_alone_and_the_reason_names_the_way_out(desk: Desk) -> None:
    desk.world.execute(desk.owner, desk.vault, liquidity_vault.pause())
    reason = stopped(desk, desk.carry_out(desk.mint()), StopKind.OVERTAKEN)
    assert "the vault is paused; its owner ends that by `lpm vault unpause`" in reason
    desk.world.execute(desk.owner, desk.vault, liquidity_vault.unpause())
    done(desk.carry_out(desk.mint()))


def test_a_cooldown_is_waited_for(desk: Desk) -> None:
    done(desk.carry_out(desk.swap(), desk.mint()))
    desk.world.execute(desk.owner, desk.vault, liquidity_vault.set_bounds(LONG_COOLDOWN))
    soon = desk.carry_out(desk.swap())
    assert "the vault's cooldown lasts until" in stopped(desk, soon, StopKind.OVERTAKEN)


def test_an_account_that_is_no_operator_any_more_halts(desk: Desk) -> None:
    data = liquidity_vault.set_operator(liquidity_vault.NOBODY)
    desk.world.execute(desk.owner, desk.vault, data)
    reason = stopped(desk, desk.carry_out(desk.mint()), StopKind.HALT)
    assert "is not the vault's operator" in reason
    assert "look before you resume" in reason


def test_tokens_that_are_not_where_they_should_be_halt(desk: Desk) -> None:
    """The books say that more is there than the swap sells."""
    plan = desk.plan(desk.sale(USDC_RAW + 1))
    outcome = desk.executor().carry_out(plan, desk.world.pool.amounts(2 * USDC_RAW, WETH_RAW))
    assert "could not transfer token" in stopped(desk, outcome, StopKind.HALT)


def test_a_swap_of_what_a_withdrawal_no_longer_brings_is_overtaken(desk: Desk) -> None:
    done(desk.carry_out(desk.mint()))
    outcome = desk.carry_out(desk.withdraw(), desk.sale(USDC_RAW + 1))
    reason = stopped(desk, outcome, StopKind.OVERTAKEN)
    assert "what is withdrawn no longer covers what the plan sells" in reason


def test_a_plan_is_rehearsed_whole_without_signing_anything(desk: Desk) -> None:
    world = desk.world
    done(desk.carry_out(desk.mint()))
    good = desk.plan(desk.withdraw(), desk.swap(), desk.mint(INNER))
    call = rehearse(world.node, world.venue, world.pool, good, world.node.head())
    assert call.what == f"rebalance 1 of vault {desk.vault}"
    late = replace(good, vault=VaultTurn(address=desk.vault, seq=0))
    with pytest.raises(CallReverted, match="would revert: another rebalance or an exit came first"):
        rehearse(world.node, world.venue, world.pool, late, world.node.head())
    assert desk.ranges() == {OUTER}


def test_a_rebalance_that_is_mined_and_reverts_is_a_failure_that_moved_nothing(desk: Desk) -> None:
    blind = Blind(desk.world.backend.transport)
    before = desk.idle()
    plan = desk.plan(desk.swap(minimum_out=10**30))
    outcome = desk.booked(desk.executor(blind).carry_out(plan, before))
    assert outcome.stop is not None
    assert outcome.stop.kind is StopKind.ERROR
    assert "was mined but reverted" in outcome.stop.reason
    assert facts(outcome) == []
    assert desk.idle() == before
    assert desk.turns().seq == 0


def test_what_was_never_taken_by_a_node_is_carried_out_once_by_who_takes_over(desk: Desk) -> None:
    desk.transport.meddle = failing_on(SEND, RpcUnavailable("no answer"))
    left = desk.carry_out(desk.swap(), desk.mint())
    assert left.stop is not None
    assert left.stop.kind is StopKind.INTERRUPTED
    desk.transport.meddle = lambda _method: None
    (intent,) = desk.open()
    assert [action.kind for action in intent.purpose.actions] == ["swap", "mint"]
    before = desk.idle()
    moved = done(desk.booked(desk.executor().recover("main")))
    assert desk.idle() - before == sum(map(wallet_change, moved), desk.world.pool.amounts(0, 0))
    assert desk.turns().seq == 1
    assert desk.executor().recover("main") == Outcome(steps=(), stop=None)


def test_a_vault_has_no_allowances_to_take_back(desk: Desk) -> None:
    assert desk.executor().take_back("main", a_block(), 0) == Outcome(steps=(), stop=None)


@pytest.mark.parametrize("missing", ["COLLECTED", "SWAPPED", "MINTED", "SWAP_EVENT"])
def test_a_receipt_that_leaves_something_out_is_not_believed(desk: Desk, missing: str) -> None:
    done(desk.carry_out(desk.mint()))
    actions = (desk.withdraw(), desk.swap(), desk.mint(INNER))
    receipt = desk.receipt(desk.carry_out(*actions))
    world = desk.world
    whole = read_vault_facts(world.node, world.pool, desk.vault, actions, receipt)
    assert len(whole) == 3
    event = getattr(uniswap_v3 if missing == "SWAP_EVENT" else liquidity_vault, missing)
    cut = replace(receipt, logs=tuple(e for e in receipt.logs if e.topics[0] != event.topic))
    with pytest.raises(ChainError, match=receipt.tx_hash):
        read_vault_facts(world.node, world.pool, desk.vault, actions, cut)


def test_what_was_done_is_told_alike_by_a_node_that_has_forgotten_the_state_before_it(
    desk: Desk,
) -> None:
    actions, world = (desk.swap(), desk.mint()), desk.world
    receipt = desk.receipt(desk.carry_out(*actions))
    told = read_vault_facts(world.node, world.pool, desk.vault, actions, receipt)
    world.node.ask(Question("anvil_mine", [hex(200)], lambda done: done))
    later = Node(Forgetful(world.backend.transport), world.backend.chain_id)
    assert read_vault_facts(later, world.pool, desk.vault, actions, receipt) == told


def test_a_swap_that_vault_and_pool_tell_differently_is_not_believed(desk: Desk) -> None:
    actions = (desk.swap(),)
    receipt = desk.receipt(desk.carry_out(*actions))
    (log,) = [e for e in receipt.logs if e.topics[0] == liquidity_vault.SWAPPED.topic]
    more = replace(log, data=log.data[:31] + bytes([log.data[31] ^ 1]) + log.data[32:])
    told = replace(receipt, logs=tuple(more if e is log else e for e in receipt.logs))
    world = desk.world
    with pytest.raises(ChainError, match="by its own log"):
        read_vault_facts(world.node, world.pool, desk.vault, actions, told)


def test_a_receipt_of_something_else_than_was_asked_is_not_believed(desk: Desk) -> None:
    receipt = desk.receipt(desk.carry_out(desk.mint()))
    world = desk.world
    with pytest.raises(ChainError, match="was sent to mint"):
        read_vault_facts(world.node, world.pool, desk.vault, (desk.mint(INNER),), receipt)
    with pytest.raises(ChainError, match="was sent to nothing"):
        read_vault_facts(world.node, world.pool, desk.vault, (), receipt)
