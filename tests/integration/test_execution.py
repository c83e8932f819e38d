"""Plans carried out on the real contracts: to the wei, with no allowance left behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from devnet_world import PRICE, TICK, a_world
from meddling import LOOK, SEND, Behind, Blind, Forgetful, failing_on
from plan_desk import GWEI, POLICY, USDC_RAW, WETH_RAW, PlanDesk
from sqlalchemy import text

from lpmanager.amm import sqrt_price_at_tick
from lpmanager.chain.node import Node, Question
from lpmanager.chain.transport import RpcError
from lpmanager.errors import PlanRefused, RpcUnavailable
from lpmanager.execution.calldata import approve_call
from lpmanager.execution.executor import Executor
from lpmanager.execution.intent import Purpose, Status
from lpmanager.execution.plan_terms import wallet_change
from lpmanager.execution.sender import Sender
from lpmanager.execution.signer import signer_from_clear_key
from lpmanager.ledger.journal import append_booked
from lpmanager.model import (
    Action,
    Amount,
    Amounts,
    Collect,
    Collected,
    Liquidity,
    Mint,
    Minted,
    Outcome,
    SqrtPriceX96,
    StopKind,
    Swapped,
    TickRange,
    VaultTurn,
    Withdraw,
    Withdrawn,
)


@dataclass
class Desk(PlanDesk):
    """An account with 100,000 USDC and 50 WETH that carries out plans."""

    def __post_init__(self) -> None:
        self.account, self._key = self.world.new_account("desk", USDC_RAW, WETH_RAW)
        super().__post_init__()

    def sender(self) -> Sender:
        node = Node(self.transport, self.world.backend.chain_id)
        signer = signer_from_clear_key(self._key, devnet=True)
        return Sender(node, signer, self.journal, self.policy, lambda: None)

    def executor(self) -> Executor:
        node = Node(self.transport, self.world.backend.chain_id)
        world, sender = self.world, self.sender()
        return Executor(node, world.venue, world.pool, world.native, sender, lambda: self.stop)

    def carry_out(self, *actions: Action, **changes: object) -> Outcome:
        return self.booked(self.executor().carry_out(self.plan(*actions, **changes), self.held()))

    def held(self) -> Amounts:
        return self.world.pool.amounts(*self.world.balances(self.account))

    def native(self) -> int:
        return self.world.read(self.account).wallet.native.raw

    def allowances(self) -> tuple[tuple[str, str, int], ...]:
        return self.world.read(self.account).wallet.allowances

    def mint(self, *, minimum: tuple[int, int] = (1, 1), text: str = "[198000, 200000)") -> Mint:
        lower, upper = (int(part) for part in text.strip("[)").split(", "))
        return self.minting(TickRange(lower, upper), minimum)

    def withdraw(self, token_id: int) -> Withdraw:
        (held,) = [p for p in self.world.read(self.account).positions if p.token_id == token_id]
        pool = self.world.pool
        return Withdraw(
            token_id=token_id,
            liquidity=held.liquidity,
            minimum=pool.amounts(1, 1),
            expected=pool.amounts(1, 1),
        )

    def collect(self, token_id: int) -> Collect:
        return Collect(token_id=token_id, expected=self.world.pool.amounts(0, 0))

    def minted(self) -> int:
        outcome = self.carry_out(self.mint())
        assert outcome.stopped is None, outcome.stopped
        (fact,) = [fact for fact in facts(outcome) if isinstance(fact, Minted)]
        return fact.token_id


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


def stopped(outcome: Outcome, kind: StopKind) -> str:
    assert outcome.stop is not None
    assert outcome.stop.kind is kind, outcome.stop.reason
    return outcome.stop.reason


def test_facts_and_gas_are_what_the_account_gained_and_paid_to_the_wei(everywhere: Desk) -> None:
    desk = everywhere
    token_id = desk.minted()
    desk.world.trade(10**10, zero_for_one=True)
    desk.world.trade(4 * 10**18, zero_for_one=False)
    before, coins = desk.held(), desk.native()
    outcome = desk.carry_out(
        desk.collect(token_id),
        desk.withdraw(token_id),
        desk.swap(),
        desk.mint(text="[198500, 199500)"),
    )
    assert outcome.stopped is None
    done = facts(outcome)
    assert [type(fact) for fact in done] == [Collected, Withdrawn, Swapped, Minted]
    moved = sum((wallet_change(fact) for fact in done), start=desk.world.pool.amounts(0, 0))
    assert desk.held() - before == moved
    assert coins - desk.native() == sum(step.gas_paid.raw for step in outcome.steps)
    assert min(done[0].fees.raw) > 0
    assert desk.allowances() == ()
    assert desk.open() == []


def test_a_minted_position_is_worth_its_principal_at_the_price_it_was_minted_at(desk: Desk) -> None:
    desk.minted()
    outcome = desk.carry_out(desk.swap(), desk.mint())
    swapped, minted = facts(outcome)
    after_swap = desk.world.read(desk.account).state.sqrt_price_x96
    assert minted.sqrt_price_x96 == after_swap
    assert swapped.sqrt_price_before_x96 > after_swap
    rounding = minted.paid - minted.principal
    assert all(0 <= raw <= 1 for raw in rounding.raw)


def test_a_call_that_would_revert_costs_only_its_allowance_which_is_taken_back(
    everywhere: Desk,
) -> None:
    desk = everywhere
    before = desk.held()
    outcome = desk.carry_out(desk.swap(minimum_out=10**30))
    assert "would revert: Too little received" in stopped(outcome, StopKind.OVERTAKEN)
    assert facts(outcome) == []
    assert {step.what.split()[0] for step in outcome.steps} == {"allow", "revoke"}
    assert desk.allowances() == ()
    assert desk.held() == before


def test_a_mint_that_the_price_leaves_below_its_minimum_costs_nothing(desk: Desk) -> None:
    outcome = desk.carry_out(desk.mint(minimum=(USDC_RAW // 2, WETH_RAW // 2)))
    assert "at least 50,000.000000 USDC + 25.000000000000000000 WETH" in stopped(
        outcome, StopKind.OVERTAKEN
    )
    assert outcome.steps == ()


def test_a_price_that_crosses_into_a_range_for_one_token_overtakes_its_mint(desk: Desk) -> None:
    """It does so while the token is being allowed, at the first look at a receipt."""
    world, above = desk.world, TickRange(TICK + 10, TICK + 310)
    beyond = iter([sqrt_price_at_tick(TICK + 15)])
    desk.transport.before_look = lambda: [world.follow(price) for price in beyond] and None
    outcome = desk.carry_out(
        replace(desk.minting(above, (1, 0)), desired=world.pool.amounts(USDC_RAW // 2, 0))
    )
    assert f"mint {above}: it would take 0.000000 USDC" in stopped(outcome, StopKind.OVERTAKEN)
    assert {step.what.split()[0] for step in outcome.steps} == {"allow", "revoke"}
    assert desk.allowances() == ()


def test_a_withdrawal_that_the_price_leaves_below_its_minimum_is_overtaken(desk: Desk) -> None:
    withdrawal = desk.withdraw(desk.minted())
    outcome = desk.carry_out(replace(withdrawal, minimum=desk.world.pool.amounts(USDC_RAW, 0)))
    assert "would revert: Price slippage check" in stopped(outcome, StopKind.OVERTAKEN)
    assert outcome.steps == ()


def test_a_call_that_reverts_for_another_reason_than_the_price_is_a_failure(desk: Desk) -> None:
    withdrawal = desk.withdraw(desk.minted())
    outcome = desk.carry_out(replace(withdrawal, liquidity=Liquidity(withdrawal.liquidity + 1)))
    assert "would revert" in stopped(outcome, StopKind.ERROR)


def test_an_old_allowance_is_taken_back_before_a_new_one_is_given(desk: Desk) -> None:
    old, head = Amount(desk.world.pool.token0, 77), desk.world.node.head()
    purpose = Purpose(
        campaign="main",
        call=approve_call(old, desk.world.venue.swap_router),
        actions=(),
        deadline=head.timestamp + 600,
        decided_block=head.number,
        decided_at=head.timestamp,
    )
    sender = desk.sender()
    sender.send(purpose, 0)
    with desk.engine.begin() as connection:
        append_booked(connection, [done.receipt.tx_hash for done in sender.finish()])
    outcome = desk.carry_out(desk.swap())
    assert [step.what.split()[0] for step in outcome.steps] == ["revoke", "allow", "swap"]
    assert desk.allowances() == ()


def test_a_swap_that_stops_at_its_price_limit_leaves_no_allowance(desk: Desk) -> None:
    near = replace(desk.swap(USDC_RAW), sqrt_price_limit_x96=SqrtPriceX96(PRICE - 10**30))
    outcome = desk.carry_out(near)
    assert [step.what.split()[0] for step in outcome.steps] == ["allow", "swap", "revoke"]
    (swapped,) = facts(outcome)
    assert 0 < -swapped.delta.amount0.raw < USDC_RAW
    assert desk.allowances() == ()


def test_what_is_left_of_an_allowance_is_looked_for_on_a_head_that_holds_the_plans_last_call(
    desk: Desk,
) -> None:
    """Where RPCs agree on a block below the one that a receipt is told of, none would seem left."""
    desk.transport = Behind(desk.world.backend.transport)
    near = replace(desk.swap(USDC_RAW), sqrt_price_limit_x96=SqrtPriceX96(PRICE - 10**30))
    outcome = desk.carry_out(near)
    assert [step.what.split()[0] for step in outcome.steps] == ["allow", "swap", "revoke"]
    assert desk.allowances() == ()


def test_what_the_wallet_lacks_is_not_minted(desk: Desk) -> None:
    """The campaign's share of the account is all that it may spend."""
    share = desk.world.pool.amounts(10**9, 10**18)
    outcome = desk.executor().carry_out(desk.plan(desk.mint()), share)
    (minted,) = facts(outcome)
    assert minted.paid.amount0.raw <= 10**9
    assert minted.paid.amount1.raw <= 10**18


