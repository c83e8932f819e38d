"""What a simulation came to."""

from __future__ import annotations

from fractions import Fraction

import pytest
from builders import NO_OUTLOOK, a_position, a_record, a_snapshot, a_step

from lpmanager.cycle import Cycle
from lpmanager.devnet.summary import Deed, deed_of, holds_by_gate, is_reconciled
from lpmanager.inventory import measure
from lpmanager.model import Gate, Hold, Outcome, Snapshot
from lpmanager.risk.calibration.calibration import NOT_MADE

GAS = 21_000


def a_hold(snapshot: Snapshot, *closed: str) -> Hold:
    gates = tuple(
        Gate(name=name, passed=name not in closed, measured="1", limit="2", reason="a test")
        for name in ("TWAP", "payback")
    )
    return Hold(campaign="test", block=snapshot.block, reason="a test", gates=gates)


def a_cycle(*closed: str, outcome: Outcome | None = None, native: int = 10**18) -> Cycle:
    snapshot = a_snapshot(native=native, wallet=(5, 7))
    return Cycle(
        snapshot=snapshot,
        inventory=measure(snapshot, a_record((5, 7)), Fraction(1, 2)),
        outlook=NO_OUTLOOK,
        calibration=NOT_MADE,
        decision=a_hold(snapshot, *closed),
        outcome=outcome,
    )


def test_each_closed_gate_of_a_hold_counts_and_one_without_had_nothing_to_do() -> None:
    cycles = [a_cycle("TWAP"), a_cycle("TWAP", "payback"), a_cycle()]
    assert holds_by_gate(cycles) == {"TWAP": 2, "payback": 1, "nothing to do": 1}
    assert [deed_of(cycle) for cycle in cycles] == [Deed.HOLD] * 3


SPENT = a_cycle(outcome=Outcome(steps=(a_step(gas=GAS),), stop=None))


@pytest.mark.parametrize(
    ("closing", "reconciled"),
    [
        (a_snapshot(native=10**18 - GAS, wallet=(5, 7)), True),
        (a_snapshot(native=10**18 - GAS, wallet=(5, 8)), False),
        (a_snapshot(native=10**18 - GAS - 1, wallet=(5, 7)), False),
        (a_snapshot(native=10**18 - GAS, wallet=(5, 7), positions=(a_position(),)), False),
    ],
)
def test_one_unit_or_one_position_beyond_the_books_is_not_reconciled(
    closing: Snapshot, reconciled: bool
) -> None:
    assert is_reconciled([SPENT], a_record((5, 7)), closing) is reconciled
