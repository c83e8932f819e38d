"""Calibration of Heston's model against the reference surfaces of QuantLib's own tests."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from unittest import mock

import pytest
import QuantLib as ql

from lpmanager.risk.heston.calibration import HestonFit, calibrated, fit_to, flat_curve
from lpmanager.risk.heston.chain import Chain, Terms, read_chain
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.heston.quotes import by_volatility
from lpmanager.risk.missing import Missing

#: Options on the DAX of 5 July 2002, from A. Sepp, "Pricing European-style options under jump
#: diffusion processes with stochastic volatility" (2003): volatilities by strike and expiry.
DAX = Terms(as_of=date(2002, 7, 5), spot=4468.17, rate=0.0357)
DAX_DAYS = (14, 42, 77, 168, 259, 343, 525, 700)
#: Zero rates are quoted at other days than the options expire.
DAX_RATES = {
    0: 0.0357, 13: 0.0357, 41: 0.0349, 75: 0.0341, 165: 0.0355, 256: 0.0359, 345: 0.0368,
    524: 0.0386, 703: 0.0401,
}  # fmt: skip
DAX_SURFACE = {
    3400: (0.6625, 0.4875, 0.4204, 0.3667, 0.3431, 0.3267, 0.3121, 0.3121),
    3600: (0.6007, 0.4543, 0.3967, 0.3511, 0.3279, 0.3154, 0.2984, 0.2921),
    3800: (0.5084, 0.4221, 0.3718, 0.3327, 0.3155, 0.3027, 0.2919, 0.2889),
    4000: (0.4541, 0.3869, 0.3492, 0.3149, 0.2963, 0.2926, 0.2819, 0.2800),
    4200: (0.4060, 0.3607, 0.3330, 0.2999, 0.2887, 0.2811, 0.2751, 0.2775),
    4400: (0.3726, 0.3396, 0.3108, 0.2781, 0.2788, 0.2722, 0.2661, 0.2686),
    4500: (0.3550, 0.3277, 0.3012, 0.2781, 0.2781, 0.2661, 0.2661, 0.2681),
    4600: (0.3428, 0.3209, 0.2958, 0.2740, 0.2688, 0.2627, 0.2580, 0.2620),
    4800: (0.3302, 0.3062, 0.2799, 0.2631, 0.2573, 0.2533, 0.2504, 0.2544),
    5000: (0.3343, 0.2959, 0.2705, 0.2540, 0.2504, 0.2464, 0.2448, 0.2462),
    5200: (0.3460, 0.2845, 0.2624, 0.2463, 0.2425, 0.2385, 0.2373, 0.2422),
    5400: (0.3857, 0.2860, 0.2578, 0.2399, 0.2357, 0.2327, 0.2312, 0.2351),
    5600: (0.3976, 0.2860, 0.2607, 0.2356, 0.2297, 0.2268, 0.2241, 0.2320),
}
FLAT = Terms(as_of=date(2024, 1, 5), spot=1.0)


def rate_at(days: int) -> float:
    known = sorted(DAX_RATES)
    before = max(each for each in known if each <= days)
    after = min(each for each in known if each > days)
    weight = (days - before) / (after - before)
    return (1 - weight) * DAX_RATES[before] + weight * DAX_RATES[after]


def dax(*extra: str) -> Chain:
    rows = [
        f"{DAX.as_of + timedelta(days)},{strike},call,{volatility},{rate_at(days)!r}"
        for strike, row in DAX_SURFACE.items()
        for days, volatility in zip(DAX_DAYS, row, strict=True)
    ]
    return read_chain(["expiry,strike,type,volatility,rate", *rows, *extra], DAX, "DAX")


def fitted(found: HestonFit | Missing) -> HestonFit:
    assert isinstance(found, HestonFit)
    return found


@pytest.fixture(autouse=True)
def day() -> Iterator[None]:
    """QuantLib's global day: a test leaves it as it was."""
    with ql.SavedSettings():
        yield


def test_the_dax_is_fitted_as_well_as_quantlibs_own_tests_ask() -> None:
    quotes, dropped = by_volatility(dax())
    assert (len(quotes), dropped) == (104, ())
    fit = fitted(fit_to(quotes, DAX))
    squares_in_percent = fit.rms_error**2 * fit.quotes * 1e4
    assert squares_in_percent == pytest.approx(177.2, abs=1.0)
    assert not fit.feller


def test_bad_quotes_change_nothing_and_are_named() -> None:
    expiry = DAX.as_of + timedelta(DAX_DAYS[3])
    bad = [
        f"{expiry},4700,call,nan,0.0355",
        f"{expiry},4900,call,0.9,0.0355",
        f"{DAX.as_of},4500,call,0.2,0.0355",
    ]
    clean, dirty = fitted(calibrated(dax())), fitted(calibrated(dax(*bad)))
    assert dirty.model == clean.model
    assert [each.line for each in dirty.dropped][-3:] == [106, 107, 108]
    # printed to four digits, six of the surface's own butterflies cost less than nothing
    assert len(clean.dropped) == 6
    assert clean.quotes == 98


