"""Quotes that lean against the inventory: the references of the papers, and the form they share."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.inventory.skew import (
    lean,
    reservation_price,
    reservation_spread,
    steady_quotes,
)

#: The example of Avellaneda and Stoikov, a day being 1.
AS = {"aversion": 0.1, "variance_rate": 4.0}
GLFT = {"aversion": 0.1, "variance_rate": 4.0, "decay": 1.5, "intensity": 140.0}


def spread(remaining: float) -> float:
    return reservation_spread(**AS, remaining_s=remaining, decay=1.5)


def test_the_spread_of_avellaneda_and_stoikov() -> None:
    assert spread(1.0) == pytest.approx(1.6907704, abs=1e-7)
    assert spread(0.0) == pytest.approx(1.2907704, abs=1e-7)
    steps = [spread(step / 1_000) for step in range(1_001)]
    assert sum(steps) / len(steps) == pytest.approx(1.49077, abs=1e-5)


def test_who_holds_one_too_many_would_sell_it_for_less() -> None:
    assert reservation_price(price=100.0, inventory=1.0, remaining_s=1.0, **AS) == (
        pytest.approx(99.6)
    )


@pytest.mark.parametrize(
    ("inventory", "bid", "ask"), [(0, 0.67124382, 0.67124382), (2, 0.77467825, 0.56780939)]
)
def test_the_quotes_of_gueant_lehalle_and_fernandez_tapia(
    inventory: float, bid: float, ask: float
) -> None:
    found = steady_quotes(inventory=inventory, **GLFT)
    assert found.bid == pytest.approx(bid, abs=1e-8)
    assert found.ask == pytest.approx(ask, abs=1e-8)


@settings(max_examples=60)
@given(st.floats(1, 5_000), st.floats(0, 1.99), st.floats(-1, 1))
def test_leaning_shifts_the_centre_and_keeps_the_width(
    half_width: float, share: float, q: float
) -> None:
    unit = share * half_width
    found = lean(half_width, unit, q)
    assert found.bid + found.ask == pytest.approx(2 * half_width + unit)
    assert found.centre_shift == pytest.approx(-q * unit, abs=1e-9 * half_width)
    other = lean(half_width, unit, -q)
    assert (found.bid, found.ask) == pytest.approx((other.ask, other.bid))


def test_both_papers_lean_in_one_form() -> None:
    """Avellaneda and Stoikov's quotes are `lean` with their own unit of inventory."""
    unit = 0.1 * 4.0 * 0.5
    found = lean(math.log1p(0.1 / 1.5) / 0.1, unit, 1.0)
    shifted = reservation_price(price=0.0, inventory=1.0, remaining_s=0.5, **AS)
    assert -found.bid == pytest.approx(shifted - spread(0.5) / 2)
    assert found.ask == pytest.approx(shifted + spread(0.5) / 2)


def test_a_side_is_never_beyond_the_price() -> None:
    with pytest.raises(ValueError, match="leans by more"):
        lean(100.0, 200.0, 1.0)
    with pytest.raises(ValueError, match="leans by more"):
        steady_quotes(inventory=-40, **GLFT)


@pytest.mark.parametrize("change", [{"aversion": 0.0}, {"decay": -1.0}, {"intensity": 0.0}])
def test_numbers_that_cannot_be_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        steady_quotes(inventory=0.0, **(GLFT | change))
    with pytest.raises(ValueError, match="not be negative"):
        reservation_price(price=1.0, inventory=1.0, aversion=1.0, variance_rate=1.0, remaining_s=-1)
