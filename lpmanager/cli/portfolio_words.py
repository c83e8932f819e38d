"""What all campaigns together hang on, in the words of a person, and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from lpmanager.cli.assessed import Assessed
from lpmanager.cli.campaigns import Round
from lpmanager.cli.output import console, print_table
from lpmanager.cli.words import number
from lpmanager.page.tables import Table
from lpmanager.rebalancer.assessment.portfolio import Whole, whole
from lpmanager.risk.contagion.exposures import Factor
from lpmanager.risk.contagion.neighbours import Loan
from lpmanager.risk.missing import Missing

WHOLE = "All campaigns: What do they hang on?"


def whole_of(
    found: Round[Assessed], issuers: Mapping[str, str], loans: Iterable[Loan]
) -> Whole | Missing:
    """Exposures of all campaigns that were asked; Missing where one of them could not be read."""
    if found.failed:
        return Missing(f"{', '.join(found.failed)} could not be read")
    return whole({name: one.view for name, one in found.done.items()}, issuers, loans)


def print_whole(together: Whole | Missing) -> None:
    """What all campaigns together hang on, by token, pool, issuer and lender."""
    if isinstance(together, Missing):
        console().print(f"{WHOLE} unknown: {together.reason}", markup=False)
        return
    table = whole_table(together)
    print_table(table.title, table.columns, table.rows)
    if isinstance(together.reach, Missing):
        console().print(f"{together.reach.reason}.", markup=False)


def whole_table(together: Whole) -> Table:
    """The same as a table."""
    value = f"{number(Fraction(together.exposures.net))} {together.money}"
    return Table(
        title=WHOLE,
        columns=("what", "which", f"share of {value}", "fails with it"),
        rows=tuple(
            (str(factor.kind), factor.name, f"{share:.1%}", failing_with(factor, together))
            for factor, share in together.exposures.shares.items()
        ),
        right=frozenset({2, 3}),
    )


def failing_with(factor: Factor, together: Whole) -> str:
    """The share of everything that goes with a factor."""
    reach = together.reach
    return "unknown" if isinstance(reach, Missing) else f"{reach[factor]:.1%}"


def whole_json(together: Whole | Missing) -> dict[str, Any]:
    """Exposures of all campaigns for programs: shares by kind and name."""
    if isinstance(together, Missing):
        nothing = dict.fromkeys(("money", "value", "shares", "fails_with_it"))
        return {"missing": together.reason, **nothing}
    reach = together.reach
    return {
        "missing": reach.reason if isinstance(reach, Missing) else None,
        "money": together.money,
        "value": together.exposures.net,
        "shares": _by_kind(together.exposures.shares),
        "fails_with_it": None if isinstance(reach, Missing) else _by_kind(reach),
    }


def _by_kind(shares: Mapping[Factor, float]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for factor, share in shares.items():
        found.setdefault(str(factor.kind), {})[factor.name] = share
    return found
