"""What debtors pay one another after prices moved, and how far distress spreads before that.

Needs the extra `quant`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap

from lpmanager.risk.contagion.clearing import clear
from lpmanager.risk.contagion.debt_rank import DebtRank, debt_rank
from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Debtor:
    """Somebody who may owe and be owed: what he has besides his claims, before prices move and
    after, and what he owes to whom. All in one money."""

    name: str
    before: float
    after: float
    owes: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of one of them when all had to pay: `loses` is what others did not pay him.

    `distress`, in [0, 1], is what of his equity is gone by what his own debtors and prices lost,
    before anybody must pay; Missing where somebody owed more than he had from the beginning.
    """

    name: str
    owes: float
    pays: float
    loses: float
    left: float
    defaults: bool
    distress: float | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """All of them, and the share of all their equity that distress takes beyond what prices did
    (DebtRank)."""

    settled: tuple[Settled, ...]
    rank: float | Missing


def settle(debtors: Sequence[Debtor]) -> Settlement:
    """Clear all debts by Eisenberg and Noe, and spread distress by Battiston's DebtRank.

    Raises ValueError for what is owed to nobody among them, or is no amount.
    """
    names = [each.name for each in debtors]
    strangers = sorted({name for each in debtors for name in each.owes} - set(names))
    if strangers:
        raise ValueError(
            f"nothing is known of {' and '.join(strangers)}, to whom something is owed"
        )
    owed = [[each.owes.get(name, 0.0) for name in names] for each in debtors]
    paid = clear(owed, [each.after for each in debtors])
    spread = _spread(debtors, owed)
    ranks = [spread] * len(names) if isinstance(spread, Missing) else spread.distress
    settled = []
    for place, (name, row) in enumerate(zip(names, owed, strict=True)):
        unpaid = (
            line[place] * (1 - payment / sum(line))
            for line, payment in zip(owed, paid.payments, strict=True)
            if line[place] > 0
        )
        settled.append(
            Settled(
                name=name,
                owes=sum(row),
                pays=paid.payments[place],
                loses=sum(unpaid),
                left=paid.equity[place],
                defaults=paid.defaults[place],
                distress=ranks[place],
            )
        )
    return Settlement(
        settled=tuple(settled), rank=spread if isinstance(spread, Missing) else spread.rank
    )


def _spread(debtors: Sequence[Debtor], owed: Sequence[Sequence[float]]) -> DebtRank | Missing:
    claims = [sum(column) for column in zip(*owed, strict=True)]
    equity = [
        each.before + claim - sum(row)
        for each, claim, row in zip(debtors, claims, owed, strict=True)
    ]
    broke = [each.name for each, left in zip(debtors, equity, strict=True) if left <= 0]
    if broke:
        return Missing(f"{' and '.join(broke)} had no more than was owed before anything moved")

    def shock(each: Debtor, left: float) -> float:
        return min(max(each.before - each.after, 0.0) / left, 1.0)

    shocks = list(starmap(shock, zip(debtors, equity, strict=True)))
    return debt_rank(owed, equity, shocks, value=equity)
