"""Cycles counted, and the line of positions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builders import a_block, a_pool, amounts, price_at
from paper_account import an_account

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.ledger.diary import CycleRow
from lpmanager.ledger.report import Activity, PositionLife, activity
from lpmanager.ledger.store import Ledger
from lpmanager.model import Minted, Outcome, TickRange


def a_cycle(decision: str, *, acted: bool = False, **gates: bool) -> CycleRow:
    listed: list[dict[str, Any]] = [{"name": n, "passed": passed} for n, passed in gates.items()]
    return CycleRow(
        block_number=1,
        timestamp=1,
        sqrt_price_x96=1,
        decision={"decision": decision, "gates": listed},
        acted=acted,
        stopped=None,
    )


def test_a_campaign_that_never_ran_has_done_nothing() -> None:
    assert activity([]) == Activity(cycles=0, moves=0, holds=0, at_rest=0, closed_gates={})


def test_holds_are_told_apart_by_the_gates_that_were_closed() -> None:
    counted = activity(
        [
            a_cycle("hold", payback=False, twap=True),
            a_cycle("hold", payback=False, twap=False),
            a_cycle("hold", payback=True, twap=True),
            a_cycle("plan", acted=True, payback=True),
            a_cycle("plan", payback=True),
        ]
    )
    assert counted == Activity(
        cycles=5, moves=1, holds=3, at_rest=1, closed_gates={"payback": 2, "twap": 1}
    )


def test_every_position_is_remembered_from_its_mint_to_its_end(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/books.db")
    account = an_account((10**9, 10**9), pool=a_pool())
    books = Bookkeeper("main", ledger, account.signer, None, account.outside_transfers)
    before = account.snapshot()
    books.bring_up_to(before)
    steps = (
        account.mints(TickRange(-600, 600), amounts(10**6, 10**6)),
        account.withdraws(1001),
        account.mints(TickRange(-60, 60), amounts(10**6, 10**6)),
    )
    books.close(before, Outcome(steps=steps, stop=None), account.snapshot)
    first, second = (step.facts[0] for step in (steps[0], steps[2]))
    assert isinstance(first, Minted)
    assert isinstance(second, Minted)
    assert books.lineage() == (
        PositionLife(
            token_id=1001,
            range=TickRange(-600, 600),
            liquidity=first.liquidity,
            sqrt_price_x96=price_at(0),
            opened_at=a_block(101).timestamp,
            closed_at=a_block(102).timestamp,
        ),
        PositionLife(
            token_id=1002,
            range=TickRange(-60, 60),
            liquidity=second.liquidity,
            sqrt_price_x96=price_at(0),
            opened_at=a_block(103).timestamp,
            closed_at=None,
        ),
    )
    ledger.engine.dispose()