def test_what_a_withdrawal_brought_may_be_minted(desk: Desk) -> None:
    token_id = desk.minted()
    nothing = desk.world.pool.amounts(0, 0)
    plan = desk.plan(desk.withdraw(token_id), desk.mint())
    withdrawn, minted = facts(desk.executor().carry_out(plan, nothing))
    assert min(minted.paid.raw) > 0
    assert minted.paid.amount0 <= withdrawn.principal.amount0
    assert minted.paid.amount1 <= withdrawn.principal.amount1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chain_id": 1}, "the plan is for chain 1, this is 31337"),
        ({"account": "0x" + "11" * 20}, "the plan is for account 0x11"),
        ({"pool": "0x" + "22" * 20}, "the plan is for pool 0x22"),
        ({"vault": VaultTurn(address="0x" + "33" * 20, seq=1)}, "the plan is for vault 0x33"),
    ],
)
def test_a_plan_for_somebody_else_is_refused(desk: Desk, changes: dict, message: str) -> None:
    with pytest.raises(PlanRefused, match=message):
        desk.carry_out(desk.swap(), **changes)
    assert desk.transport.count("eth_sendRawTransaction") == 0


def test_an_expired_plan_does_nothing(desk: Desk) -> None:
    outcome = desk.carry_out(desk.swap(), expires_at=desk.world.node.head().timestamp - 1)
    assert outcome.stopped is not None
    assert "expired" in outcome.stopped
    assert outcome.steps == ()


