"""Stress scenarios in the words of a person, and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lpmanager.cli.output import console, print_table
from lpmanager.cli.portfolio_words import print_whole, whole_json
from lpmanager.cli.stress import Ran
from lpmanager.cli.stress_debts import debts_json, print_debts
from lpmanager.rebalancer import View
from lpmanager.rebalancer.assessment.portfolio import Whole, money_of
from lpmanager.risk.contagion.stress import Moves, Struck, Together
from lpmanager.risk.missing import Missing

_COUNTED = (
    "Values are in each campaign's quote token, and of all together in {money}, as these were "
    "worth before."
)


def print_stress(ran: Sequence[Ran], views: Mapping[str, View], together: Whole | Missing) -> None:
    """A table for each scenario, and what all campaigns hang on."""
    for one in ran:
        _print_scenario(one, views)
    console().print(_COUNTED.format(money=money_of(views)), "", markup=False)
    print_whole(together)


def stress_json(
    ran: Sequence[Ran], views: Mapping[str, View], together: Whole | Missing
) -> dict[str, Any]:
    """The same for programs; what is null is told by `missing`."""
    return {
        "money": money_of(views),
        "scenarios": {one.name: _scenario_json(one, views) for one in ran},
        "together": whole_json(together),
    }


def _print_scenario(one: Ran, views: Mapping[str, View]) -> None:
    found = {**one.campaigns, "all together": one.together}
    moneys = {name: view.snapshot.quote.symbol for name, view in views.items()}
    rows = [(name, *_row(each, moneys.get(name, money_of(views)))) for name, each in found.items()]
    head = ("campaign", "before", "after", "change", "price", "in base token after")
    print_table(f"{one.name}: {_moves(one.moves)}", head, rows)
    sentences = [
        f"{name}: unknown: {each.reason}"
        for name, each in found.items()
        if isinstance(each, Missing)
    ]
    if one.moves.repair is not None:
        sentences.append(
            "The correlations cannot be (least eigenvalue "
            f"{one.moves.repair.least_eigenvalue:.2g}); the nearest that can were taken, the most "
            f"changed by {one.moves.repair.largest_change:.2g}."
        )
    if one.worst is not None:
        sentences.append(f"The worst hit, of its own value: {one.worst}.")
    print_debts(one.debts, money_of(views))
    for sentence in sentences:
        console().print(sentence, markup=False)
    console().print()


def _row(found: Struck | Together | Missing, money: str) -> tuple[str, ...]:
    if isinstance(found, Missing):
        return ("unknown", "", "", "", "")
    values = (
        f"{found.before:,.2f} {money}",
        f"{found.after:,.2f} {money}",
        f"{found.change:+z.2%}",
    )
    if isinstance(found, Together):
        return (*values, "", "")
    return (*values, f"{found.price_move:+z.2%}", f"{found.base_weight:.0%}")


def _moves(moves: Moves) -> str:
    told = [
        f"{token} {move:+z.2%}" + ("" if token in moves.named else " (follows)")
        for token, move in moves.of.items()
        if token in moves.named or move != 0
    ]
    return ", ".join(told)


def _scenario_json(one: Ran, views: Mapping[str, View]) -> dict[str, Any]:
    repair = one.moves.repair
    return {
        "moves": {
            token: {"move": move, "named": token in one.moves.named}
            for token, move in one.moves.of.items()
        },
        "repair": None
        if repair is None
        else {
            "least_eigenvalue": repair.least_eigenvalue,
            "largest_change": repair.largest_change,
        },
        "campaigns": {
            name: _struck_json(found, views[name].snapshot.quote.symbol)
            for name, found in one.campaigns.items()
        },
        "together": _together_json(one.together),
        "worst": one.worst,
        "debts": debts_json(one.debts),
    }


def _struck_json(found: Struck | Missing, quote: str) -> dict[str, Any]:
    known = None if isinstance(found, Missing) else found
    return {
        "missing": found.reason if isinstance(found, Missing) else None,
        "quote": quote,
        "before": known and known.before,
        "after": known and known.after,
        "change": known and known.change,
        "price_move": known and known.price_move,
        "base_weight": known and known.base_weight,
    }


def _together_json(found: Together | Missing) -> dict[str, Any]:
    known = None if isinstance(found, Missing) else found
    return {
        "missing": found.reason if isinstance(found, Missing) else None,
        "before": known and known.before,
        "after": known and known.after,
        "change": known and known.change,
    }
