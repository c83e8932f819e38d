"""A limit on gas over fees: what a campaign may pay of what it earns."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from builders import a_limits, a_market, a_position, a_record, a_view, an_outlook
from decisions import closed, gate

from lpmanager.model import Decision, Hold, Plan
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.assessment import assessment
from lpmanager.rebalancer.efficiency_gates import gas_to_fees_so_far
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.missing import Missing

LEFT_BEHIND = a_position("[-600, 600)", token_id=7, liquidity=10**13)
#: In the builders' market a wei of gas is 3e-9 raw units of the quote, token0.
GAS_WEI = 10**18
GAS_QUOTE = 3 * 10**9


def left_behind(*, fees: int, gas: int = GAS_WEI, fee_rate: float = 1e-7) -> View:
    """The price has left the range, of a campaign that has earned and paid so much."""
    record = a_record((0, 0), fees=(fees, 0), gas_ever=gas)
    market = a_market(tick=1_005, positions=(LEFT_BEHIND,))
    return a_view(market, record, an_outlook(fee_rate=fee_rate))


def decided(view: View, limit: str | None = None) -> Decision:
    most = None if limit is None else Fraction(limit)
    limits = a_limits(appetite=Appetite(max_gas_to_fees=most))
    return decide("mine", view, FixedWidth(half_width_ticks=600), limits)


def estimate_of(view: View) -> tuple[float, float]:
    """Gas of the move, and the fees it should earn more, in raw quote units."""
    plan = decided(view)
    assert isinstance(plan, Plan)
    return float(plan.estimate.gas), float(plan.estimate.fees_gained)


#: Under which a move earns a few times its gas.
POOR = 1e-11


def test_a_move_that_brings_gas_over_fees_above_the_limit_is_refused() -> None:
    view = left_behind(fees=10 * GAS_QUOTE, fee_rate=POOR)
    gas, fees = estimate_of(view)
    assert 1 < fees / gas < 9
    after = (GAS_QUOTE + gas) / (10 * GAS_QUOTE + fees)
    assert isinstance(decided(view, str(after + 0.001)), Plan)
    held = decided(view, str(after - 0.00001))
    assert isinstance(held, Hold)
    assert closed(held) == ["gas over fees"]
    assert gate(held, "gas over fees").measured == f"{after:.1%}"


def test_a_campaign_that_is_above_it_may_make_a_move_that_brings_it_down() -> None:
    """Else it would stay out of its range, earn nothing, and never come below it again."""
    above = left_behind(fees=GAS_QUOTE)  # all fees went for gas
    plan = decided(above, "0.0001")
    assert isinstance(plan, Plan)
    assert gate(plan, "gas over fees").passed


def test_a_new_campaign_is_judged_by_its_first_move() -> None:
    new = left_behind(fees=0, gas=0, fee_rate=POOR)
    gas, fees = estimate_of(new)
    assert isinstance(decided(new, str(gas / fees * 1.01)), Plan)
    assert closed(decided(new, str(gas / fees * 0.99))) == ["gas over fees"]


def test_gas_without_any_fees_to_come_is_refused() -> None:
    held = decided(left_behind(fees=0, gas=0, fee_rate=0.0), "1")
    assert isinstance(held, Hold)
    assert set(closed(held)) == {"payback", "gas over fees"}
    assert gate(held, "gas over fees").measured == "gas without fees"


def test_the_desk_tells_it() -> None:
    view = left_behind(fees=4 * GAS_QUOTE)
    (told,) = [m for m in assessment(view, a_limits()) if m.name == "gas over fees"]
    assert told.value == pytest.approx(0.25)
    assert gas_to_fees_so_far(view) == told.value
    unpriced = replace(view, snapshot=replace(view.snapshot, native_price=None))
    assert isinstance(gas_to_fees_so_far(unpriced), Missing)
