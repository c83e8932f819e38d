"""Whether a campaign's gas is in proportion to its fees."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.model import Estimate, Gate
from lpmanager.rebalancer.economics import gas_cost
from lpmanager.rebalancer.judging import Asked, gate_of
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.efficiency import gas_to_fees
from lpmanager.risk.missing import Missing


def efficiency_gates(view: View, estimate: Estimate, appetite: Appetite) -> tuple[Gate, ...]:
    """Gas over fees since the campaign began, with what this change costs and should earn more
    within its horizon.

    A change that brings it above the limit passes where it brings it down: else a campaign that is
    above it, out of its range, would earn nothing ever after.
    """
    limit = appetite.max_gas_to_fees
    if limit is None:
        return ()
    asked = _asked(
        limit, f"since the campaign began, with those of this change and of {estimate.horizon_s} s"
    )
    before = gas_to_fees_so_far(view)
    gas, fees = _so_far(view)
    after = gas_to_fees(
        gas=float(gas + estimate.gas), fees=float(fees + max(estimate.fees_gained, Fraction(0)))
    )
    if isinstance(after, Missing):
        return (gate_of(asked, passed=False, measured="gas without fees"),)
    falls = not isinstance(before, Missing) and after < before
    return (gate_of(asked, passed=after <= limit or falls, measured=f"{after:.1%}"),)


def efficiency_so_far(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    """The same as it stands; open while no fees were earned, for a change may bring them."""
    limit = appetite.max_gas_to_fees
    if limit is None:
        return ()
    asked = _asked(limit, "since the campaign began")
    found = gas_to_fees_so_far(view)
    if isinstance(found, Missing):
        return (gate_of(asked, passed=True, measured=f"unknown: {found.reason}"),)
    return (gate_of(asked, passed=found <= limit, measured=f"{found:.1%}"),)


def gas_to_fees_so_far(view: View) -> float | Missing:
    """Gas over fees since the campaign began, at the prices of now."""
    if view.snapshot.native_price is None:
        return Missing("nothing tells the price of gas")
    gas, fees = _so_far(view)
    return gas_to_fees(gas=float(gas), fees=float(fees))


def _asked(limit: Fraction, reason: str) -> Asked:
    return Asked("gas over fees", f"{float(limit):.1%}", reason)


def _so_far(view: View) -> tuple[Fraction, Fraction]:
    """Gas and fees, in raw quote units."""
    fees = view.snapshot.price.value(view.record.fees)
    return gas_cost(view.snapshot, view.record.gas_raw), max(fees, Fraction(0))
