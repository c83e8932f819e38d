"""Quotes that lean against the inventory: the references of the papers, and the form they share."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.inventory.skew import Quotes, lean, reservation_unit, steady_unit

#: The papers' examples, a day being 1: what pays for the order, (1 / g) ln(1 + g / k), at g = 0.1
#: and k = 1.5.
ORDER = 0.6453852113757116
AS = {"aversion": 0.1, "variance_rate": 4.0}
GLFT = {"half_width": ORDER, "aversion": 0.1, "variance_rate": 4.0, "intensity": 140.0}


def reserved(remaining: float, inventory: float = 0.0) -> Quotes:
    """The quotes of Avellaneda and Stoikov, so long before the end."""
    return lean(ORDER, reservation_unit(**AS, remaining_s=remaining), inventory)


def test_the_spread_of_avellaneda_and_stoikov() -> None:
    def spread(remaining: float) -> float:
        quotes = reserved(remaining)
        return quotes.bid + quotes.ask

    assert spread(1.0) == pytest.approx(1.6907704, abs=1e-7)
    assert spread(0.0) == pytest.approx(1.2907704, abs=1e-7)
    steps = [spread(step / 1_000) for step in range(1_001)]
    assert sum(steps) / len(steps) == pytest.approx(1.49077, abs=1e-5)


def test_who_holds_one_too_many_would_sell_it_for_less() -> None:
    """At a price of 100: the middle of the quotes is the reservation price."""
    assert 100 + reserved(1.0, inventory=1.0).centre_shift == pytest.approx(99.6)


@pytest.mark.parametrize(
    ("inventory", "bid", "ask"), [(0, 0.67124382, 0.67124382), (2, 0.77467825, 0.56780939)]
)
def test_the_quotes_of_gueant_lehalle_and_fernandez_tapia(
    inventory: float, bid: float, ask: float
) -> None:
    unit = steady_unit(**GLFT)
    assert unit == pytest.approx(0.0517172, abs=1e-7)
    found = lean(ORDER, unit, inventory)
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


def test_a_side_is_never_beyond_the_price() -> None:
    with pytest.raises(ValueError, match="leans by more"):
        lean(100.0, 200.0, 1.0)


@pytest.mark.parametrize("change", [{"aversion": 0.0}, {"half_width": -1.0}, {"intensity": 0.0}])
def test_numbers_that_cannot_be_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        steady_unit(**(GLFT | change))
    with pytest.raises(ValueError, match="not be negative"):
        reservation_unit(**AS, remaining_s=-1)
