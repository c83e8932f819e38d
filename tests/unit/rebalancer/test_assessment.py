"""The risk desk's measures of a view: each with its question and unit, or with what it needs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import a_market, a_position, a_record, a_view, an_outlook

from lpmanager.rebalancer import View
from lpmanager.rebalancer.assessment import Measure, Question, assessment
from lpmanager.rebalancer.at_stake import stake_now
from lpmanager.risk.missing import Missing

HELD = a_position("[-600, 600)", token_id=7, liquidity=10**13)


def a_held_view(**outlook: float) -> View:
    return a_view(a_market(positions=(HELD,)), a_record((10**9, 10**9)), an_outlook(**outlook))


def measures(view: View) -> dict[str, Measure]:
    return {one.name: one for one in assessment(view)}


def test_the_stake_is_worth_what_the_inventory_says() -> None:
    view = a_held_view()
    stake = stake_now(view, an_outlook())
    whole = 10**view.snapshot.quote.decimals
    assert stake.value(stake.sqrt_price) == pytest.approx(float(view.inventory.value) / whole)


def test_every_question_is_answered() -> None:
    assert {one.question for one in assessment(a_held_view())} == set(Question)


def test_without_an_outlook_the_rest_says_what_it_needs() -> None:
    found = measures(replace(a_held_view(), outlook=None))
    assert not isinstance(found["value"].value, Missing)
    missing = found["all of it"].value
    assert isinstance(missing, Missing)
    assert "10 blocks" in missing.reason


def test_a_campaign_without_positions_has_no_range_to_leave() -> None:
    found = measures(a_view())
    for name in ("chance to stay in range", "expected exit", "time in range"):
        assert isinstance(found[name].value, Missing)


@pytest.mark.parametrize("variance_rate", [0.0, 1e-12, 1e-3, 1.0])
def test_no_volatility_however_odd_gives_a_number_that_is_none(variance_rate: float) -> None:
    """A still price, and one that spreads a millionfold in a day."""
    for one in assessment(a_held_view(variance_rate=variance_rate)):
        assert isinstance(one.value, Missing | str) or math.isfinite(one.value), one


def test_twice_the_variance_is_twice_the_lvr_and_half_the_pay() -> None:
    calm, wild = (measures(a_held_view(variance_rate=v)) for v in (2e-9, 4e-9))
    assert wild["LVR"].value == pytest.approx(2 * calm["LVR"].value)
    assert wild["fees over LVR"].value == pytest.approx(calm["fees over LVR"].value / 2)
    assert wild["fees"].value == calm["fees"].value
