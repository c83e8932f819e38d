"""What all campaigns together hang on, in the words of a person, and for programs."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from lpmanager.cli.assessed import Assessed
from lpmanager.cli.campaigns import Round
from lpmanager.cli.output import console, print_table
from lpmanager.cli.words import number
from lpmanager.page.tables import Table
from lpmanager.rebalancer.assessment.portfolio import Whole, whole
from lpmanager.risk.contagion.exposures import Kind
from lpmanager.risk.missing import Missing

WHOLE = "All campaigns: What do they hang on?"


def whole_of(found: Round[Assessed]) -> Whole | Missing:
    """Exposures of all campaigns that were asked; Missing where one of them could not be read."""
    if found.failed:
        return Missing(f"{', '.join(found.failed)} could not be read")
    return whole({name: one.view for name, one in found.done.items()}, issuers={})


def print_whole(together: Whole | Missing) -> None:
    """What all campaigns together hang on, by token, pool and issuer."""
    if isinstance(together, Missing):
        console().print(f"{WHOLE} unknown: {together.reason}", markup=False)
        return
    table = whole_table(together)
    print_table(table.title, table.columns, table.rows)


def whole_table(together: Whole) -> Table:
    """The same as a table."""
    value = f"{number(Fraction(together.exposures.net))} {together.money}"
    return Table(
        title=WHOLE,
        columns=("what", "which", f"share of {value}", "with pools that share it"),
        rows=tuple(
            (
                str(factor.kind),
                factor.name,
                f"{share:.1%}",
                f"{together.reach[factor.name]:.1%}" if factor.kind is Kind.TOKEN else "",
            )
            for factor, share in together.exposures.shares.items()
        ),
        right=frozenset({2, 3}),
    )


def whole_json(together: Whole | Missing) -> dict[str, Any]:
    """Exposures of all campaigns for programs: shares by kind and name."""
    if isinstance(together, Missing):
        return {"missing": together.reason, "money": None, "value": None, "shares": None}
    shares: dict[str, dict[str, float]] = {}
    for factor, share in together.exposures.shares.items():
        shares.setdefault(str(factor.kind), {})[factor.name] = share
    return {
        "missing": None,
        "money": together.money,
        "value": together.exposures.net,
        "shares": shares,
        "with_pools_that_share_it": dict(together.reach),
    }
