"""The debts of a stress file: who cannot pay after a scenario, and what that takes along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lpmanager.config_errors import did_you_mean
from lpmanager.errors import ConfigError
from lpmanager.risk.contagion.stress import Moves, Struck
from lpmanager.risk.missing import Missing

if TYPE_CHECKING:
    from lpmanager.cli.stress_file import StressFile
    from lpmanager.risk.contagion.debts import Settlement


def require_debtors(file: StressFile, path: Path, campaigns: Iterable[str]) -> None:
    """Raise ConfigError for who owes or is owed, and is neither a campaign nor has [assets]."""
    known = {*campaigns, *file.assets}
    lines = [f"{path}: {line}" for line in _strangers(file, known)]
    lines += [
        f"{path}: assets.{name}: is a campaign; what it has is read from its pool"
        for name in file.assets
        if name in set(campaigns)
    ]
    if lines:
        raise ConfigError("\n".join(lines))


def _strangers(file: StressFile, known: set[str]) -> Iterator[str]:
    for debtor, creditors in file.debts.items():
        if debtor not in known:
            yield f"debts.{debtor}: nothing tells what it has; write a table [assets.{debtor}]"
        for name in creditors:
            if name == debtor:
                yield f"debts.{debtor}.{name}: nobody owes itself"
            elif name not in known:
                yield (
                    f"debts.{debtor}.{name}: neither a campaign asked about nor a table of "
                    f"[assets]{did_you_mean(name, known)}"
                )


def settled_debts(
    file: StressFile,
    moves: Moves,
    campaigns: Mapping[str, Struck | Missing],
    money_per_quote: Mapping[str, float] | Missing,
) -> Settlement | Missing | None:
    """All debts of the file settled after a scenario; None where it has none.

    Missing where the campaigns' values cannot be told in one money.
    """
    if not file.debts:
        return None
    if isinstance(money_per_quote, Missing):
        return money_per_quote
    from lpmanager.risk.contagion.debts import Debtor, settle

    debtors = []
    for name, struck in campaigns.items():
        before, after = (0.0, 0.0) if isinstance(struck, Missing) else (struck.before, struck.after)
        rate, owes = money_per_quote[name], file.debts.get(name, {})
        debtors.append(Debtor(name=name, before=before * rate, after=after * rate, owes=owes))
    for name, tokens in file.assets.items():
        after = sum(value * (1 + moves.of[token]) for token, value in tokens.items())
        owes = file.debts.get(name, {})
        debtors.append(Debtor(name=name, before=sum(tokens.values()), after=after, owes=owes))
    return settle(debtors)


def print_debts(found: Settlement | Missing | None, money: str) -> None:
    """Who pays what, in a table; nothing where there are no debts."""
    from lpmanager.cli.output import console, print_table

    if found is None:
        return
    if isinstance(found, Missing):
        console().print(f"Debts: unknown: {found.reason}", markup=False)
        return
    rows = [
        (
            each.name,
            f"{each.owes:,.2f}",
            f"{each.pays:,.2f}" + (" (defaults)" if each.defaults else ""),
            f"{each.loses:,.2f}",
            f"{each.left:,.2f}",
            "unknown" if isinstance(each.distress, Missing) else f"{each.distress:.1%}",
        )
        for each in found.settled
    ]
    head = ("who", "owes", "pays", "is not paid", "has left", "distress")
    print_table(f"Debts, in {money} of before", head, rows)
    told = (
        f"unknown: {found.rank.reason}"
        if isinstance(found.rank, Missing)
        else f"{found.rank:.1%} of what all of them have"
    )
    console().print(f"Distress takes, beyond what prices did: {told}.", markup=False)


def debts_json(found: Settlement | Missing | None) -> dict[str, Any] | None:
    """The same for programs; null where there are no debts."""
    if found is None:
        return None
    if isinstance(found, Missing):
        return {"missing": found.reason, "of": None, "debt_rank": None}
    return {
        "missing": found.rank.reason if isinstance(found.rank, Missing) else None,
        "of": {
            each.name: {
                "owes": each.owes,
                "pays": each.pays,
                "is_not_paid": each.loses,
                "left": each.left,
                "defaults": each.defaults,
                "distress": None if isinstance(each.distress, Missing) else each.distress,
            }
            for each in found.settled
        },
        "debt_rank": None if isinstance(found.rank, Missing) else found.rank,
    }
