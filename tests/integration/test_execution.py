"""Plans carried out on the real contracts: to the wei, with no allowance left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from devnet_world import PRICE, World, a_world

from lpmanager.amm import sqrt_price_bounds
from lpmanager.chain.node import Node
from lpmanager.chain.transport import RpcError
from lpmanager.errors import PlanRefused, RpcUnavailable
from lpmanager.execution.calldata import approve_call
from lpmanager.execution.executor import Executor, wallet_change
from lpmanager.execution.sender import Sender, SendPolicy
from lpmanager.execution.signer import signer_from_clear_key
from lpmanager.ledger.database import open_database
from lpmanager.ledger.journal import TransactionJournal
from lpmanager.model import (
    Action,
    Amount,
    Amounts,
    Collect,
    Collected,
    Estimate,
    Liquidity,
    Mint,
    Minted,
    Outcome,
    Plan,
    SqrtPriceX96,
    Swap,
    Swapped,
    SwapPurpose,
    Target,
    TickRange,
    Withdraw,
    Withdrawn,
)

USDC_RAW, WETH_RAW = 10**11, 5 * 10**19
LOW, HIGH = sqrt_price_bounds(PRICE, 100)


class Meddling:
    """A transport that a test can make fail on a method, before or after it went through."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.meddle: Callable[[str], Any | None] = lambda _method: None
        self.posted: list[str] = []

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        for method, _ in requests:
            self.posted.append(method)
            trouble = self.meddle(method)
            if isinstance(trouble, Exception):
                raise trouble
            if trouble is not None:
                return [trouble for _ in requests]
        return self._inner.request_many(requests)

    def count(self, method: str) -> int:
        return self.posted.count(method)


class Blind(Meddling):
    """A transport whose simulations always succeed."""

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        if len(requests) == 1 and requests[0][0] == "eth_call" and "from" in requests[0][1][0]:
            return ["0x"]
        answers = []
        for request in requests:
            if request[0] == "eth_estimateGas":
                answers.append(hex(500_000))
            else:
                answers += self._inner.request_many([request])
        return answers


