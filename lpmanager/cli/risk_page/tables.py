"""Every measure and every gate, as tables."""

from __future__ import annotations

from lpmanager.cli.assessed import Assessed
from lpmanager.cli.risk_words import measured
from lpmanager.page.tables import Table
from lpmanager.rebalancer.assessment import Question


def measures_table(one: Assessed, question: Question) -> Table:
    """The measures that answer a question, each with its unit."""
    return Table(
        title=str(question),
        columns=("measure", "now", "how"),
        rows=tuple(
            (m.name, measured(m, one.view.snapshot), m.meaning)
            for m in one.measures
            if m.question is question
        ),
    )


def gates_table(one: Assessed) -> Table:
    """Every gate with its number."""
    return Table(
        title="What would change my position?",
        columns=("gate", "is", "measured", "limit", "which is"),
        rows=tuple(
            (gate.name, "open" if gate.passed else "CLOSED", gate.measured, gate.limit, gate.reason)
            for gate in one.decision.gates
        ),
    )
