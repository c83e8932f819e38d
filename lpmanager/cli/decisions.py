"""Plans, holds and outcomes as tables for people and as JSON values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from lpmanager.cli.output import console, print_table
from lpmanager.cli.words import (
    amount_text,
    both_text,
    exact_amount,
    moment,
    money,
    number,
    price_unit,
    prices_between,
)
from lpmanager.model import (
    Action,
    Amount,
    Collect,
    Gate,
    Hold,
    Mint,
    Outcome,
    Plan,
    Snapshot,
    Swap,
    Withdraw,
)
from lpmanager.venues.position_names import position_name


def print_plan(plan: Plan, snapshot: Snapshot) -> None:
    """A plan with its bounds, its estimate and its gates."""
    steps = [(str(i), *_action_row(a, snapshot)) for i, a in enumerate(plan.actions, 1)]
    print_table(
        f"{plan.campaign}: {plan.reason}",
        ("", "action", "of", "at the least, and to which price"),
        steps,
    )
    print_table(f"{plan.campaign}: what it is worth", ("", ""), _plan_rows(plan, snapshot))
    print_gates(f"{plan.campaign}: gates", plan.gates)


def print_hold(hold: Hold) -> None:
    """Why nothing is done, with every gate."""
    console().print(f"{hold.campaign}: holds: {hold.reason}", markup=False)
    print_gates(f"{hold.campaign}: gates", hold.gates)


def gates_json(gates: Iterable[Gate]) -> list[dict[str, Any]]:
    """Every gate, for programs."""
    return [asdict(gate) for gate in gates]


def print_gates(title: str, gates: Sequence[Gate]) -> None:
    """Every gate with its number; below them what the number of each closed one means."""
    rows = [(g.name, "open" if g.passed else "CLOSED", g.measured, g.limit) for g in gates]
    print_table(title, ("gate", "is", "measured", "limit"), rows)
    closed = [f"{gate.name} is closed: {gate.reason}" for gate in gates if not gate.passed]
    if closed:
        console().print(*closed, "", sep="\n", markup=False)


def print_outcome(campaign: str, outcome: Outcome) -> None:
    """Every transaction, and what closed or stopped it."""
    rows = [
        (f"{step.what}\n{step.tx_hash}", f"{step.block.number:,}", _gwei(step.gas_paid))
        for step in outcome.steps
    ]
    print_table(f"{campaign}: done", ("transaction", "block", "gas in gwei"), rows)
    console().print(
        f"{campaign}: {outcome.stopped or 'the plan was carried out whole'}; the books close to "
        "the wei",
        markup=False,
    )


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome whose books were closed on it. Gas is in whole native coins."""
    return {
        "steps": [
            {
                "what": step.what,
                "tx_hash": step.tx_hash,
                "block": step.block.number,
                "gas": exact_amount(step.gas_paid),
            }
            for step in outcome.steps
        ],
        "stopped": outcome.stopped,
        "books_closed": True,
    }


def _action_row(action: Action, snapshot: Snapshot) -> tuple[str, str, str]:
    match action:
        case Withdraw():
            what = f"position {position_name(action.token_id)}, about {both_text(action.expected)}"
            return "withdraw", what, both_text(action.minimum)
        case Collect():
            what = f"position {position_name(action.token_id)}"
            return "collect", what, both_text(action.expected)
        case Swap():
            limit = snapshot.pool.price(snapshot.quote, action.sqrt_price_limit_x96)
            bound = f"{amount_text(action.minimum_out)}, up to {number(limit.per_whole)}"
            return f"swap to {action.purpose}", amount_text(action.amount_in), bound
        case Mint():
            what = f"{action.range}, at most {both_text(action.desired)}"
            return "mint", what, both_text(action.minimum)


def _plan_rows(plan: Plan, snapshot: Snapshot) -> list[tuple[str, str]]:
    quote, estimate = snapshot.quote, plan.estimate
    low, high = prices_between(
        snapshot.pool, quote, plan.sqrt_price_min_x96, plan.sqrt_price_max_x96
    )
    unit = price_unit(snapshot.price)
    return [
        ("decided at", f"block {plan.block.number:,}, {moment(plan.block.timestamp)}"),
        ("expires", moment(plan.expires_at)),
        ("price now", f"{number(snapshot.price.per_whole)} {unit}"),
        ("price bounds", f"{number(low)} to {number(high)} {unit}"),
        ("gas", money(estimate.gas, quote)),
        ("swap cost", money(estimate.swap_cost, quote)),
        ("extra fees", f"{money(estimate.fees_gained, quote)} within {estimate.horizon_s:,} s"),
        ("worst case", f"{money(estimate.worst_case, quote)} lost inside its own bounds"),
    ]


def _gwei(gas: Amount) -> str:
    return number(Fraction(gas.raw, 10**9))
