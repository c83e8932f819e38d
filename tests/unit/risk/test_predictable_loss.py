"""The best width after Cartea, Drissi and Monga."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.risk.lvr import break_even_fee_rate
from lpmanager.risk.missing import Missing
from lpmanager.risk.predictable_loss import (
    Width,
    best_width,
    concentration_of_moves,
    of_ticks,
    profitability,
    shared_profitability,
    viability,
)

REFERENCE = {"profit_rate": 2e-4, "variance_rate": 4e-4, "concentration": 3e-5}


@pytest.mark.parametrize(("drift", "width"), [(0.0, 0.1), (0.01, 0.0860171920)])
def test_the_reference_widths(drift: float, width: float) -> None:
    found = best_width(**REFERENCE, drift=drift)
    assert isinstance(found, Width)
    assert found.total == pytest.approx(width, abs=1e-10)
    assert found.above - found.below == pytest.approx(2 * drift)


@settings(max_examples=30)
@given(profit=st.floats(1e-4, 1e-2), concentration=st.floats(1e-7, 1e-4), by=st.floats(0.5, 2))
def test_no_other_width_leaves_more(profit: float, concentration: float, by: float) -> None:
    def growth(width: float) -> float:
        return (4 * profit - 2e-4) / width - concentration / width**2

    found = best_width(profit_rate=profit, variance_rate=4e-4, concentration=concentration)
    assert isinstance(found, Width)
    assert growth(found.total * by) <= growth(found.total) * (1 + 1e-12)


def test_fees_at_break_even_are_just_viable_and_no_width_pays() -> None:
    variance, sqrt_price = 4e-4, 3.0
    profit = profitability(break_even_fee_rate(sqrt_price, variance), sqrt_price)
    assert viability(profit, variance) == pytest.approx(1)
    assert viability(2 * profit, variance) == pytest.approx(2)
    found = best_width(profit_rate=profit * (1 - 1e-9), variance_rate=variance, concentration=1e-5)
    assert isinstance(found, Missing)
    assert "no width pays" in found.reason


@settings(max_examples=30)
@given(own=st.floats(0, 1), drift=st.sampled_from([0.0, 0.005, -0.01]))
def test_the_width_is_the_best_at_what_fees_are_once_it_is_in(own: float, drift: float) -> None:
    found = best_width(**REFERENCE, drift=drift, own=own)
    assert isinstance(found, Width)
    left = shared_profitability(2e-4, width=found.total, own=own)
    alone = best_width(**(REFERENCE | {"profit_rate": left}), drift=drift)
    assert isinstance(alone, Width)
    assert (found.below, found.above) == pytest.approx((alone.below, alone.above))


def test_fees_are_shared_by_all_liquidity_that_is_active() -> None:
    """A quarter of the others' in a range of width 1 is as much as theirs in one of a quarter."""
    shared = [shared_profitability(3.0, width=width, own=0.25) for width in (0.25, 0.75)]
    assert shared == pytest.approx([1.5, 2.25])


def test_moves_that_cost_more_want_wider_ranges() -> None:
    def half(move_cost: float) -> float:
        cost = concentration_of_moves(4e-4, move_cost)
        found = best_width(profit_rate=2e-4, variance_rate=4e-4, concentration=cost)
        assert isinstance(found, Width)
        return found.above

    assert half(0.02) == pytest.approx(2 * half(0.01))
    assert concentration_of_moves(4e-4, 0.01) == pytest.approx(1.6e-5)


def test_the_edges_are_on_the_papers_prices() -> None:
    found = Width(below=0.05, above=0.05)
    assert 1.0001 ** (found.ticks_above / 2) == pytest.approx(1 / (1 - 0.025))
    assert 1.0001 ** (-found.ticks_below / 2) == pytest.approx(1 - 0.025)
    assert Width(below=2.0, above=3.0).ticks_above == math.inf
    back = of_ticks(below=600, above=70)
    assert (back.ticks_below, back.ticks_above) == pytest.approx((600, 70))


def test_a_drift_that_leaves_the_price_outside_has_no_width() -> None:
    found = best_width(**REFERENCE, drift=0.06)
    assert isinstance(found, Missing)
    assert "half the best width" in found.reason


def test_without_movement_viability_is_missing() -> None:
    assert isinstance(viability(1e-4, 0.0), Missing)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"concentration": 0.0}, "concentration"), ({"drift": math.nan}, "drift"),
     ({"profit_rate": -1.0}, "profit_rate"), ({"variance_rate": math.inf}, "variance_rate")],
)  # fmt: skip
def test_nonsense_is_named(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        best_width(**(REFERENCE | change))
