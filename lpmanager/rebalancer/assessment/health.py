"""How well a campaign's chain is heard, what its blocks cost, and whether its contracts are what
they should be."""

from __future__ import annotations

from lpmanager.model import Snapshot
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.health_gates import base_fee_to_usual, checked_ago, healthy_rpcs
from lpmanager.risk.missing import Missing


def health_measures(snapshot: Snapshot) -> tuple[Measure, ...]:
    """RPCs in use, the base fee against the recent blocks, and the checks of pool and tokens.

    No campaign of a chain is opened whose pool or tokens fail these, or cannot be checked; tokens
    are checked again now and then, as their contracts may change what they do.
    """
    rpcs, check = healthy_rpcs(snapshot), snapshot.tokens
    vault = "" if snapshot.vault is None else ", the vault's code is ours"
    value: str | Missing
    if check is None:
        value = Missing("the contracts of a chain are checked, and a replay asks none")
        when = "when they were checked"
    else:
        value = "passed" if check.refused is None else f"refused: {check.refused}"
        when = checked_ago(snapshot, check)
    return (
        _measure(
            "RPCs",
            rpcs if isinstance(rpcs, Missing) else f"{rpcs[0]} of {rpcs[1]}",
            Unit.WORD,
            "in use: did not fail several times in a row, as far as they were asked",
        ),
        _measure(
            "base fee over usual",
            base_fee_to_usual(snapshot),
            Unit.RATIO,
            "over its median of the recent blocks",
        ),
        _measure(
            "pool and tokens",
            value,
            Unit.WORD,
            f"when it was opened: the factory made the pool{vault}; {when}: what was lent of each "
            "token came and went in full; a token that rebases is not seen",
        ),
    )


def _measure(name: str, value: float | str | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.MARKET, name=name, value=value, unit=unit, meaning=meaning)
