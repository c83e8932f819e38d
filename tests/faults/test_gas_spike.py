"""Gas a hundred times as dear from one block to the next: nothing is stuck, nothing overpaid."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from faults.fault_proxy import SEND
from faults.moving_chain import GWEI, SENDING, USUAL_BASE_FEE, a_moving_run
from faults.troubled_desk import BLOCK_TIME_S, Run, StageOf, both_stages
from faults.verdict import (
    require_books_equal_chain,
    require_normal_soon,
    require_nothing_doubled,
    require_nothing_lost,
)

from lpmanager.errors import CallReverted
from lpmanager.execution.fees import FeePolicy
from lpmanager.execution.intent import Attempt, Intent
from lpmanager.execution.sender import simulate
from lpmanager.model import Block

pytestmark = pytest.mark.fault_row("base fee x 100")

_SPIKE = 100 * USUAL_BASE_FEE

#: How long a plan of the campaign may take, in blocks, and how often the campaign looks.
_PLAN_BLOCKS = 50
_EVERY_S = 60

#: Blocks after which an offer that is raised is mined.
_RAISED = 2

#: Blocks after which an offer that the chain takes is mined: it is raised, sent and mined.
_SOON = SENDING.pace.bump_after_s // BLOCK_TIME_S + _RAISED

#: What geth asks of a replacement, in both fields.
_LEAST_BUMP = Fraction(11, 10)


@dataclass
class Spike:
    """A hundred times the usual base fee for so many blocks: from the one on that would have held
    the `of`th transaction of a run, or so many blocks later."""

    run: Run
    of: int
    later: int
    blocks: int
    mined_since: int = 0

    def base_fee(self) -> int:
        """Of the next block, in wei."""
        if len(self.run.raw_transactions()) < self.of:
            return USUAL_BASE_FEE
        self.mined_since += 1
        lasts = self.later < self.mined_since <= self.later + self.blocks
        return _SPIKE if lasts else USUAL_BASE_FEE

    def is_over(self) -> bool:
        return self.mined_since > self.later + self.blocks


@pytest.fixture(scope="module")
def stage_of() -> Iterator[StageOf]:
    with both_stages() as made:
        yield made


@pytest.mark.least({"offers raised": 1 / 2, "cancelled": 1 / 10})
@pytest.mark.seeds(10, 200)
def test_gas_that_soars_leaves_nothing_stuck_and_nothing_overpaid(
    stage_of: StageOf, tmp_path: Path, figures: dict[str, int], seed: int
) -> None:
    """The spike begins before, between or after signing and mining. It stays beyond every deadline,
    or goes before; and what may be paid is above it, or below."""
    dice, in_vault = random.Random(f"spike {seed}"), seed // 4 % 2 == 1
    affordable, stays = seed % 2 == 0, seed % 4 < 2
    blocks = dice.randint(_PLAN_BLOCKS + 10, 2 * _PLAN_BLOCKS) if stays else dice.randint(1, 30)
    cap = dice.randint(130, 400) if affordable else dice.randint(10, 80)
    with a_moving_run(stage_of(in_vault), tmp_path, dice, seed) as (run, chain):
        run.sending = replace(run.sending, fees=FeePolicy(cap=cap * GWEI))
        of = 1 if in_vault else dice.randint(1, 5)  # a vault's plan is one transaction
        spike = Spike(run, of=of, later=int(seed % 5 == 4), blocks=blocks)
        chain.base_fee = spike.base_fee
        while not spike.is_over():
            run.cycle()
            chain.pass_time(_EVERY_S)
        require_normal_soon(run)
        attempts = [intent.attempts for intent in run.intents()]
        figures["of a vault"] = int(in_vault)
        figures["offers raised"] = sum(len(signed) - 1 for signed in attempts)
        figures["cancelled"] = sum(signed[-1].cancels for signed in attempts)
        require_decided_in_time(run)
        if affordable:
            require_mined_soon(run)
        require_fair_offers(run)
        require_nothing_doubled(run)
        require_nothing_lost(run)
        require_books_equal_chain(run)


def require_decided_in_time(run: Run) -> None:
    """By its deadline a call is mined, or its cancellation is signed and nothing else is sent."""
    for intent in run.intents():
        deadline = intent.purpose.deadline
        if intent.purpose.actions:
            assert deadline <= intent.purpose.decided_at + _PLAN_BLOCKS * BLOCK_TIME_S
        for attempt in intent.attempts:
            assert attempt.cancels == (attempt.signed_at > deadline)
        mined_at = time_mined(run, intent)
        in_time = mined_at <= deadline + BLOCK_TIME_S
        assert in_time or mined_attempt(intent).cancels
        if not in_time:
            (first, *_) = [a.signed_at for a in intent.attempts if a.cancels]
            assert first <= deadline + _EVERY_S


def require_mined_soon(run: Run) -> None:
    """What would revert by now is not raised: it is left to its deadline, or raised in the very
    block from which on it goes through again."""
    for intent in run.intents():
        mined_at = time_mined(run, intent)
        if mined_at - intent.attempts[0].signed_at <= _SOON * BLOCK_TIME_S:
            continue
        possible = [at for at in when_to_raise(run, intent) if goes_through(run, intent, at)]
        if possible:
            assert mined_at <= possible[0].timestamp + _RAISED * BLOCK_TIME_S
        else:
            assert mined_attempt(intent).cancels


def when_to_raise(run: Run, intent: Intent) -> list[Block]:
    """The blocks at which the first offer has stood too long, up to the deadline."""
    assert intent.inclusion is not None
    node, last = run.stage.controls.node, intent.inclusion.block_number
    stale = intent.attempts[0].signed_at + SENDING.pace.bump_after_s
    blocks = [node.block(number) for number in range(last - 2 * _PLAN_BLOCKS, last)]
    return [block for block in blocks if stale <= block.timestamp <= intent.purpose.deadline]


def goes_through(run: Run, intent: Intent, at: Block) -> bool:
    try:
        simulate(run.stage.controls.node, run.stage.account, intent.purpose.call, at)
    except CallReverted:
        return False
    return True


def require_fair_offers(run: Run) -> None:
    """Nothing above the cap is offered or paid; a replacement offers a tenth more of both fees, and
    the node never refused one."""
    cap = run.sending.fees.cap
    for intent in run.intents():
        assert max(attempt.max_fee for attempt in intent.attempts) <= cap
        assert int(receipt_of(run, intent)["effectiveGasPrice"], 16) <= cap
        for lower, higher in pairwise(intent.attempts):
            assert higher.max_fee >= _LEAST_BUMP * lower.max_fee
            assert higher.tip >= _LEAST_BUMP * lower.tip
    said = [str(seen.answer) for rpc in run.rpcs for seen in rpc.log if seen.method == SEND]
    assert not [answer for answer in said if "underpriced" in answer]


def mined_attempt(intent: Intent) -> Attempt:
    assert intent.inclusion is not None
    tx_hash = intent.inclusion.tx_hash
    return next(attempt for attempt in intent.attempts if attempt.tx_hash == tx_hash)


def time_mined(run: Run, intent: Intent) -> int:
    assert intent.inclusion is not None
    return run.stage.controls.node.block(intent.inclusion.block_number).timestamp


def receipt_of(run: Run, intent: Intent) -> dict[str, str]:
    found: dict[str, str] = run.stage.ask(
        "eth_getTransactionReceipt", mined_attempt(intent).tx_hash
    )
    return found
