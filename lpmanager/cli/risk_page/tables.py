"""Every measure and every gate, as tables."""

from __future__ import annotations

from collections.abc import Iterable

from lpmanager.cli.assessed import Assessed
from lpmanager.cli.risk_words import NOT_ASKED, measured
from lpmanager.model import Gate
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
    """Every gate of the decision with its number."""
    return _gates("What would change my position?", one.decision.gates)


def not_asked_table(one: Assessed) -> Table:
    """The limits that the decision did not come to ask."""
    return _gates(NOT_ASKED.capitalize(), one.not_asked)


def _gates(title: str, gates: Iterable[Gate]) -> Table:
    return Table(
        title=title,
        columns=("gate", "is", "measured", "limit", "which is"),
        rows=tuple(
            (gate.name, "open" if gate.passed else "CLOSED", gate.measured, gate.limit, gate.reason)
            for gate in gates
        ),
    )
