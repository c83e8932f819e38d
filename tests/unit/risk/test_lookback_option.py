"""Lookback options with interest, against published values."""

from __future__ import annotations

import math

import pytest

from lpmanager.risk.heston.model import Heston, YearlyHeston
from lpmanager.risk.lookback import hindsight_price, lookback_call
from lpmanager.risk.lookback_option import (
    YEAR_S,
    Hindsight,
    floating_lookback_call,
    floating_lookback_put,
    hindsight_by,
)
from lpmanager.risk.missing import Missing


def call(low: float, price: float, q: float, r: float, years: float, sigma: float = 0.3) -> float:
    return floating_lookback_call(
        price=price,
        lowest=low,
        rate=r,
        yield_rate=q,
        volatility=sigma,
        seconds=round(years * YEAR_S),
    )


def put(high: float, price: float, q: float, r: float, years: float, sigma: float = 0.3) -> float:
    return floating_lookback_put(
        price=price,
        highest=high,
        rate=r,
        yield_rate=q,
        volatility=sigma,
        seconds=round(years * YEAR_S),
    )


@pytest.mark.parametrize(
    ("value", "published"),
    [
        (call(100, 120, 0.06, 0.10, 0.5), 25.3533),
        (call(100, 100, 0.00, 0.05, 1.0), 23.7884),
        (call(100, 100, 0.00, 0.05, 0.2), 10.7190),
        (call(100, 110, 0.00, 0.05, 0.2), 14.4597),
        (put(100, 100, 0.00, 0.10, 0.5), 15.3526),
        (put(110, 100, 0.00, 0.10, 0.5), 16.8468),
        (put(120, 100, 0.00, 0.10, 0.5), 21.0645),
    ],
)
def test_values_of_haug_and_of_broadie_glasserman_and_kou(value: float, published: float) -> None:
    assert value == pytest.approx(published, abs=1e-4)


def test_without_carry_there_is_a_value_where_quantlib_has_none() -> None:
    assert call(90, 100, 0.05, 0.05, 1) == pytest.approx(21.817075601551579, abs=1e-8)
    assert put(110, 100, 0.05, 0.05, 1) == pytest.approx(26.407720137984153, abs=1e-8)
    assert call(90, 100, 0.0, 0.0, 1) == lookback_call(price=100, lowest=90, spread=0.3)


@pytest.mark.parametrize("carry", [1e-4, 1e-6, 2e-9, 0.9e-9, -0.9e-9, -2e-9, -1e-6])
def test_the_value_does_not_leap_on_the_way_to_no_carry(carry: float) -> None:
    assert call(90, 100, 0.05, 0.05 + carry, 1) == pytest.approx(
        21.8170756 + 40.22 * carry, abs=0.01 * abs(carry) + 3e-7
    )


def test_a_minute_is_priced_as_a_minute() -> None:
    spread = 0.6 * math.sqrt(60 / YEAR_S)
    minute = floating_lookback_call(
        price=2_000, lowest=1_999, rate=0.05, yield_rate=0, volatility=0.6, seconds=60
    )
    # the interest of a minute on the price is 0.00019
    assert minute == pytest.approx(
        lookback_call(price=2_000, lowest=1_999, spread=spread), abs=3e-4
    )


def test_what_cannot_be_is_refused() -> None:
    for years, sigma, rate in (
        (0, 0.3, 0.1),
        (1, 0.0, 0.1),
        (1, math.nan, 0.1),
        (1, math.inf, 0.1),
        (1, 0.3, math.nan),
    ):
        with pytest.raises(ValueError, match="no option over"):
            call(90, 100, 0.0, rate, years, sigma)
        with pytest.raises(ValueError, match="no option over"):
            put(110, 100, 0.0, rate, years, sigma)
    with pytest.raises(ValueError, match="the lowest price 101"):
        call(101, 100, 0.0, 0.1, 1)
    with pytest.raises(ValueError, match="the highest price 99"):
        put(99, 100, 0.0, 0.1, 1)


def test_a_value_that_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match="QuantLib gives"):
        call(1, 100, 3.0, 0.0, 1, 0.01)


# ---- perfect hindsight with interest ----


def a_model(volatility: float = 0.3, start: float | None = None) -> Heston:
    """Of that mean volatility a year, and of that volatility now, by default the same."""
    now = volatility if start is None else start
    return YearlyHeston(v0=now**2, theta=volatility**2, kappa=4.0, sigma=0.5, rho=0.0).daily


def hindsight(model: Heston, rate: float, days: int = 365) -> Hindsight:
    found = hindsight_by(model, rate=rate, days=days)
    assert isinstance(found, Hindsight), found
    return found


def test_hindsight_with_interest_is_a_call_and_a_put_of_the_published_values() -> None:
    found = hindsight(a_model(), 0.05)
    assert found.volatility == pytest.approx(0.3)
    assert found.worth == pytest.approx(0.237884 + put(100, 100, 0.0, 0.05, 1) / 100, abs=1e-6)


def test_without_interest_it_is_what_reports_tell() -> None:
    found = hindsight(a_model(), 0.0, days=30)
    plain = hindsight_price(price=1, variance_rate=0.09 / YEAR_S, seconds=30 * 86_400)
    assert found.worth == pytest.approx(plain)
    assert found.worth_without_interest == pytest.approx(plain)
    assert hindsight(a_model(), 0.2, days=30).worth_without_interest == pytest.approx(plain)


def test_the_volatility_is_what_the_model_expects_on_the_way_to_its_mean() -> None:
    model = a_model(0.3, start=0.9)
    steps = [
        model.mean + (model.start - model.mean) * math.exp(-model.reversion * (n + 0.5) / 100)
        for n in range(3_000)
    ]
    assert model.mean_variance(30) == pytest.approx(math.fsum(steps) / 3_000, rel=1e-6)
    assert 0.3 < hindsight(model, 0.0, days=30).volatility < 0.9


def test_hindsight_of_what_does_not_move_or_has_no_number_is_unknown() -> None:
    still = Heston(start=0, mean=0, reversion=1, vol_of_vol=1, correlation=0)
    assert isinstance(hindsight_by(still, rate=0.05, days=30), Missing)
    nothing = hindsight_by(a_model(0.01), rate=-900.0, days=365)
    assert isinstance(nothing, Missing)
    assert "QuantLib gives" in nothing.reason
    with pytest.raises(ValueError, match="at least a day"):
        hindsight_by(a_model(), rate=0.05, days=0)
