"""kill -9 at any point of a live campaign: after a restart nothing is lost or done twice."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from faults.kill_points import (
    IN_FLIGHT,
    KILLED,
    POINTS,
    Point,
    counted,
    killed_after,
    run_until,
)
from faults.scenes import Scene
from faults.troubled_desk import Run
from faults.verdict import (
    require_books_equal_chain,
    require_no_swap_more,
    require_normal_soon,
    require_nothing_doubled,
    require_nothing_lost,
)
from faults.waiting import let_blocks_come, mined_again_afterwards, waiting

pytestmark = pytest.mark.fault_row("kill -9 at a point of journal, sign, send, confirm, book")

#: A cycle that does something, with its start, takes less than that on a machine of its own.
_LONGEST_S = 0.6


class Known(NamedTuple):
    """A scene, and how often its next cycles come to each point."""

    scene: Scene
    usual: Counter[Point]


@pytest.fixture(scope="module")
def scenes(wallet_scenes: list[Scene], tmp_path_factory: pytest.TempPathFactory) -> list[Known]:
    """The fewest of two runs: on a busy machine the chain is looked at once more until a block is
    there."""
    return [
        Known(each, each.usual.counts & counts_of(each, tmp_path_factory.mktemp("usual")))
        for each in wallet_scenes
    ]


def counts_of(scene: Scene, folder: Path) -> Counter[Point]:
    with scene.run(folder, 0) as run, counted() as counts:
        signed = len(run.mined())
        run.restart()
        assert run.cycle(), run.errors
        assert len(run.mined()) > signed + 1
    return counts


@pytest.mark.seeds(5, 200)
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.moment)
def test_a_campaign_killed_there_goes_on_as_if_it_had_not_been(
    scenes: list[Known], tmp_path: Path, point: Point, seed: int
) -> None:
    """With every other seed the process that takes over is killed too."""
    dice = random.Random(f"{point.moment} {seed}")
    scene, usual = dice.choice([known for known in scenes if known.usual[point]])
    with scene.run(tmp_path, seed) as run:
        assert run_until(run, tmp_path, point, dice.randrange(usual[point])) == KILLED
        if seed % 2:
            again = dice.choice(POINTS)
            assert run_until(run, tmp_path, again, dice.randrange(3)) in (KILLED, 0)
        run.restart()
        require_as_if_nothing_had_been(run, scene)


@pytest.mark.seeds(1, 100)
@pytest.mark.parametrize("point", IN_FLIGHT, ids=lambda point: point.moment)
def test_a_campaign_killed_before_a_block_takes_what_it_has_sent_goes_on(
    scenes: list[Known], tmp_path: Path, point: Point, seed: int
) -> None:
    """Whatever it was that it had sent. Half of the processes that take over are killed too while
    that waits."""
    dice = random.Random(f"in flight {point.moment} {seed}")
    scene = dice.choice(scenes).scene
    with scene.run(tmp_path, seed) as run, mined_again_afterwards(run.stage):
        last = dice.randrange(scene.usual.sends)
        assert run_until(run, tmp_path, point, 0, unmined=last) == KILLED
        if dice.random() < 0.5:
            assert run_until(run, tmp_path, dice.choice(IN_FLIGHT), 0) in (KILLED, 0)
        assert waiting(run.stage) == 1
        let_blocks_come(run, dice.randint(1, 4))
        run.restart()
        require_normal_soon(run)
        run.come_to_rest()
        require_as_if_nothing_had_been(run, scene)


@pytest.mark.seeds(3, 200)
def test_a_campaign_killed_at_any_moment_goes_on(
    scenes: list[Known], tmp_path: Path, seed: int
) -> None:
    """By the clock, so also where no point is named."""
    dice = random.Random(seed)
    scene = dice.choice(scenes).scene
    with scene.run(tmp_path, seed) as run:
        assert killed_after(run, tmp_path, dice.uniform(0, _LONGEST_S)) in (KILLED, 0)
        run.restart()
        require_as_if_nothing_had_been(run, scene)


def require_as_if_nothing_had_been(run: Run, scene: Scene) -> None:
    require_normal_soon(run)
    require_nothing_doubled(run)
    require_no_swap_more(run, scene.usual.swaps)
    require_nothing_lost(run)
    require_books_equal_chain(run)