@dataclass
class Desk:
    """An account with 100,000 USDC and 50 WETH that carries out plans."""

    world: World
    folder: Path
    stop: bool = False
    transport: Meddling = field(init=False)
    journal: TransactionJournal = field(init=False)

    def __post_init__(self) -> None:
        self.account, self._key = self.world.new_account("desk", USDC_RAW, WETH_RAW)
        self.transport = Meddling(self.world.backend.transport)
        self.engine = open_database(f"sqlite:///{self.folder / 'books.db'}")
        self.journal = TransactionJournal(self.engine, self.world.backend.chain_id)

    def sender(self) -> Sender:
        node = Node(self.transport, self.world.backend.chain_id)
        signer = signer_from_clear_key(self._key, devnet=True)
        return Sender(node, signer, self.journal, SendPolicy(timeout_s=1.0, poll_s=0.01))

    def executor(self) -> Executor:
        node = Node(self.transport, self.world.backend.chain_id)
        world, sender = self.world, self.sender()
        return Executor(node, world.venue, world.pool, world.native, sender, lambda: self.stop)

    def plan(self, *actions: Action, **changes: object) -> Plan:
        head, pool = self.world.node.head(), self.world.pool
        plain = Plan(
            campaign="main",
            chain_id=self.world.backend.chain_id,
            account=self.account,
            pool=pool.address,
            block=head,
            expires_at=head.timestamp + 600,
            sqrt_price_min_x96=LOW,
            sqrt_price_max_x96=HIGH,
            actions=actions,
            target=Target(ranges=(), swap=False, reason="test"),
            estimate=Estimate(
                gas=Fraction(0),
                swap_cost=Fraction(0),
                fees_gained=Fraction(0),
                horizon_s=0,
                worst_case=Fraction(0),
            ),
            gates=(),
            reason="test",
        )
        return replace(plain, **changes)

    def carry_out(self, *actions: Action, **changes: object) -> Outcome:
        return self.executor().carry_out(self.plan(*actions, **changes), self.held())

    def held(self) -> Amounts:
        return self.world.pool.amounts(*self.world.balances(self.account))

    def native(self) -> int:
        return self.world.read(self.account).wallet.native.raw

    def allowances(self) -> tuple[tuple[str, str, int], ...]:
        return self.world.read(self.account).wallet.allowances

    def mint(self, *, minimum: tuple[int, int] = (1, 1), text: str = "[198000, 200000)") -> Mint:
        lower, upper = (int(part) for part in text.strip("[)").split(", "))
        pool = self.world.pool
        return Mint(
            range=TickRange(lower, upper),
            desired=pool.amounts(USDC_RAW // 2, WETH_RAW // 2),
            minimum=pool.amounts(*minimum),
        )

    def swap(self, raw_in: int = 10**9, minimum_out: int = 1) -> Swap:
        pool = self.world.pool
        return Swap(
            purpose=SwapPurpose.HEDGE,
            amount_in=Amount(pool.token0, raw_in),
            expected_out=Amount(pool.token1, minimum_out),
            minimum_out=Amount(pool.token1, minimum_out),
            sqrt_price_limit_x96=LOW,
        )

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
        (fact,) = [s.fact for s in outcome.steps if isinstance(s.fact, Minted)]
        return fact.token_id


@pytest.fixture(params=["eth-tester", "anvil"])
def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with a_world(request.param) as world:
        desk = Desk(world, tmp_path)
        yield desk
        desk.engine.dispose()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with a_world() as world:
        made = Desk(world, tmp_path)
        yield made
        made.engine.dispose()


def facts(outcome: Outcome) -> list[Any]:
    return [step.fact for step in outcome.steps if step.fact is not None]


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
    assert desk.journal.open_transactions(desk.account) == []


def test_a_minted_position_is_worth_its_principal_at_the_price_it_was_minted_at(desk: Desk) -> None:
    desk.minted()
    outcome = desk.carry_out(desk.swap(), desk.mint())
    swapped, minted = facts(outcome)
    after_swap = desk.world.read(desk.account).state.sqrt_price_x96
    assert minted.sqrt_price_x96 == after_swap
    assert swapped.sqrt_price_before_x96 > after_swap
    rounding = minted.paid - minted.principal
    assert all(0 <= raw <= 1 for raw in rounding.raw)


@pytest.mark.parametrize("which", ["swap", "mint"])
def test_a_call_that_would_revert_costs_only_its_allowance_which_is_taken_back(
    everywhere: Desk, which: str
) -> None:
    desk = everywhere
    doomed: Action = (
        desk.swap(minimum_out=10**30)
        if which == "swap"
        else desk.mint(minimum=(USDC_RAW // 2, WETH_RAW // 2))
    )
    before = desk.held()
    outcome = desk.carry_out(doomed)
    assert outcome.stopped is not None
    assert "would revert: Too little received" in outcome.stopped or (
        "would revert: Price slippage check" in outcome.stopped
    )
    assert facts(outcome) == []
    assert {step.what.split()[0] for step in outcome.steps} == {"allow", "revoke"}
    assert desk.allowances() == ()
    assert desk.held() == before


def test_an_old_allowance_is_taken_back_before_a_new_one_is_given(desk: Desk) -> None:
    sender, old = desk.sender(), Amount(desk.world.pool.token0, 77)
    sender.settle(sender.send(approve_call(old, desk.world.venue.swap_router)))
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
    token_id = desk.minted()
    sent = desk.transport.count("eth_sendRawTransaction")
    desk.transport.meddle = lambda m: trouble if m == "eth_sendRawTransaction" else None
    outcome = desk.carry_out(desk.collect(token_id), desk.swap())
    assert outcome.stopped is not None
    assert "sending: " in outcome.stopped
    assert outcome.steps == ()
    assert desk.transport.count("eth_sendRawTransaction") == sent + 1
    ((_tx_hash, what),) = desk.journal.open_transactions(desk.account)
    assert what == f"collect fees of position {token_id}"


def test_while_a_transaction_is_open_nothing_else_is_signed(desk: Desk) -> None:
    token_id = desk.minted()
    trouble = RpcUnavailable("no answer")
    desk.transport.meddle = lambda m: trouble if m == "eth_sendRawTransaction" else None
    desk.carry_out(desk.collect(token_id))
    desk.transport.meddle = lambda _method: None
    sent = desk.transport.count("eth_sendRawTransaction")
    outcome = desk.carry_out(desk.swap())
    assert outcome.stopped is not None
    assert "was sent and is not settled" in outcome.stopped
    assert desk.transport.count("eth_sendRawTransaction") == sent
    assert desk.allowances() == ()


def test_a_node_that_is_silent_while_we_wait_is_asked_again(desk: Desk) -> None:
    silent = iter([RpcUnavailable("no answer"), RpcError(-32005, "limit exceeded", None)])
    desk.transport.meddle = lambda m: (
        next(silent, None) if m == "eth_getTransactionReceipt" else None
    )
    outcome = desk.carry_out(desk.mint())
    assert outcome.stopped is None
    assert len(facts(outcome)) == 1


def test_what_was_mined_is_asked_for_until_the_node_tells(desk: Desk) -> None:
    silent = iter([RpcUnavailable("no answer"), RpcError(-32005, "limit exceeded", None)])
    desk.transport.meddle = lambda m: next(silent, None) if m == "eth_getLogs" else None
    outcome = desk.carry_out(desk.mint())
    assert outcome.stopped is None
    assert [type(fact) for fact in facts(outcome)] == [Minted]
    assert desk.journal.open_transactions(desk.account) == []


def test_what_cannot_be_told_stays_open_and_nothing_more_is_signed(desk: Desk) -> None:
    mute = RpcUnavailable("no answer")
    desk.transport.meddle = lambda m: mute if m == "eth_getLogs" else None
    outcome = desk.carry_out(desk.mint())
    assert outcome.stopped == "no answer"
    assert facts(outcome) == []
    assert [what.split()[0] for _, what in desk.journal.open_transactions(desk.account)] == ["mint"]


def test_what_was_done_before_the_node_failed_is_not_forgotten(desk: Desk) -> None:
    """Whichever question it fails on, the steps that were mined are in the outcome."""
    token_id = desk.minted()
    mined = [False]

    def fail_after_the_first(method: str) -> Exception | None:
        if method == "eth_sendRawTransaction":
            mined[0] = True
            return None
        if mined[0] and method == "eth_call" and desk.journal.open_transactions(desk.account) == []:
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
    assert step.fact is None
    assert coins - desk.native() == step.gas_paid.raw > 0
    assert desk.journal.open_transactions(desk.account) == []
