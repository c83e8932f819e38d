"""What a decision says of its gates."""

from __future__ import annotations

from lpmanager.model import Decision, Gate


def closed(decision: Decision) -> list[str]:
    return [gate.name for gate in decision.gates if not gate.passed]


def gate(decision: Decision, name: str) -> Gate:
    (found,) = [g for g in decision.gates if g.name == name]
    return found
