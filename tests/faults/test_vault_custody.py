"""A campaign whose tokens are a vault's: each cycle that acts is one transaction, killed or not."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from faults.kill_points import KILLED, POINTS, Point, run_until
from faults.scenes import Scene
from faults.troubled_desk import Run
from faults.verdict import (
    require_books_equal_chain,
    require_normal_soon,
    require_nothing_doubled,
    require_nothing_lost,
)

from lpmanager.cycle import run_cycle
from lpmanager.model import Hold, Minted, Withdrawn
from lpmanager.venues import liquidity_vault

_AS_THE_NODE_HAS_IT = Point("as the node has it", "lpmanager.chain.node.Node.send_raw")
_AS_IT_IS_KNOWN = Point(
    "as it is known what it did", "lpmanager.execution.vault_custody.read_vault_facts"
)
_OF_A_WALLET = "lpmanager.execution.executor.read_fact"
#: What a vault's cycle comes to once its books are begun.
_COME_TO = (_AS_IT_IS_KNOWN, *(p for p in POINTS[2:] if p.function != _OF_A_WALLET))

pytestmark = pytest.mark.fault_row("kill -9 at a point of journal, sign, send, confirm, book")


@pytest.fixture(scope="module")
def scene(vault_scenes: list[Scene]) -> Scene:
    """The market has left both positions of the vault."""
    (made,) = [each for each in vault_scenes if each.name == "re-ranges"]
    return made


def test_a_vault_is_opened_left_alone_and_re_ranged_with_one_transaction_for_each_plan(
    scene: Scene, tmp_path: Path
) -> None:
    with scene.run(tmp_path, 0) as run:
        before = len(run.mined())
        old = set(run.ranges_on_chain())
        cycle = run_cycle(run.campaign())
        assert cycle.outcome is not None
        assert cycle.outcome.stopped is None
        (step,) = cycle.outcome.steps
        assert [type(fact) for fact in step.facts] == [Withdrawn, Withdrawn, Minted, Minted]
        assert len(run.mined()) == before + 1
        assert not old & set(run.ranges_on_chain())
        require_as_it_should_be(run)
        assert isinstance(run_cycle(run.campaign()).decision, Hold)


@pytest.mark.parametrize("point", [_AS_THE_NODE_HAS_IT, _AS_IT_IS_KNOWN], ids=lambda p: p.moment)
def test_a_vaults_campaign_killed_between_send_and_book_goes_on(
    scene: Scene, tmp_path: Path, point: Point
) -> None:
    with scene.run(tmp_path, 0) as run:
        turn = turn_of(run)
        assert run_until(run, tmp_path, point, 0) == KILLED
        require_done_once(run, turn)


@pytest.mark.seeds(4, 400)
def test_a_vaults_campaign_killed_anywhere_and_again_goes_on(
    scene: Scene, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    with scene.run(tmp_path, seed) as run:
        turn = turn_of(run)
        assert run_until(run, tmp_path, dice.choice(_COME_TO), 0) == KILLED
        assert run_until(run, tmp_path, dice.choice(_COME_TO), 0) in (KILLED, 0)
        require_done_once(run, turn)


def require_done_once(run: Run, turn: int) -> None:
    run.restart()
    require_normal_soon(run)
    require_as_it_should_be(run)
    assert turn_of(run) == turn + 1


def turn_of(run: Run) -> int:
    vault, node = run.stage.vault, run.stage.controls.node
    assert vault is not None
    return node.call(liquidity_vault.turns(vault), node.head()).seq


def require_as_it_should_be(run: Run) -> None:
    require_nothing_doubled(run)
    require_nothing_lost(run)
    require_books_equal_chain(run)
