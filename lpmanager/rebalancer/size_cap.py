"""How much goes into new ranges: as much as the limits on losses allow."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from lpmanager.model import Gate, Target
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.day_of import Days, days_asked
from lpmanager.rebalancer.economics import gas_cost, gas_wei_up
from lpmanager.rebalancer.loss_gates import loss_gates
from lpmanager.rebalancer.risk_gates import places_anything
from lpmanager.rebalancer.tempering import deploying
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.limits import Limits

#: Sizes are whole hundredths of what is wanted: nobody knows losses more exactly.
_PARTS = 100

Way = Callable[[View, Target, Limits], Candidate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A candidate, and what the gates on losses say of it: none where it places nothing."""

    candidate: Candidate
    losses: tuple[Gate, ...]

    @property
    def is_allowed(self) -> bool:
        """Whether it loses no more than it may."""
        return all(gate.passed for gate in self.losses)


def sized(view: View, outlook: Outlook, target: Target, way: Way, limits: Limits) -> Sized:
    """What a way makes of the target, with as much in new ranges, in hundredths of what is wanted
    there, as `max_crash_loss` and `max_cvar` allow. What is held stands.

    Idle tokens lose as well, so that no size may help: then it is the whole, which its gates stop.
    Either is told in its reason.
    """

    days = days_asked(view, outlook, limits)

    def part(hundredths: int) -> Sized:
        share = Fraction(hundredths, _PARTS)
        candidate = way(view, deploying(view, target, share), limits)
        return Sized(
            candidate=candidate, losses=_losses(view, outlook, candidate, limits.appetite, days)
        )

    def is_too_much(hundredths: int) -> bool:
        return not part(hundredths).is_allowed

    whole = part(_PARTS)
    if whole.is_allowed:
        return whole
    least = part(1)
    if not least.is_allowed:
        return _told(whole, f"even with 1% of that placed, {_closed(least)}")
    most = bisect_left(range(2, _PARTS), True, key=is_too_much) + 1
    return _told(
        part(most), f"only {most}% of that is placed: of {most + 1}% {_closed(part(most + 1))}"
    )


def _losses(
    view: View, outlook: Outlook, candidate: Candidate, appetite: Appetite, days: Days | None
) -> tuple[Gate, ...]:
    if not places_anything(candidate):
        return ()
    gas = gas_cost(view.snapshot, gas_wei_up(view.snapshot, candidate.actions))
    return loss_gates(view, outlook, candidate, gas, appetite, days)


def _closed(found: Sized) -> str:
    closed = (gate for gate in found.losses if not gate.passed)
    return " and ".join(f"{gate.name} is {gate.measured}" for gate in closed)


def _told(found: Sized, words: str) -> Sized:
    target = found.candidate.target
    told = replace(target, reason=f"{target.reason}; {words}")
    return replace(found, candidate=replace(found.candidate, target=told))
