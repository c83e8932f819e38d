"""What a campaign's policy would quote now."""

from __future__ import annotations

from collections.abc import Callable

from lpmanager.inventory.skew import Quotes
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.policies import Policy, Quoting
from lpmanager.rebalancer.view import View
from lpmanager.risk.missing import Missing


def quote_measures(view: View, policy: Policy) -> tuple[Measure, ...]:
    """Both sides of its range, were it placed now, before limits widen it, and how far its centre
    is from the price; nothing of a policy that does not tell."""
    found = policy.quotes(view) if isinstance(policy, Quoting) else None
    if found is None:
        return ()
    return (
        _measure("quote below", found, lambda quotes: quotes.bid, "to where base is cheaper"),
        _measure("quote above", found, lambda quotes: quotes.ask, "to where base is dearer"),
        _measure(
            "quote shift",
            found,
            lambda quotes: quotes.centre_shift,
            "of its centre from the price; below 0 it sells base sooner than it buys",
        ),
    )


def _measure(
    name: str, found: Quotes | Missing, value: Callable[[Quotes], float], meaning: str
) -> Measure:
    return Measure(
        question=Question.EXPOSURE,
        name=name,
        value=found if isinstance(found, Missing) else float(value(found)),
        unit=Unit.TICKS,
        meaning=f"of the range that would be placed now: {meaning}",
    )
