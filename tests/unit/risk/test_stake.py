"""What a campaign has at stake, against the worked case of the literature and its own limits."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lpmanager.risk.held_range import HeldRange
from lpmanager.risk.stake import Stake, historical_results

#: 10,000 put in at 2,000 between 1,500 and 2,500
RANGE = HeldRange(
    liquidity=933.4553114807629, sqrt_lower=math.sqrt(1500), sqrt_upper=math.sqrt(2500)
)
STAKE = Stake(sqrt_price=math.sqrt(2000), ranges=(RANGE,), base=0, quote=0, fee_rate=0, gas=0)
DAY = 86_400


@pytest.mark.parametrize(
    ("price", "value"),
    [
        (1200, 6519.127531),
        (1500, 8148.909414),
        (1800, 9449.349711),
        (2000, 10000),
        (2200, 10341.267618),
        (2500, 10520.196816),
        (3000, 10520.196816),
    ],
)
def test_a_range_is_worth_what_the_worked_case_says(price: float, value: float) -> None:
    assert RANGE.value(math.sqrt(price)) == pytest.approx(value, abs=1e-6)
    (result,) = historical_results(STAKE, [math.log(price / 2000)], DAY)
    assert result == pytest.approx(value - 10_000, abs=1e-6)


def test_what_lies_beside_the_ranges_counts_and_a_debt_counts_against() -> None:
    short = replace(STAKE, base=-2.0, quote=5_000.0)
    assert short.value(math.sqrt(1500)) == pytest.approx(8148.909414 - 3_000 + 5_000, abs=1e-6)


def test_a_price_that_stays_earns_the_whole_fee_and_pays_the_gas() -> None:
    earning = replace(STAKE, fee_rate=1e-6, gas=3.0)
    (result,) = historical_results(earning, [0.0], DAY)
    assert result == pytest.approx(1e-6 * DAY * RANGE.liquidity - 3.0)


def test_fees_stop_where_the_way_leaves_the_range() -> None:
    earning = replace(STAKE, fee_rate=1e-6)
    twice_as_far = 2 * math.log(2500 / 2000)
    (result,) = historical_results(earning, [twice_as_far], DAY)
    (without,) = historical_results(STAKE, [twice_as_far], DAY)
    assert result - without == pytest.approx(1e-6 * DAY * RANGE.liquidity / 2)


def test_outside_its_range_liquidity_earns_nothing() -> None:
    outside = replace(STAKE, sqrt_price=math.sqrt(2600), fee_rate=1e-6)
    assert historical_results(outside, [0.0, 0.01], DAY) == pytest.approx((0.0, 0.0), abs=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sqrt_price": 0.0},
        {"sqrt_price": math.nan},
        {"base": math.inf},
        {"fee_rate": -1.0},
        {"gas": math.nan},
    ],
)
def test_a_stake_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="found"):
        replace(STAKE, **wrong)


def test_a_horizon_in_the_past_is_refused() -> None:
    with pytest.raises(ValueError, match="horizon"):
        historical_results(STAKE, [0.0], -1)