def test_a_flat_surface_has_no_volatility_of_variance() -> None:
    rows = [
        f"{FLAT.as_of + timedelta(days)},{math.exp(z * 0.1 * math.sqrt(days / 365))!r},call,0.1"
        for days in (30, 60, 90, 180, 270, 365, 730)
        for z in (-1, 0, 1)
    ]
    chain = read_chain(["expiry,strike,type,volatility", *rows], FLAT, "flat")
    model = fitted(calibrated(chain)).model
    assert model.vol_of_vol * 365 == pytest.approx(0, abs=3e-3)
    assert model.reversion * 365 * (model.mean * 365 - 0.01) == pytest.approx(0, abs=3e-3)
    assert model.start * 365 == pytest.approx(0.01, abs=3e-3)


@pytest.mark.parametrize("days", [(14, 30, 60, 120), (30, 91, 182, 365)])
@pytest.mark.parametrize("volatility", [0.15, 0.2, 0.3, 0.6, 1.0, 3.0])
def test_quotes_without_a_price_bend_no_flat_surface(
    volatility: float, days: tuple[int, ...]
) -> None:
    """Strikes lie up to 30 % away, where options of the nearest expiries are worth nothing."""
    rows = [
        f"{FLAT.as_of + timedelta(each)},{math.exp(z / 10)!r},{'call' if z > 0 else 'put'},"
        f"{volatility}"
        for each in days
        for z in range(-3, 4)
    ]
    chain = read_chain(["expiry,strike,type,volatility", *rows], FLAT, "flat")
    fit = fitted(calibrated(chain))
    assert fit.quotes + len(fit.dropped) == len(rows)
    assert fit.model.vol_of_vol * 365 == pytest.approx(0, abs=3e-3)
    assert fit.model.mean * 365 == pytest.approx(volatility**2, abs=3e-3)
    assert fit.model.start * 365 == pytest.approx(volatility**2, abs=3e-3)


@pytest.mark.parametrize(
    "row",
    [
        (91, 10.0, "call", 0.6),
        (91, 1_000.0, "call", 0.6),
        (30, 10.0, "call", 0.6),
        (91, 0.001, "put", 0.6),
        (91, 0.001, "call", 0.6),
        (91, 1.0, "put", 1e-9),
    ],
)
def test_one_quote_without_a_price_is_dropped_and_bends_nothing(
    row: tuple[int, float, str, float],
) -> None:
    smile = [
        (each, moneyness, "call" if moneyness >= 1 else "put", 0.6 + 0.1 * math.log(moneyness) ** 2)
        for each in (30, 91, 182)
        for moneyness in (0.75, 0.85, 0.95, 1.05, 1.15, 1.3)
    ]
    clean, dirty = (
        fitted(
            calibrated(
                read_chain(
                    [
                        "expiry,strike,type,volatility",
                        *(f"{FLAT.as_of + timedelta(d)},{k},{t},{v}" for d, k, t, v in rows),
                    ],
                    FLAT,
                    "a smile",
                )
            )
        )
        for rows in (smile, [*smile, row])
    )
    assert clean.dropped == ()
    (dropped,) = dirty.dropped
    assert dropped.line == len(smile) + 2
    assert "its volatility cannot be told" in dropped.reason
    assert dirty.model == clean.model


def test_a_surface_made_by_a_model_gives_that_model_back() -> None:
    true = Heston(
        start=0.5 / 365, mean=0.6 / 365, reversion=4 / 365, vol_of_vol=1.5 / 365, correlation=-0.4
    )
    today = ql.Date(5, 1, 2024)
    ql.Settings.instance().evaluationDate = today
    process = ql.HestonProcess(
        flat_curve(today, 0.0),
        flat_curve(today, 0.0),
        ql.QuoteHandle(ql.SimpleQuote(1.0)),
        *(true.start * 365, true.reversion * 365, true.mean * 365, true.vol_of_vol * 365),
        true.correlation,
    )
    engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 144)
    rows = []
    for days in (14, 30, 60, 120, 250):
        for strike in (0.7, 0.85, 1.0, 1.2, 1.4):
            payoff = ql.PlainVanillaPayoff(ql.Option.Call, strike)
            option = ql.VanillaOption(payoff, ql.EuropeanExercise(today + days))
            option.setPricingEngine(engine)
            rows.append(f"{FLAT.as_of + timedelta(days)},{strike},call,{option.NPV()!r}")
    chain = read_chain(["expiry,strike,type,price", *rows], FLAT, "a model's")
    fit = fitted(calibrated(chain))
    assert fit.dropped == ()
    assert fit.rms_error < 1e-4
    assert fit.model.start == pytest.approx(true.start, rel=0.01)
    assert fit.model.mean == pytest.approx(true.mean, rel=0.02)
    assert fit.model.reversion == pytest.approx(true.reversion, rel=0.05)
    assert fit.model.vol_of_vol == pytest.approx(true.vol_of_vol, rel=0.05)
    assert fit.model.correlation == pytest.approx(true.correlation, abs=0.02)


