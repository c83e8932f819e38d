"""How much of a day's budgets is used, and what is kept of them for what must be done."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from lpmanager.model import Gate
from lpmanager.rebalancer.judging import Asked, gate_of
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits


def used_today(view: View, limits: Limits) -> Mapping[str, Fraction | None]:
    """Moves, gas and swap cost of the last 24 hours over their limits; None where a limit is 0."""
    usage = view.record.usage
    budgets = {
        "moves": (usage.moves, limits.max_moves_per_day),
        "gas": (usage.gas_raw, limits.max_gas_per_day_raw),
        "swap cost": (usage.swap_cost_quote_raw, limits.max_swap_cost_per_day_raw),
    }
    return {
        what: Fraction(spent, limit) if limit else None for what, (spent, limit) in budgets.items()
    }


def reserve_gates(view: View, limits: Limits) -> tuple[Gate, ...]:
    """What is asked of tokens that are placed or swapped without need, where a share is given.

    A budget of 0 keeps nothing in reserve: it is used up by itself.
    """
    from_share = limits.appetite.reserve_at_budget_used
    if from_share is None:
        return ()
    asked = Asked(
        "reserve",
        f"under {float(from_share):.1%}",
        "of a day's budget; the rest is for what must be done: to leave, or to place a range anew "
        "that is used up",
    )
    known = {what: share for what, share in used_today(view, limits).items() if share is not None}
    most = max(known, key=known.__getitem__, default=None)
    if most is None:
        return (gate_of(asked, passed=True, measured="no budget"),)
    measured = f"{float(known[most]):.1%} of {most}"
    return (gate_of(asked, passed=known[most] < from_share, measured=measured),)
