"""kill -9 at any point of a live campaign: after a restart nothing is lost or done twice."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from faults.kill_points import KILLED, POINTS, Point, counted, killed_after, run_until
from faults.scenes import Scene
from faults.troubled_desk import Run
from faults.verdict import (
    require_books_equal_chain,
    require_normal_soon,
    require_nothing_doubled,
    require_nothing_lost,
)

pytestmark = pytest.mark.fault_row("kill -9 at a point of journal, sign, send, confirm, book")

#: A cycle that does something, with its start, takes less than that on a machine of its own.
_LONGEST_S = 0.6


class Known(NamedTuple):
    """A scene, and how often its next cycle comes to each point."""

    scene: Scene
    usual: Counter[Point]


@pytest.fixture(scope="module")
def scenes(wallet_scenes: list[Scene], tmp_path_factory: pytest.TempPathFactory) -> list[Known]:
    return [Known(each, usual_of(each, tmp_path_factory.mktemp("usual"))) for each in wallet_scenes]


def usual_of(scene: Scene, folder: Path) -> Counter[Point]:
    """The fewest of two runs: on a busy machine the chain is looked at once more until a block is
    there."""
    return counts_of(scene, folder / "once") & counts_of(scene, folder / "again")


def counts_of(scene: Scene, folder: Path) -> Counter[Point]:
    folder.mkdir()
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
        require_as_if_nothing_had_been(run)


@pytest.mark.seeds(5, 200)
def test_a_campaign_killed_at_any_moment_goes_on(
    scenes: list[Known], tmp_path: Path, seed: int
) -> None:
    """By the clock, so also where no point is named."""
    dice = random.Random(seed)
    with dice.choice(scenes).scene.run(tmp_path, seed) as run:
        assert killed_after(run, tmp_path, dice.uniform(0, _LONGEST_S)) in (KILLED, 0)
        run.restart()
        require_as_if_nothing_had_been(run)


def require_as_if_nothing_had_been(run: Run) -> None:
    require_normal_soon(run)
    require_nothing_doubled(run)
    require_nothing_lost(run)
    require_books_equal_chain(run)