@pytest.mark.parametrize("low", [True, False])
def test_a_price_outside_the_plans_bounds_stops_it(desk: Desk, low: bool) -> None:
    bounds: dict[str, object] = (
        {"sqrt_price_min_x96": SqrtPriceX96(PRICE + 10**28)}
        if low
        else {"sqrt_price_max_x96": SqrtPriceX96(PRICE - 10**32)}
    )
    outcome = desk.carry_out(desk.swap(), **bounds)
    assert outcome.stopped is not None
    assert "the price left the plan's bounds" in outcome.stopped
    assert outcome.steps == ()


def test_a_stop_is_heard_between_actions_and_leaves_no_allowance(desk: Desk) -> None:
    token_id = desk.minted()

    def stop_once_withdrawn(method: str) -> None:
        desk.stop = desk.stop or method == "eth_sendRawTransaction"

    desk.transport.meddle = stop_once_withdrawn
    outcome = desk.carry_out(desk.withdraw(token_id), desk.swap())
    assert outcome.stopped == "asked to stop"
    assert [type(fact) for fact in facts(outcome)] == [Withdrawn]
    assert desk.allowances() == ()


@pytest.mark.parametrize(
    "trouble",
    [
        RpcUnavailable("no answer"),
        RpcError(-32000, "already known", None),
        RpcError(-32000, "nonce too low", None),
        RpcError(-32005, "limit exceeded", None),
    ],
)
def test_a_transaction_is_written_down_before_it_is_sent(desk: Desk, trouble: Any) -> None:
    """And where no node ever says that it took it, nothing else is signed."""
    token_id = desk.minted()
    desk.transport.sent.clear()
    desk.transport.meddle = failing_on(SEND, trouble)
    outcome = desk.carry_out(desk.collect(token_id), desk.swap())
    assert outcome.stopped is not None
    assert "not mined within 1 s; it may still be" in outcome.stopped
    assert outcome.steps == ()
    (intent,) = desk.open()
    assert intent.purpose.call.what == f"collect fees of position {token_id}"
    assert intent.purpose.actions == (desk.collect(token_id),)
    (attempt,) = intent.attempts
    assert set(desk.transport.sent) == {"0x" + attempt.raw.hex()}


