"""A live campaign through RPCs that lie, stall and disagree: nothing is done twice, nothing on a
wrong chain or stale data, and all is normal soon after."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from faults.fault_proxy import Fault
from faults.troubled_desk import BLOCK_TIME_S, Run, Stage, StageOf, a_run, both_stages
from faults.verdict import (
    require_books_equal_chain,
    require_normal_soon,
    require_nothing_doubled,
    require_our_chain_only,
)

from lpmanager.cycle import run_cycle
from lpmanager.errors import Halted
from lpmanager.execution.intent import Status
from lpmanager.model import Hold, Plan

pytestmark = pytest.mark.fault_row("RPCs that lie, stall, disagree or serve another chain")

#: Cycles while the fault is on.
_TROUBLED_CYCLES = 2

#: Lies after which nothing may be signed where nobody contradicts them.
_DISQUALIFYING = (Fault.WRONG_CHAIN, Fault.OLD_HEAD, Fault.OTHER_BLOCK, Fault.TALL_HEAD)

#: More than an old head is old. Of blocks before the run anvil may have the states no more.
_BLOCKS_TO_BE_BEHIND = 12

#: As far as RPCs of such a chain may be behind each other.
_LAG_BLOCKS = 2

#: A receipt is read from one RPC, whatever the others know.
_OF_RECEIPTS = (Fault.OTHER_RECEIPT, Fault.NO_RECEIPT)

#: Cycles that the usual is taken from.
_LOOKS = 3

#: How often each RPC is asked, by what a fault is about, in a cycle without trouble.
Usual = list[dict[Fault, int]]


@pytest.fixture(scope="module")
def stage_of() -> Iterator[StageOf]:
    with both_stages() as made:
        yield made


@pytest.fixture(scope="module")
def stage(stage_of: StageOf) -> Stage:
    return stage_of(False)


@pytest.fixture(scope="module")
def usual(
    stage_of: StageOf, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[bool, int], Usual]:
    """By whether it is a vault's, and the number of RPCs."""

    @cache
    def measured(in_vault: bool, rpc_count: int) -> Usual:
        return usual_of(stage_of(in_vault), tmp_path_factory, rpc_count)

    return measured


def usual_of(stage: Stage, folders: pytest.TempPathFactory, rpc_count: int) -> Usual:
    """The least of a few cycles: on a busy machine receipts are asked for once more, and a fault
    that is to come after that many questions might never come."""
    cycles = [asked_in_a_cycle(stage, folders.mktemp("usual"), rpc_count) for _ in range(_LOOKS)]
    return [
        {fault: min(counts[fault] for counts in of_one) for fault in Fault}
        for of_one in zip(*cycles, strict=True)
    ]


def asked_in_a_cycle(stage: Stage, folder: Path, rpc_count: int) -> Usual:
    with a_run(stage, folder, rpc_count, 0) as run:
        assert run.cycle(), run.errors
        assert len(run.positions_on_chain()) == 2
        return [{fault: rpc.concerned(fault) for fault in Fault} for rpc in run.rpcs]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lpmanager.chain.providers._FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("lpmanager.chain.providers._JITTER_S", 0.01)


def is_vaults(fault: Fault, seed: int) -> bool:
    """Half of the runs with each number of RPCs and each beginning of a fault."""
    return (list(Fault).index(fault) + seed % 3 + seed // 3) % 2 == 1


@pytest.mark.seeds(3, 100)
@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name.lower())
def test_what_an_rpc_does_wrong_is_survived(
    stage_of: StageOf,
    usual: Callable[[bool, int], Usual],
    tmp_path: Path,
    figures: dict[str, int],
    fault: Fault,
    seed: int,
) -> None:
    """The first of three seeds: one RPC, wrong from the start. The second: from anywhere in the
    first cycle on. The third: one of three RPCs."""
    dice, in_vault = random.Random(f"{fault.name} {seed}"), is_vaults(fault, seed)
    figures["of a vault"] = int(in_vault)
    alone, from_the_start = seed % 3 < 2, seed % 3 == 0
    asked = usual(in_vault, 1 if alone else 3)
    with a_run(stage_of(in_vault), tmp_path, len(asked), seed) as run:
        which = dice.choice([i for i, counts in enumerate(asked) if counts[fault] > 0])
        after = 0 if from_the_start else dice.randrange(asked[which][fault])
        for _ in range(_BLOCKS_TO_BE_BEHIND):
            run.stage.controls.mine(run.stage.now() + BLOCK_TIME_S)
        run.rpcs[which].inject(fault, after=after)
        normal = [cycle_on_what_is_new(run) for _ in range(_TROUBLED_CYCLES)]
        assert run.rpcs[which].struck(fault)
        if not alone and fault not in _OF_RECEIPTS:  # the other two are a quorum
            assert normal[-1], run.errors
        if alone and fault in _DISQUALIFYING:
            assert run.signed_after_first(fault) == []
        run.heal()
        require_normal_soon(run)
        require_nothing_doubled(run)
        require_books_equal_chain(run)
        require_our_chain_only(run)


