"""The band in which a hedge is left alone."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.hedge.band import no_trade_half_width, traded_to, weight_half_width
from lpmanager.inventory import range_exposure

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


#: The worked case's liquidity, held with nothing beside it.
L = 933.4553114807629
HELD_BASE = 2.20358907 * 2000 / 10_000


def weight_of_base(price: float) -> float:
    root, low, high = math.sqrt(price), math.sqrt(1500), math.sqrt(2500)
    held = range_exposure(liquidity=L, sqrt_price=root, sqrt_lower=low, sqrt_upper=high)
    return held.delta * price / (held.delta * price + L * (root - low))


def test_as_a_share_of_the_value_the_band_is_of_how_fast_the_share_drifts_with_the_price() -> None:
    """By the derivative of the worked case's own share at the price, from differences."""
    step = 1e-5
    up, down = (weight_of_base(2000 * math.exp(each)) for each in (step, -step))
    drift = (up - down) / (2 * step)
    found = weight_half_width(
        gamma=GAMMA,
        price=2000.0,
        value=10_000.0,
        target_weight=HELD_BASE,
        cost=0.0005,
        relative_risk_aversion=3.0,
    )
    assert found == pytest.approx(math.cbrt(1.5 * 0.0005 * drift**2 / 3), rel=1e-6)
    assert 0.08 < found < 0.11


def test_as_a_share_of_the_value_it_is_the_same_for_a_thousandfold_inventory() -> None:
    one = {"price": 2000.0, "target_weight": 0.5, "cost": 0.0005, "relative_risk_aversion": 3.0}
    small = weight_half_width(gamma=GAMMA, value=1e4, **one)
    assert weight_half_width(gamma=1000 * GAMMA, value=1e7, **one) == pytest.approx(small)


def test_liquidity_over_all_prices_keeps_half_in_each_token_and_needs_no_hedge() -> None:
    full = {"gamma": -0.25 * 1e4 / 2000**2, "price": 2000.0, "value": 1e4, "target_weight": 0.5}
    found = weight_half_width(**full, cost=0.0005, relative_risk_aversion=3.0)
    assert found == pytest.approx(0, abs=1e-9)


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