def test_a_node_that_does_not_say_that_it_took_a_transaction_does_not_stop_the_plan(
    desk: Desk,
) -> None:
    answers = iter([RpcUnavailable("no answer")])
    desk.transport.meddle = lambda m: next(answers, None) if m == SEND else None
    outcome = desk.carry_out(desk.swap())
    assert outcome.stopped is None
    assert [step.what.split()[0] for step in outcome.steps] == ["allow", "swap"]
    assert len(desk.transport.sent) == len(set(desk.transport.sent)) + 1


def test_while_a_transaction_is_open_nothing_else_is_signed(desk: Desk) -> None:
    token_id = desk.minted()
    desk.transport.meddle = failing_on(SEND, RpcUnavailable("no answer"))
    desk.carry_out(desk.collect(token_id))
    desk.transport.meddle = lambda _method: None
    sent = desk.transport.count(SEND)
    outcome = desk.carry_out(desk.swap())
    assert outcome.stopped is not None
    assert "was begun for campaign main and is not settled" in outcome.stopped
    assert desk.transport.count(SEND) == sent
    assert desk.allowances() == ()


def test_what_was_never_taken_by_a_node_is_carried_out_by_who_takes_over(desk: Desk) -> None:
    token_id = desk.minted()
    desk.world.trade(10**10, zero_for_one=True)
    desk.transport.meddle = failing_on(SEND, RpcUnavailable("no answer"))
    desk.carry_out(desk.collect(token_id))
    desk.transport.meddle = lambda _method: None
    before = desk.held()
    outcome = desk.booked(desk.executor().recover("main"))
    assert outcome.stopped is None
    (collected,) = facts(outcome)
    assert desk.held() - before == collected.fees
    assert not collected.fees.is_zero
    assert desk.open() == []
    assert desk.executor().recover("main") == Outcome(steps=(), stop=None)


