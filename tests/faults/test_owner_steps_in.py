"""The owner of a vault takes everything out while a rebalance is under way: that one is void."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.kill_points import POINTS, Point, at
from faults.moving_chain import MovingChain, a_moving_run
from faults.troubled_desk import Run, Stage, a_stage
from faults.verdict import (
    require_books_equal_chain,
    require_normal_soon,
    require_nothing_doubled,
    require_nothing_lost,
)

from lpmanager.cycle import run_cycle
from lpmanager.venues import liquidity_vault

_AS_DECIDED = Point("as it is decided", "lpmanager.cycle.decide")
_AS_SIGNED = next(point for point in POINTS if point.moment == "as a signature is on disk")

#: With these the market does not leave the plan's bounds meanwhile.
_DICE = 1


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with a_stage(in_vault=True) as made:
        yield made


@pytest.mark.parametrize(
    ("point", "said", "signed"),
    [(_AS_DECIDED, "which is at 1 by now", 0), (_AS_SIGNED, "was mined but reverted", 1)],
    ids=["decided", "signed"],
)
def test_what_was_decided_before_an_exit_is_void_though_all_is_there_again(
    stage: Stage, tmp_path: Path, point: Point, said: str, signed: int
) -> None:
    with a_moving_run(stage, tmp_path, random.Random(_DICE), 0) as (run, chain):
        with at(point, lambda: take_out_and_put_back(chain)):
            outcome = run_cycle(run.campaign()).outcome
        assert outcome is not None
        assert outcome.stopped is not None
        assert said in outcome.stopped
        assert run.ranges_on_chain() == []
        assert [one.succeeded for one in run.mined()] == [False] * signed
        require_goes_on(run)


def take_out_and_put_back(chain: MovingChain) -> None:
    vault, owner = chain.stage.vault, chain.stage.owner
    assert vault is not None
    chain.owner_orders(vault, liquidity_vault.exit_all(owner))
    chain.owner_puts_back()


def require_goes_on(run: Run) -> None:
    require_normal_soon(run)
    require_nothing_doubled(run)
    require_nothing_lost(run)
    require_books_equal_chain(run)
