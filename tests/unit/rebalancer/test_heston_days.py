"""Days of Heston's model in the place of days as volatile as now."""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from statistics import fmean, pvariance
from unittest import mock

import pytest
from builders import a_block, a_limits, a_market, a_position, a_record, a_view, an_outlook
from decisions import closed, gate

from lpmanager.model import Decision, Hold, Plan, TickRange
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.assessment import Measure, Unit, assessment
from lpmanager.rebalancer.hedge_limits import least_cvar_target
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.rebalancer.staying import stay_chance
from lpmanager.risk.appetite import Appetite, HedgeTo, WhereMissing
from lpmanager.risk.cvar import TailLoss
from lpmanager.risk.heston.given import GivenHeston
from lpmanager.risk.heston.model import Heston, YearlyHeston, yearly
from lpmanager.risk.missing import Missing
from lpmanager.risk.stake import Stake
from lpmanager.risk.tomorrow import returns_tomorrow, tail_tomorrow

DAY = 86_400
#: When every market here is looked at.
NOW = a_block().timestamp
LEFT_BEHIND = a_position("[-600, 600)", token_id=7, liquidity=10**13)
#: 2.6 % a day now, and 9 % on the long run, whatever the market does.
WILD = YearlyHeston(v0=0.25, theta=3.0, kappa=200.0, sigma=10.0, rho=-0.5)
#: Like a lognormal price of 2e-9 a second: no variance of variance to speak of.
PLAIN = YearlyHeston(v0=0.063072, theta=0.063072, kappa=1.0, sigma=1e-4, rho=0.0)
HELD = Stake(sqrt_price=10.0, ranges=(), base=1.0, quote=0.0, fee_rate=0.0, gas=0.0)


def left_behind() -> View:
    market = a_market(tick=1_005, positions=(LEFT_BEHIND,))
    return a_view(market, a_record((0, 0)), an_outlook(fee_rate=1e-9))


def unplaced() -> View:
    """Both tokens, to be put around the price."""
    return a_view(a_market(tick=1_005), a_record((10**12, 10**12)), an_outlook())


def given(model: YearlyHeston, *, fitted_at: int = NOW) -> GivenHeston:
    return GivenHeston(model=model.daily, fitted_at=fitted_at, max_age_s=7 * DAY)


def decided(view: View, **appetite: object) -> Decision:
    limits = a_limits(appetite=Appetite(**appetite))
    return decide("mine", view, FixedWidth(half_width_ticks=600), limits)


def test_years_and_days_are_the_same_model() -> None:
    daily = WILD.daily
    assert daily.mean == pytest.approx(3.0 / 365)
    back = yearly(daily)
    for name in ("v0", "theta", "kappa", "sigma", "rho"):
        assert getattr(back, name) == pytest.approx(getattr(WILD, name))


def test_a_range_that_calm_days_allow_is_refused_on_days_of_a_wilder_model() -> None:
    view = left_behind()
    assert isinstance(decided(view, max_cvar=Fraction(1, 20)), Plan)
    held = decided(view, max_cvar=Fraction(1, 20), heston=given(WILD))
    assert isinstance(held, Hold)
    assert closed(held) == ["CVaR of a day"]
    assert "Heston" in gate(held, "CVaR of a day").reason
    again = decided(view, max_cvar=Fraction(1, 20), heston=given(WILD))
    assert again == held  # the same draw each time


def test_without_variance_of_variance_it_is_the_lognormal_day() -> None:
    usual, same = (returns_tomorrow(model) for model in (2e-9, PLAIN.daily))
    assert isinstance(usual, tuple)
    assert isinstance(same, tuple)
    assert math.sqrt(pvariance(same)) == pytest.approx(math.sqrt(pvariance(usual)), rel=0.05)
    assert fmean(same) == pytest.approx(fmean(usual), abs=5e-4)


@pytest.mark.parametrize("sigma", [1e-4, 1e-8, 1e-14, 1e-16, 1e-20, 1e-100])
def test_however_small_the_variance_of_variance_the_loss_is_that_of_the_lognormal_day(
    sigma: float,
) -> None:
    usual = tail_tomorrow(HELD, 2e-9)
    model = replace(PLAIN, kappa=1_000.0, sigma=sigma, rho=-0.5)
    same = tail_tomorrow(HELD, model.daily)
    assert isinstance(usual, TailLoss)
    assert isinstance(same, TailLoss)
    assert same.cvar == pytest.approx(usual.cvar, rel=0.02)


def measured(view: View, appetite: Appetite) -> dict[str, Measure]:
    return {one.name: one for one in assessment(view, a_limits(appetite=appetite))}


def test_the_desk_tells_the_losses_of_the_same_days() -> None:
    view = a_view(a_market(positions=(LEFT_BEHIND,)), a_record((0, 0)), an_outlook(fee_rate=1e-9))
    usual, wild = (measured(view, Appetite(heston=model)) for model in (None, given(WILD)))
    for name in ("expected high over low", "CVaR"):
        assert wild[name].value > usual[name].value
        assert "Heston" in wild[name].meaning
    for name in ("chance to stay in range", "expected exit", "time in range", "width over swing"):
        assert wild[name].value < usual[name].value


def test_a_new_range_is_as_wide_as_the_models_days_ask_for() -> None:
    """Calm as the market is, its range would be narrower; the mean variance of the day counts."""
    asked = {"min_stay_probability": Fraction(9, 10)}
    usual, wild = (decided(unplaced(), heston=model, **asked) for model in (None, given(WILD)))
    assert isinstance(usual, Plan)
    assert isinstance(wild, Plan)
    new = wild.target.ranges[0].range
    assert new.width > usual.target.ranges[0].range.width
    rate, narrower = WILD.daily.mean_variance(1) / DAY, TickRange(new.lower + 10, new.upper - 10)
    assert stay_chance(1_005, narrower, rate) < 0.9 <= stay_chance(1_005, new, rate)
    assert gate(wild, "stay").reason.endswith("for a day, of Heston's model")