def test_a_node_that_is_silent_while_we_wait_is_asked_again(desk: Desk) -> None:
    silent = iter([RpcUnavailable("no answer"), RpcError(-32005, "limit exceeded", None)])
    desk.transport.meddle = lambda m: next(silent, None) if m == LOOK else None
    outcome = desk.carry_out(desk.mint())
    assert outcome.stopped is None
    assert len(facts(outcome)) == 1


def test_what_was_mined_is_asked_for_until_the_node_tells(desk: Desk) -> None:
    silent = iter([RpcUnavailable("no answer"), RpcError(-32005, "limit exceeded", None)])
    desk.transport.meddle = lambda m: next(silent, None) if m == "eth_getLogs" else None
    outcome = desk.carry_out(desk.mint())
    assert outcome.stopped is None
    assert [type(fact) for fact in facts(outcome)] == [Minted]
    assert desk.open() == []


def test_what_cannot_be_told_stays_open_and_nothing_more_is_signed(desk: Desk) -> None:
    desk.transport.meddle = failing_on("eth_getLogs", RpcUnavailable("no answer"))
    outcome = desk.carry_out(desk.mint(), desk.swap())
    assert outcome.stopped == "no answer"
    assert facts(outcome) == []
    assert [(i.purpose.call.what.split()[0], i.status) for i in desk.open()] == [
        ("mint", Status.FINAL)
    ]
    desk.transport.meddle = lambda _method: None
    told = desk.booked(desk.executor().recover("main"))
    assert [type(fact) for fact in facts(told)] == [Minted]


@pytest.mark.parametrize("most_blocks", [2_000, 3])
def test_what_was_mined_is_told_when_the_node_has_forgotten_the_state_before_it(
    desk: Desk, most_blocks: int
) -> None:
    """By the price that the last swap before it left, however long it was quiet since."""
    desk.world.trade(10**9, zero_for_one=True)
    pass_blocks(desk, 30)
    before = desk.world.read(desk.account).state.sqrt_price_x96
    (swapped,) = facts(done_and_forgotten(desk, most_blocks, desk.swap()))
    assert swapped.sqrt_price_before_x96 == before
    desk.booked(desk.executor().take_back("main", desk.world.node.head(), mined_nonces(desk)))
    after = desk.world.read(desk.account).state.sqrt_price_x96
    (minted,) = facts(done_and_forgotten(desk, most_blocks, desk.mint()))
    assert minted.sqrt_price_x96 == after != before


def done_and_forgotten(desk: Desk, most_blocks: int, action: Action) -> Outcome:
    """What a new process takes over long after the action was mined, from a node without an
    archive that searches so many blocks for logs at once."""
    desk.transport.meddle = failing_on("eth_getLogs", RpcUnavailable("no answer"))
    assert desk.carry_out(action).stopped == "no answer"
    pass_blocks(desk, 200)
    desk.transport = Forgetful(desk.world.backend.transport, most_blocks)
    outcome = desk.booked(desk.executor().recover("main"))
    assert outcome.stopped is None
    return outcome


def pass_blocks(desk: Desk, count: int) -> None:
    desk.world.node.ask(Question("anvil_mine", [hex(count)], lambda done: done))


def test_what_was_done_before_the_node_failed_is_not_forgotten(desk: Desk) -> None:
    """Whichever question it fails on, the steps that were mined are in the outcome."""
    token_id = desk.minted()
    sent = desk.transport.count(SEND)

    def fail_after_the_first(method: str) -> Exception | None:
        if method == "eth_call" and desk.transport.count(SEND) > sent:
            return RpcUnavailable("no answer")
        return None

    desk.transport.meddle = fail_after_the_first
    outcome = desk.carry_out(desk.collect(token_id), desk.swap())
    assert outcome.stopped == "no answer"
    assert [type(fact) for fact in facts(outcome)] == [Collected]