def test_the_day_of_quantlib_is_left_as_it_was() -> None:
    before = ql.Date(3, 4, 2021)
    ql.Settings.instance().evaluationDate = before
    fitted(calibrated(dax()))
    assert ql.Settings.instance().evaluationDate == before


def test_too_few_quotes_say_how_many_are_needed_and_what_was_wrong_with_the_others() -> None:
    rows = [f"{FLAT.as_of + timedelta(30)},{1 + i / 20},call,0.5" for i in range(9)]
    chain = read_chain(["expiry,strike,type,volatility", *rows, "2024-03-01,1,call,nan"], FLAT, "f")
    found = calibrated(chain)
    assert isinstance(found, Missing)
    assert "needs 10 quotes of 2 expiries, found 9 of 1" in found.reason
    assert "1 were dropped; line 11: volatility is no finite number" in found.reason


def test_a_fit_that_comes_back_as_no_number_is_no_fit() -> None:
    with mock.patch.object(ql.HestonModel, "theta", return_value=math.nan):
        missing = calibrated(dax())
    assert isinstance(missing, Missing)
    assert "no Heston fit of 98 quotes: mean must be a finite number, found nan" in missing.reason


def test_one_expiry_alone_is_not_fitted() -> None:
    rows = [f"{FLAT.as_of + timedelta(30)},{1 + i / 10},call,0.5" for i in range(-5, 9)]
    chain = read_chain(["expiry,strike,type,volatility", *rows], FLAT, "one expiry")
    assert isinstance(calibrated(chain), Missing)


# ---- the engine behind it, against published prices ----


def priced(
    model: Heston,
    *,
    spot: float,
    strike: float,
    rates: tuple[float, float],
    dates: tuple[ql.Date, ql.Date],
) -> float:
    """A call by QuantLib's analytic engine: parameters of the model, rate and yield are a year's,
    and it is priced at the first of the dates and expires at the second."""
    today, expiry = dates
    ql.Settings.instance().evaluationDate = today
    count = ql.ActualActual(ql.ActualActual.ISDA)
    curves = [ql.YieldTermStructureHandle(ql.FlatForward(today, each, count)) for each in rates]
    process = ql.HestonProcess(
        *curves,
        ql.QuoteHandle(ql.SimpleQuote(spot)),
        *(model.start, model.reversion, model.mean, model.vol_of_vol, model.correlation),
    )
    option = ql.VanillaOption(
        ql.PlainVanillaPayoff(ql.Option.Call, strike), ql.EuropeanExercise(expiry)
    )
    option.setPricingEngine(ql.AnalyticHestonEngine(ql.HestonModel(process), 144))
    return float(option.NPV())


CACHED = Heston(start=0.1, mean=0.09, reversion=3.16, vol_of_vol=0.4, correlation=-0.2)


def test_a_short_call_has_its_published_price() -> None:
    dates = (ql.Date(27, 12, 2004), ql.Date(28, 3, 2005))
    found = priced(CACHED, spot=1.0, strike=1.05, rates=(0.0225, 0.02), dates=dates)
    assert found == pytest.approx(0.0404774515, abs=1e-8)


def test_kahl_and_jaeckels_hard_case_has_its_published_price() -> None:
    hard = Heston(start=0.16, mean=0.16, reversion=1.0, vol_of_vol=2.0, correlation=-0.8)
    dates = (ql.Date(30, 3, 2007), ql.Date(30, 3, 2017))
    found = priced(hard, spot=100.0, strike=200.0, rates=(0.0, 0.0), dates=dates)
    assert found == pytest.approx(4.95212, abs=1e-5)


@pytest.mark.parametrize(
    ("strike", "expected"), [(0.9, 0.1330371), (1.0, 0.0641016), (1.1, 0.0270645)]
)
def test_calls_of_seven_tenths_of_a_year_have_their_published_prices(
    strike: float, expected: float
) -> None:
    """Seven tenths of a year lie between two days; the price is on the line between theirs."""
    wild = Heston(start=0.09, mean=0.08, reversion=1.2, vol_of_vol=1.8, correlation=-0.45)
    today, spot = ql.Date(27, 12, 2004), math.exp(-(0.05 - 0.02) * 0.7)
    dates = (ql.Date(8, 9, 2005), ql.Date(9, 9, 2005))
    prices = [
        priced(wild, spot=spot, strike=strike, rates=(0.05, 0.02), dates=(today, each))
        for each in dates
    ]
    count = ql.ActualActual(ql.ActualActual.ISDA)
    times = [count.yearFraction(today, each) for each in dates]
    weight = (0.7 - times[0]) / (times[1] - times[0])
    assert (1 - weight) * prices[0] + weight * prices[1] == pytest.approx(expected, abs=1e-6)


def test_feller_is_told_by_twice_the_speed_times_the_level() -> None:
    fit = fitted(calibrated(dax()))
    assert not fit.feller
    assert replace(fit, model=replace(fit.model, vol_of_vol=1e-4)).feller
