"""The band in which a hedge is left alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.hedge.band import no_trade_half_width, traded_to

#: The worked case of the inventory's tests: 10,000 at 2000 in [1500, 2500].
GAMMA = -0.0052181738
BAND = {"gamma": GAMMA, "price": 2000.0, "cost": 0.0005, "risk_aversion": 0.001}


def test_the_half_width_of_the_worked_case() -> None:
    # cube root of 3/2 * 0.0005 * 2000 * 0.0052181738^2 / 0.001
    assert no_trade_half_width(**BAND) == pytest.approx(0.3443839, abs=1e-7)


def test_the_band_is_the_cube_root_of_its_terms() -> None:
    plain = no_trade_half_width(**BAND)
    assert no_trade_half_width(**(BAND | {"cost": 0.004})) == pytest.approx(2 * plain)
    assert no_trade_half_width(**(BAND | {"risk_aversion": 0.008})) == pytest.approx(plain / 2)
    assert no_trade_half_width(**(BAND | {"gamma": 8 * GAMMA})) == pytest.approx(4 * plain)


def test_without_costs_or_gamma_there_is_no_band() -> None:
    assert no_trade_half_width(**(BAND | {"cost": 0.0})) == 0
    assert no_trade_half_width(**(BAND | {"gamma": 0.0})) == 0


@settings(max_examples=40)
@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(0, 5))
def test_a_delta_is_traded_to_the_nearer_edge_and_left_alone_inside(
    delta: float, wanted: float, half: float
) -> None:
    after = traded_to(delta, wanted, half)
    inside = wanted - half <= delta <= wanted + half
    assert after == delta if inside else abs(after - wanted) == pytest.approx(half)
    assert traded_to(after, wanted, half) == after


@pytest.mark.parametrize(
    ("change", "message"),
    [({"price": 0.0}, "price"), ({"risk_aversion": 0.0}, "risk_aversion"),
     ({"cost": -0.1}, "cost"), ({"gamma": math.nan}, "gamma")],
)  # fmt: skip
def test_a_band_of_nonsense_is_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        no_trade_half_width(**(BAND | change))