def test_a_transaction_that_is_mined_and_reverts_is_paid_for_and_told(desk: Desk) -> None:
    """The simulation saw another state than the block: somebody collected and burned first."""
    token_id = desk.minted()
    withdraw = desk.withdraw(token_id)
    gone = replace(withdraw, liquidity=Liquidity(withdraw.liquidity + 1))
    coins, plan, held = desk.native(), desk.plan(gone), desk.held()
    desk.transport = Blind(desk.world.backend.transport)
    outcome = desk.executor().carry_out(plan, held)
    assert outcome.stopped is not None
    assert "was mined but reverted" in outcome.stopped
    (step,) = outcome.steps
    assert not step.facts
    assert coins - desk.native() == step.gas_paid.raw > 0
    assert [intent.status for intent in desk.open()] == [Status.FAILED]
    desk.booked(outcome)
    assert desk.open() == []


# ---- what is mined late, dearer, or taken out again ----


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Desk]:
    """A desk on a chain that mines when a test says so, and calls three blocks final."""
    with a_world("anvil") as world:
        made = Desk(world, tmp_path, replace(POLICY, timeout_s=5.0, confirmations=3))
        world.controls.set_automine(False)
        yield made
        made.engine.dispose()


def mine_at_looks(desk: Desk, *, seconds: int = 12) -> None:
    """A block before each look at what was sent."""
    desk.transport.before_look = lambda: desk.world.pass_time(seconds)


def base_fee(desk: Desk, wei: int) -> None:
    """Of the next block."""
    desk.world.node.ask(Question("anvil_setNextBlockBaseFeePerGas", [hex(wei)], lambda done: done))


def reorganise(desk: Desk, depth: int) -> None:
    """What the newest blocks held is gone, also from the nodes' memory."""
    desk.world.node.ask(Question("anvil_reorg", [depth, []], lambda done: done))


def mined_nonces(desk: Desk) -> int:
    return desk.world.controls.nonce(desk.account)


def test_a_plan_on_a_slow_chain_ends_once_all_of_it_is_final(slow: Desk) -> None:
    mine_at_looks(slow)
    before, coins = slow.held(), slow.native()
    outcome = slow.carry_out(slow.swap(), slow.mint())
    assert outcome.stopped is None
    moved = sum((wallet_change(fact) for fact in facts(outcome)), slow.world.pool.amounts(0, 0))
    assert slow.held() - before == moved
    assert coins - slow.native() == sum(step.gas_paid.raw for step in outcome.steps)
    assert slow.world.node.head().number - outcome.steps[-1].block.number + 1 >= 3
    assert mined_nonces(slow) == len(outcome.steps)


def test_an_offer_that_gas_outgrew_is_raised_and_mined_once(slow: Desk) -> None:
    token_id = mint_at_once(slow)
    before = mined_nonces(slow)

    def gas_soars() -> None:
        base_fee(slow, 50 * GWEI)
        slow.world.pass_time(12)

    slow.transport.before_look = gas_soars
    outcome = slow.carry_out(slow.collect(token_id))
    assert outcome.stopped is None
    (step,) = outcome.steps
    intent = slow.intents()[-1]
    first, *_, last = intent.attempts
    assert first.max_fee < 50 * GWEI <= last.max_fee
    assert step.tx_hash != first.tx_hash
    for lower, higher in pairwise(intent.attempts):
        assert 8 * higher.max_fee >= 9 * lower.max_fee
        assert 8 * higher.tip >= 9 * lower.tip
    assert mined_nonces(slow) == before + 1