def test_a_range_must_be_wide_for_the_swing_of_the_models_days() -> None:
    asked = {"min_width_to_swing": Fraction(10)}
    assert isinstance(decided(unplaced(), **asked), Plan)
    held = decided(unplaced(), heston=given(WILD), **asked)
    assert isinstance(held, Hold)
    assert closed(held) == ["swing"]


@pytest.mark.parametrize("name", ["stay", "swing"])
def test_an_old_model_says_nothing_of_widths(name: str) -> None:
    asked = {"stay": "min_stay_probability", "swing": "min_width_to_swing"}
    old = {"heston": given(WILD, fitted_at=NOW - 8 * DAY), asked[name]: Fraction(1, 2)}
    held = decided(unplaced(), **old)
    assert isinstance(held, Hold)
    assert closed(held) == [name]
    assert "8 d old" in gate(held, name).reason
    assert isinstance(decided(unplaced(), where_missing=WhereMissing.IGNORE, **old), Plan)


def test_the_desk_tells_the_models_volatility_and_its_age() -> None:
    usual, known, old = (
        measured(left_behind(), Appetite(heston=model))
        for model in (
            None,
            given(WILD, fitted_at=NOW - 3 * DAY),
            given(WILD, fitted_at=NOW - 8 * DAY),
        )
    )
    assert "Heston volatility" not in usual
    assert known["Heston volatility"].unit is Unit.PER_YEAR
    # from a volatility of 0.5 a year now towards 1.73
    assert known["Heston volatility"].value == pytest.approx(
        math.sqrt(365 * WILD.daily.mean_variance(1))
    )
    assert (known["Heston age"].value, known["Heston age"].unit) == (3 * DAY, Unit.SECONDS)
    assert isinstance(old["Heston volatility"].value, Missing)
    assert old["Heston age"].value == 8 * DAY


def test_the_least_cvar_of_a_hedge_is_of_the_same_days() -> None:
    view = a_view(a_market(positions=(LEFT_BEHIND,)), a_record((0, 10**12)), an_outlook())
    skewed = replace(WILD, rho=-0.95)
    usual, other = (
        least_cvar_target(
            view, a_limits(appetite=Appetite(hedge_to=HedgeTo.LEAST_CVAR, heston=model))
        )
        for model in (None, given(skewed))
    )
    assert isinstance(usual, float)
    assert isinstance(other, float)
    assert usual != pytest.approx(other, abs=1e-3)


@pytest.mark.parametrize(("age", "words"), [(8 * DAY, "8 d old"), (-DAY, "after this block")])
def test_a_fit_that_is_old_or_of_the_future_is_named_and_not_used(age: int, words: str) -> None:
    view = left_behind()
    fit = given(WILD, fitted_at=view.snapshot.block.timestamp - age)
    held = decided(view, max_cvar=Fraction(1, 20), heston=fit)
    assert isinstance(held, Hold)
    assert closed(held) == ["CVaR of a day"]
    assert words in gate(held, "CVaR of a day").reason
    shown = measured(view, Appetite(heston=fit))["CVaR"].value
    assert isinstance(shown, Missing)
    assert words in shown.reason
    ignored = decided(view, max_cvar=Fraction(1, 20), heston=fit, where_missing=WhereMissing.IGNORE)
    assert isinstance(ignored, Plan)


def test_a_fit_is_used_until_it_is_old() -> None:
    fit = given(WILD, fitted_at=1_000)
    assert isinstance(fit.at(1_000 + 7 * DAY), Heston)
    assert isinstance(fit.at(1_001 + 7 * DAY), Missing)


@contextmanager
def without_simulation() -> Iterator[None]:
    """As if neither numba nor numpy were installed."""
    real = builtins.__import__

    def refusing(name: str, *rest: object) -> object:
        if name == "numpy" or name.startswith("lpmanager.risk.monte_carlo"):
            raise ImportError(name)
        return real(name, *rest)

    with mock.patch.object(builtins, "__import__", refusing):
        yield


@pytest.mark.parametrize("model", [None, given(WILD)], ids=["lognormal", "heston"])
@pytest.mark.parametrize("where_missing", WhereMissing)
def test_a_limit_on_the_day_without_its_library_is_broken_or_left_out(
    where_missing: WhereMissing, model: GivenHeston | None
) -> None:
    asked = {"where_missing": where_missing, "heston": model, "max_cvar": Fraction(1)}
    assert isinstance(decided(unplaced(), **asked), Plan)
    with without_simulation():
        found = decided(unplaced(), **asked)
    if where_missing is WhereMissing.IGNORE:
        assert isinstance(found, Plan)
        assert "numba or numpy is not installed" in gate(found, "CVaR of a day").measured
        return
    assert isinstance(found, Hold)
    assert closed(found) == ["CVaR of a day"]
    unknown = gate(found, "CVaR of a day")
    assert unknown.measured == "unknown"
    assert "numba or numpy is not installed: pip install 'lpmanager[backtest]'" in unknown.reason


def test_without_its_library_the_day_says_how_to_get_it() -> None:
    with without_simulation():
        missing = returns_tomorrow(WILD.daily)
        usual = returns_tomorrow(2e-9)
    assert isinstance(missing, Missing)
    assert "pip install 'lpmanager[backtest]'" in missing.reason
    assert isinstance(usual, tuple)


def test_a_price_too_wild_to_tell_is_missing() -> None:
    found = returns_tomorrow(1.0)
    assert isinstance(found, Missing)