def cycle_on_what_is_new(run: Run) -> bool:
    """A cycle. What it signs anything for was decided at a block that the honest node had as one of
    its newest when the cycle began, or has got since."""
    node, known = run.stage.controls.node, {intent.id for intent in run.intents()}
    oldest = node.head().number - _LAG_BLOCKS
    went_well = run.cycle()
    newest = node.head().number
    decided = [i.purpose.decided_block for i in run.intents() if i.id not in known]
    assert all(oldest <= block <= newest for block in decided)
    return went_well


@pytest.mark.parametrize("in_vault", [False, True], ids=["wallet", "vault"])
def test_a_live_cycle_that_holds_asks_an_honest_rpc_twice(
    stage_of: StageOf, tmp_path: Path, in_vault: bool
) -> None:
    """For the head, and then for all else."""
    with a_run(stage_of(in_vault), tmp_path, 1, 0) as run:
        campaign, (rpc,) = run.campaign(), run.rpcs
        assert isinstance(run_cycle(campaign).decision, Plan)
        for _ in range(2):
            rpc.log.clear()
            assert isinstance(run_cycle(campaign).decision, Hold)
            assert len({seen.post for seen in rpc.log}) == 2


@pytest.mark.parametrize("left", range(1, 7))
@pytest.mark.parametrize("in_vault", [False, True], ids=["wallet", "vault"])
def test_a_block_made_up_after_all_was_found_final_is_not_booked(
    stage_of: StageOf,
    usual: Callable[[bool, int], Usual],
    tmp_path: Path,
    in_vault: bool,
    left: int,
) -> None:
    """One of the last blocks that are asked for is another one: the books would stand on it."""
    (asked,) = usual(in_vault, 1)
    with a_run(stage_of(in_vault), tmp_path, 1, 0) as run:
        run.rpcs[0].inject(Fault.OTHER_BLOCK, after=asked[Fault.OTHER_BLOCK] - left)
        run.cycle()
        run.heal()
        require_normal_soon(run)
        require_books_equal_chain(run)


def test_while_two_rpcs_that_must_agree_do_not_nothing_is_signed(
    stage: Stage, tmp_path: Path
) -> None:
    with a_run(stage, tmp_path, 2, 0) as run:
        run.rpcs[1].inject(Fault.OTHER_BLOCK)
        for _ in range(_TROUBLED_CYCLES):
            assert not run.cycle()
            assert "no 2 of 2 RPCs agree on a block" in run.errors[-1]
        assert run.raw_transactions() == []
        assert run.intents() == []
        run.heal()
        require_normal_soon(run)
        assert run.raw_transactions() != []
        require_nothing_doubled(run)
        require_books_equal_chain(run)


def test_a_transaction_whose_receipt_is_told_late_is_no_strangers(
    stage: Stage, tmp_path: Path
) -> None:
    """A node makes the index that finds receipts after it has taken in the block."""
    with a_run(stage, tmp_path, 1, 0) as run:
        run.rpcs[0].inject(Fault.NO_RECEIPT, times=3)
        run.cycle()
        require_normal_soon(run)
        require_books_equal_chain(run)


def test_a_stranger_is_found_out_though_no_receipt_is_told(stage: Stage, tmp_path: Path) -> None:
    with a_run(stage, tmp_path, 1, 0) as run:
        run.rpcs[0].inject(Fault.FORGOTTEN)
        assert not run.cycle()
        run.heal()
        run.rpcs[0].inject(Fault.NO_RECEIPT)
        (intent,) = run.intents()
        stage.ask("eth_sendRawTransaction", stage.signed_elsewhere(intent.nonce, 10**12))
        with pytest.raises(Halted, match=f"nonce {intent.nonce}, of allow USDC, was used by"):
            run.cycle()
        assert [intent.status for intent in run.intents()] == [Status.REPLACED]


def test_of_three_rpcs_one_may_always_be_a_block_behind(stage: Stage, tmp_path: Path) -> None:
    """It agrees on the block that it has, and the first, which receipts are read from, is above."""
    with a_run(stage, tmp_path, 3, 0) as run:
        run.sending = replace(run.sending, timeout_s=10.0)
        run.rpcs[1].inject(Fault.OLD_HEAD, blocks=1)
        stage.ask("evm_setIntervalMining", 1)
        try:
            normal = [run.cycle() for _ in range(_TROUBLED_CYCLES)]
        finally:
            stage.ask("evm_setIntervalMining", 0)
            stage.ask("evm_setAutomine", True)
        assert all(normal), run.errors
        run.heal()
        require_normal_soon(run)
        require_books_equal_chain(run)