def test_a_plan_that_is_not_mined_by_its_deadline_is_cancelled_and_allows_nothing(
    slow: Desk,
) -> None:
    """Gas costs nearly all that may be offered, until the swap is given up."""
    before = slow.held()

    def dear_until_given_up() -> None:
        intent = slow.intents()[-1]
        swaps, given_up = bool(intent.purpose.actions), intent.attempts[-1].cancels
        base_fee(slow, 950 * GWEI if swaps and not given_up else GWEI)
        slow.world.pass_time(12)

    slow.transport.before_look = dear_until_given_up
    outcome = slow.carry_out(slow.swap(), expires_at=slow.world.node.head().timestamp + 200)
    assert outcome.stopped is not None
    assert "cancelled at its deadline" in outcome.stopped
    assert [step.what.split(" ")[0] for step in outcome.steps] == ["allow", "cancel:", "revoke"]
    assert facts(outcome) == []
    assert slow.held() == before
    assert slow.allowances() == ()
    assert mined_nonces(slow) == 3
    offers = [a.max_fee for i in slow.intents() for a in i.attempts]
    assert max(offers) <= POLICY.fees.cap


@pytest.mark.parametrize("depth", [1, 2])
def test_what_a_reorganisation_took_out_is_mined_again_and_once(slow: Desk, depth: int) -> None:
    token_id = mint_at_once(slow)
    before, nonces = slow.held(), mined_nonces(slow)
    looks = iter(range(100))

    def mine_and_reorganise() -> None:
        slow.world.pass_time(12)
        if next(looks) == depth:
            reorganise(slow, depth + 1)

    slow.transport.before_look = mine_and_reorganise
    outcome = slow.carry_out(slow.withdraw(token_id))
    assert outcome.stopped is None
    (withdrawn,) = facts(outcome)
    assert slow.held() - before == wallet_change(withdrawn)
    assert mined_nonces(slow) == nonces + 1
    events = events_of_last_intent(slow)
    assert events.count("reopened") >= 1
    assert events.count("signed") == 1
    assert events[-2:] == ["final", "booked"]


def test_a_plan_whose_every_step_is_taken_out_is_done_again_from_its_journal(slow: Desk) -> None:
    before = slow.held()
    looks = iter(range(100))

    def mine_and_reorganise() -> None:
        slow.world.pass_time(12)
        if next(looks) == 2:
            reorganise(slow, 3)

    slow.transport.before_look = mine_and_reorganise
    outcome = slow.carry_out(slow.swap())
    again = slow.booked(slow.executor().recover("main"))
    head = slow.world.node.head()
    slow.booked(slow.executor().take_back("main", head, mined_nonces(slow)))
    assert slow.open() == []
    assert slow.allowances() == ()
    steps = (*outcome.steps, *again.steps)
    moved = [wallet_change(fact) for step in steps for fact in step.facts]
    assert slow.held() - before == sum(moved, slow.world.pool.amounts(0, 0))
    assert len(moved) <= 1


def test_a_plan_that_is_taken_out_after_its_deadline_is_cancelled_and_says_so(
    slow: Desk,
) -> None:
    before, looks = slow.held(), iter(range(100))

    def mine_and_reorganise_at_the_end() -> None:
        slow.world.pass_time(12)
        if mined_nonces(slow) == 2 and next(looks) == 2:
            reorganise(slow, 5)
            slow.world.pass_time(700)

    slow.transport.before_look = mine_and_reorganise_at_the_end
    outcome = slow.carry_out(slow.swap())
    assert [step.what for step in outcome.steps] == [
        "cancel: allow USDC",
        "cancel: swap 1,000.000000 USDC to WETH",
    ]
    assert outcome.stopped is not None
    assert "swap 1,000.000000 USDC to WETH: 0x" in outcome.stopped
    assert "cancelled" in outcome.stopped
    assert slow.held() == before
    assert slow.allowances() == ()
    assert slow.open() == []


def mint_at_once(desk: Desk) -> int:
    """A position, minted on a chain that mines at every look."""
    mine_at_looks(desk)
    token_id = desk.minted()
    desk.transport.before_look = lambda: None
    return token_id


def events_of_last_intent(desk: Desk) -> list[str]:
    with desk.engine.connect() as connection:
        rows = connection.execute(text("SELECT intent, event FROM journal ORDER BY id")).all()
    return [event for intent, event in rows if intent == rows[-1].intent]
