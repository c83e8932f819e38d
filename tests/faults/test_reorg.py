"""Blocks that are taken out again: what is final is booked, what was only mined is seen through."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from a_person import resume
from faults.moving_chain import DEEPEST, USUAL_BASE_FEE, Fate, MovingChain, a_moving_run
from faults.troubled_desk import NAME, TERMS, Run, Stage, StageOf, both_stages
from faults.verdict import (
    CYCLES_TO_RECOVER,
    require_books_equal_chain,
    require_normal_soon,
    require_nothing_doubled,
    require_nothing_lost,
)
from sqlalchemy import select

from lpmanager.errors import Halted
from lpmanager.execution.intent import CLOSED, Status
from lpmanager.ledger import accounting, tables
from lpmanager.ledger.diary import Diary
from lpmanager.model import NATIVE
from lpmanager.venues import liquidity_vault

pytestmark = pytest.mark.fault_row("reorganisations, depth 1 to 12: dropped, re-mined or replaced")

#: By that much the price moves, in hundredths of a percent, so that the ranges must follow it.
_OUT_OF_RANGE_BPS = 900
#: Longer than the window over which the price's mean is taken.
_UNTIL_CALM_S = 660

#: That what others did in blocks that are taken out is in those that take their place.
_OTHERS_STAY = 0.5

#: As many times the usual base fee, no first offer is mined.
_DEAR = 8

#: About as many questions as a cycle asks that acts, a wallet's and a vault's: the moment is before
#: one, or after all.
_QUESTIONS = {False: range(40, 280), True: range(15, 110)}

#: One of so many comes at such a moment, with every depth.
_ONCE_FINAL = 7

#: What an owner does by hand is the owner's.
_ADOPTING = 'changed_by_hand = "adopt"\n' + TERMS


@pytest.fixture(scope="module")
def stage_of() -> Iterator[StageOf]:
    with both_stages() as made:
        yield made


@pytest.fixture(scope="module")
def stage(stage_of: StageOf) -> Stage:
    return stage_of(False)


class ByOwner(StrEnum):
    """What the owner of a vault has done in one of the blocks that are taken out."""

    NOTHING = "nothing"
    WITHDRAWAL = "withdrawal"
    EXIT = "exit"


@dataclass
class Scene:
    """A campaign that is about to act, and what the chain does to it. `met` are the states of its
    open intents at the moment it happens."""

    run: Run
    chain: MovingChain
    depth: int
    fate: Fate
    by_owner: ByOwner = ByOwner.NOTHING
    begun: bool = False
    met: frozenset[Status] | None = None

    def begin(self) -> None:
        """The owner acts, where he is to, and some blocks later comes the reorganisation."""
        self.begun = True
        at = self.chain.blocks
        if self.by_owner is not ByOwner.NOTHING:
            at += self.chain.dice.randint(1, self.depth)
            self.owner_acts()
        self.chain.before_question = lambda: self.reorganise_at(at)
        self.reorganise_at(at)

    def reorganise_at(self, block: int) -> None:
        if self.chain.blocks >= block:
            self.reorganise()

    def owner_acts(self) -> None:
        vault, dice = self.run.stage.vault, self.chain.dice
        assert vault is not None
        pool, owner = self.run.stage.deployment.pool, self.run.stage.owner
        data = liquidity_vault.exit_all(owner)
        if self.by_owner is ByOwner.WITHDRAWAL:
            token = dice.choice([pool.token0, pool.token1]).address
            raw = dice.choice([1, 10**6, liquidity_vault.UINT256_MAX])
            data = liquidity_vault.withdraw(token, raw, owner)
        self.chain.owner_orders(vault, data)

    def reorganise(self) -> None:
        self.met = frozenset(intent.status for intent in self.run.intents()) - CLOSED
        self.chain.before_question = lambda: None
        others_stay = self.chain.dice.random() < _OTHERS_STAY
        self.chain.reorganise(self.depth, self.fate, others_stay=others_stay)

    def begin_before_question(self, number: int) -> None:
        """A moment in the cycles to come."""
        at = self.chain.questions + number

        def is_it_now() -> None:
            if self.chain.questions >= at:
                self.begin()

        self.chain.before_question = is_it_now

    def begin_once_final(self) -> None:
        """As all that it has sent is final and none of it booked, which is a rare moment else."""

        def is_it_now() -> None:
            if {intent.status for intent in self.run.intents()} - CLOSED == {Status.FINAL}:
                self.begin()

        self.chain.before_question = is_it_now

    def come_to_its_end(self) -> None:
        """What was to come in the cycles and did not comes now."""
        if not self.begun:
            self.begin()
        if self.met is None:
            self.reorganise()


def a_scene(run: Run, chain: MovingChain, seed: int) -> Scene:
    """Half of the campaigns of each depth open their first positions, the rest follow a price that
    has moved."""
    if follows(seed):
        require_normal_soon(run)
        chain.move_price(_OUT_OF_RANGE_BPS)
        chain.pass_time(_UNTIL_CALM_S)
    fate = list(Fate)[(seed + seed // DEEPEST) % len(Fate)]
    if fate is Fate.REPLACED:
        chain.base_fee = gas_in_waves()
    return Scene(run=run, chain=chain, depth=seed % DEEPEST + 1, fate=fate)


def follows(seed: int) -> bool:
    return (seed + seed // DEEPEST) % 2 == 1


def is_vaults(seed: int) -> bool:
    """Half of the campaigns that open, of those that follow, and of those of each depth."""
    return (seed // 2 + seed // DEEPEST + seed // (2 * DEEPEST)) % 2 == 1


@pytest.mark.least({"before mined": 1 / 12, "before final": 1 / 6, "before booked": 1 / 12})
@pytest.mark.seeds(24, 600)
def test_books_equal_the_chain_whatever_a_reorganisation_does(
    stage_of: StageOf, tmp_path: Path, figures: dict[str, int], seed: int
) -> None:
    """It is not as deep as what counts as final. The owner of a vault may act in between."""
    dice, in_vault = random.Random(f"reorg {seed}"), is_vaults(seed)
    by_owner = dice.choice(list(ByOwner)) if in_vault else ByOwner.NOTHING
    terms = TERMS if by_owner is ByOwner.NOTHING else _ADOPTING
    with a_moving_run(stage_of(in_vault), tmp_path, dice, seed, terms=terms) as (run, chain):
        scene = replace(a_scene(run, chain, seed), by_owner=by_owner)
        confirmations = scene.depth + dice.randint(1, 3)
        run.sending = replace(run.sending, confirmations=confirmations)
        if seed % _ONCE_FINAL == 0:
            scene.begin_once_final()
        else:
            scene.begin_before_question(dice.choice(_QUESTIONS[in_vault]))
        halts = [halted_within(run, CYCLES_TO_RECOVER)]
        if scene.met is None:
            scene.come_to_its_end()
        halts = [why for why in (*halts, halted_within(run, 1)) if why is not None]
        figures["of a vault"] = int(in_vault)
        if by_owner is not ByOwner.NOTHING:
            figures[f"{by_owner} in between"] = 1
        assert bool(chain.strangers) == bool(halts), (halts, run.errors)
        figures[f"{scene.fate} {moment(scene.met)}"] = 1
        figures["own older attempts mined"] = chain.older
        figures["strangers mined"] = len(chain.strangers)
        require_normal_soon(run)
        if by_owner is not ByOwner.NOTHING:
            chain.owner_puts_back()
            require_normal_soon(run)
        require_exact(run, chain)
        require_nothing_doubled(run, chain.hashes_of_strangers())
        require_nothing_lost(run, chain.hashes_of_strangers())


@pytest.mark.seeds(8, 200)
def test_a_booked_transaction_that_is_taken_out_is_not_carried_on_with(
    stage_of: StageOf, tmp_path: Path, figures: dict[str, int], seed: int
) -> None:
    """The reorganisation is deeper than what was asked for as final. The manager halts, because its
    books are not the chain's; or refuses every cycle; or they happen to be the chain's again."""
    dice = random.Random(f"deep {seed}")
    with a_moving_run(stage_of(is_vaults(seed)), tmp_path, dice, seed) as (run, chain):
        scene = a_scene(run, chain, seed)
        run.sending = replace(run.sending, confirmations=dice.randint(1, 6))
        require_normal_soon(run)
        before = booked(run)
        scene.depth = depth_of_newest(run)
        scene.reorganise()
        assert not all(stands(run, *one) for one in before)
        errors = len(run.errors)
        if halted_within(run, CYCLES_TO_RECOVER) is not None:
            figures["booked and taken out: halted"] = 1
        elif len(run.errors) - errors == CYCLES_TO_RECOVER:
            figures["booked and taken out: refused"] = 1
        else:
            require_books_equal_chain(run)
            figures["booked and taken out: back again"] = 1


def moment(met: frozenset[Status] | None) -> str:
    """When it was, by the open intent that had come the least far."""
    for status, told in (
        (Status.SIGNED, "before mined"),
        (Status.SENT, "before mined"),
        (Status.MINED, "before final"),
        (Status.FINAL, "before booked"),
    ):
        if met and status in met:
            return told
    return "while idle"


def gas_in_waves() -> Callable[[], int]:
    """So that some offers must be raised before they are mined."""
    waves = itertools.cycle([USUAL_BASE_FEE] + [_DEAR * USUAL_BASE_FEE] * 4)
    return lambda: next(waves)


def halted_within(run: Run, cycles: int) -> str | None:
    """Why the campaign halts in so many cycles, if it does; a person lifts that."""
    try:
        for _ in range(cycles):
            run.cycle()
    except Halted as error:
        resume(Diary(run.ledger.engine, NAME), run.stage.now())
        return str(error)
    return None


def depth_of_newest(run: Run) -> int:
    """How deep a reorganisation must be to take out the newest transaction in the books."""
    heights = [intent.inclusion.block_number for intent in run.intents() if intent.inclusion]
    return run.stage.controls.node.head().number - max(heights) + 1


def require_exact(run: Run, chain: MovingChain) -> None:
    """As the amounts; and every transaction is in the block that the books and the journal say."""
    require_exact_amounts(run, chain)
    places = [intent.inclusion for intent in run.intents() if intent.inclusion]
    assert all(stands(run, place.tx_hash, place.block_hash) for place in places)
    assert all(stands(run, *one) for one in booked(run))
    assert run.allowances() == {0}


def require_exact_amounts(run: Run, chain: MovingChain) -> None:
    """Wallet, positions and gas in the books are to the wei what the chain holds."""
    require_books_equal_chain(run)
    in_books = run.ledger.balances(NAME).get((accounting.GAS, NATIVE), 0)
    assert in_books == run.stage.native_spent() - chain.paid_by_strangers()


def booked(run: Run) -> list[tuple[str, str]]:
    """Hash and block of all transactions in the books."""
    columns = tables.entries.c
    query = select(columns.tx_hash, columns.block_hash).where(columns.tx_hash.is_not(None))
    with run.ledger.engine.connect() as connection:
        return [(row.tx_hash, row.block_hash) for row in connection.execute(query)]


def stands(run: Run, tx_hash: str, block_hash: str) -> bool:
    """Whether the chain holds a transaction in that block."""
    receipt = run.stage.ask("eth_getTransactionReceipt", tx_hash)
    return receipt is not None and receipt["blockHash"] == block_hash


# ---- what went wrong before ----


def test_a_withdrawal_that_is_taken_out_after_it_was_booked_was_none(
    stage_of: StageOf, tmp_path: Path
) -> None:
    with a_moving_run(stage_of(True), tmp_path, random.Random(0), 0) as (run, chain):
        require_normal_soon(run)
        before = chain.blocks
        Scene(run, chain, 1, Fate.DROPPED, ByOwner.WITHDRAWAL).owner_acts()
        require_normal_soon(run)
        chain.reorganise(chain.blocks - before, Fate.DROPPED, others_stay=False)
        require_normal_soon(run)
        require_exact_amounts(run, chain)


def test_fees_that_a_reorganisation_takes_back_are_no_reason_to_halt(
    stage: Stage, tmp_path: Path
) -> None:
    with a_moving_run(stage, tmp_path, random.Random(0), 0) as (run, chain):
        require_normal_soon(run)
        chain.pass_time(_UNTIL_CALM_S)
        run.cycle()
        chain.reorganise(3, Fate.MINED_AGAIN, others_stay=False)
        assert halted_within(run, 1) is None


def test_a_stranger_halts_a_campaign_whose_plan_had_stopped_already(
    stage: Stage, tmp_path: Path
) -> None:
    """He takes the place of an allowance, so that the mint behind it reverts."""
    with a_moving_run(stage, tmp_path, random.Random(0), 0) as (run, chain):
        run.sending = replace(run.sending, confirmations=DEEPEST, timeout_s=1.0)
        once_a_mint_is_mined(run, chain, lambda: take_place_of_newest_allowance(run, chain))
        assert halted_within(run, 1) is not None
        assert chain.strangers


def test_a_mint_that_is_taken_out_before_its_logs_are_read_is_seen_through(
    stage: Stage, tmp_path: Path
) -> None:
    with a_moving_run(stage, tmp_path, random.Random(0), 0) as (run, chain):
        run.sending = replace(run.sending, confirmations=3, timeout_s=2.0)
        once_a_mint_is_mined(
            run, chain, lambda: chain.reorganise(1, Fate.DROPPED, others_stay=True)
        )
        assert run.cycle(), run.errors


def test_a_booked_transaction_that_is_mined_again_at_another_gas_price_is_noticed(
    stage: Stage, tmp_path: Path
) -> None:
    with a_moving_run(stage, tmp_path, random.Random(0), 0) as (run, chain):
        require_normal_soon(run)
        chain.mine_dearer(depth_of_newest(run))
        if halted_within(run, CYCLES_TO_RECOVER) is None:
            require_exact_amounts(run, chain)


def once_a_mint_is_mined(run: Run, chain: MovingChain, then: Callable[[], None]) -> None:
    """Before the next question, the first time."""

    def look() -> None:
        newest = run.intents()[-1:]
        if newest and newest[0].purpose.actions and newest[0].inclusion is not None:
            chain.before_question = lambda: None
            then()

    chain.before_question = look


def take_place_of_newest_allowance(run: Run, chain: MovingChain) -> None:
    allowance, _mint = run.intents()[-2:]
    assert allowance.inclusion is not None
    depth = run.stage.controls.node.head().number - allowance.inclusion.block_number + 1
    chain.dice = FirstOf()
    chain.reorganise(depth, Fate.REPLACED, others_stay=True)


class FirstOf(random.Random):
    """Always chooses the first."""

    def choice(self, seq: Any) -> Any:
        return seq[0]
