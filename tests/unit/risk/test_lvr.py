"""What arbitrage takes: the reference figures of Milionis et al., and the shape of the formulas."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.risk.lvr import (
    arbitrage_probability,
    break_even_fee_rate,
    fee_to_lvr,
    lvr_rate,
)
from lpmanager.risk.missing import Missing

DAY = 86_400
#: A volatility of 5 % in a square root of a day.
FIVE_PERCENT = 0.05**2 / DAY


def a_range_worth(value: float, low: float, high: float, price: float = 2000) -> dict[str, float]:
    per_liquidity = 2 * math.sqrt(price) - math.sqrt(low) - price / math.sqrt(high)
    return {
        "liquidity": value / per_liquidity,
        "sqrt_price": math.sqrt(price),
        "sqrt_lower": math.sqrt(low),
        "sqrt_upper": math.sqrt(high),
    }


#: A unit of value over all prices: 2 * L * sqrt(P).
FULL_RANGE = {"liquidity": 0.5, "sqrt_price": 1.0, "sqrt_lower": 0.0, "sqrt_upper": math.inf}


@pytest.mark.parametrize(("deviation", "bps"), [(0.05, 3.125), (0.02, 0.5)])
def test_a_full_range_loses_an_eighth_of_the_variance(deviation: float, bps: float) -> None:
    rate = lvr_rate(**FULL_RANGE, variance_rate=deviation**2 / DAY)
    assert rate * DAY * 1e4 == pytest.approx(bps)


@pytest.mark.parametrize(
    ("low", "high", "lost", "times"),
    [(1500, 2500, 26.0908691, 8.349), (1800, 2200, 63.8705910, 20.439)],
)
def test_a_narrow_range_loses_many_times_as_much(
    low: float, high: float, lost: float, times: float
) -> None:
    rate = lvr_rate(**a_range_worth(10_000, low, high), variance_rate=FIVE_PERCENT)
    assert rate * DAY == pytest.approx(lost, rel=1e-8)
    full_range = 10_000 * lvr_rate(**FULL_RANGE, variance_rate=FIVE_PERCENT)
    assert rate / full_range == pytest.approx(times, abs=5e-4)


@pytest.mark.parametrize("price", [1400, 1500, 2500, 2600])
def test_outside_its_range_liquidity_loses_nothing(price: float) -> None:
    held = a_range_worth(10_000, 1500, 2500) | {"sqrt_price": math.sqrt(price)}
    assert lvr_rate(**held, variance_rate=FIVE_PERCENT) == 0


@settings(max_examples=30)
@given(width=st.floats(1.01, 5), deviation=st.floats(1e-4, 0.3), price=st.floats(1e-6, 1e6))
def test_the_fee_that_pays_for_lvr_does_not_depend_on_the_width(
    width: float, deviation: float, price: float
) -> None:
    held = a_range_worth(1.0, price / width, price * width, price)
    variance = deviation**2 / DAY
    fees = held["liquidity"] * break_even_fee_rate(held["sqrt_price"], variance)
    ratio = fee_to_lvr(fees, lvr_rate(**held, variance_rate=variance))
    assert ratio == pytest.approx(1)


@settings(max_examples=30)
@given(price=st.floats(1e-3, 1e3), deviation=st.floats(1e-4, 0.3))
def test_either_token_may_be_the_one_that_counts(price: float, deviation: float) -> None:
    """The loss in token0 is that in token1 at the price."""
    held, variance = a_range_worth(1.0, price / 2, price * 2, price), deviation**2 / DAY
    turned = {
        "liquidity": held["liquidity"],
        "sqrt_price": 1 / held["sqrt_price"],
        "sqrt_lower": 1 / held["sqrt_upper"],
        "sqrt_upper": 1 / held["sqrt_lower"],
    }
    in_token0 = lvr_rate(**turned, variance_rate=variance)
    assert in_token0 * price == pytest.approx(lvr_rate(**held, variance_rate=variance))


@pytest.mark.parametrize(
    ("bps", "block_s", "share"),
    [(1, 12, 0.806452), (5, 12, 0.454545), (10, 12, 0.294118), (30, 12, 0.121951),
     (100, 12, 0.04), (30, 2, 0.053659)],
)  # fmt: skip
def test_fees_and_fast_blocks_leave_arbitrage_less_to_do(
    bps: float, block_s: float, share: float
) -> None:
    found = arbitrage_probability(fee=bps / 1e4, variance_rate=FIVE_PERCENT, block_s=block_s)
    assert found == pytest.approx(share, abs=1e-6)


def test_what_cannot_be_told_is_missing_with_its_reason() -> None:
    still = arbitrage_probability(fee=0.003, variance_rate=0, block_s=12)
    assert isinstance(still, Missing)
    assert "variance is 0" in still.reason
    nothing = fee_to_lvr(1.0, 0.0)
    assert isinstance(nothing, Missing)
    assert "no liquidity" in nothing.reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sqrt_price": 0}, "sqrt_price"),
        ({"sqrt_price": math.nan}, "sqrt_price"),
        ({"liquidity": -1}, "liquidity"),
        ({"variance_rate": math.inf}, "variance_rate"),
        ({"sqrt_upper": 1.0}, "inverted"),
    ],
)
def test_nonsense_is_named(change: dict[str, float], message: str) -> None:
    held = a_range_worth(1.0, 1500, 2500) | {"variance_rate": FIVE_PERCENT} | change
    with pytest.raises(ValueError, match=message):
        lvr_rate(**held)
