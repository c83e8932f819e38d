"""What is left, and of what, when the price gaps."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import USDC, WETH, a_pool, a_position, price_at

from lpmanager.inventory.exposure import position_exposure
from lpmanager.risk.held_range import HeldRange, held_range
from lpmanager.risk.ladder import ladder
from lpmanager.risk.stake import Stake

#: The worked case of 10,000 at a price of 2,000 in the range from 1,500 to 2,500.
WORKED = HeldRange(
    liquidity=933.4553114807629, sqrt_lower=math.sqrt(1_500), sqrt_upper=math.sqrt(2_500)
)


def a_stake(*ranges: HeldRange, price: float = 2_000, base: float = 0, quote: float = 0) -> Stake:
    return Stake(
        sqrt_price=math.sqrt(price), ranges=ranges, base=base, quote=quote, fee_rate=0, gas=0
    )


@pytest.mark.parametrize(
    ("price", "value", "base"),
    [
        (1_200, 6_519.127531, 5.43260628),
        (1_500, 8_148.909414, 5.43260628),
        (1_800, 9_449.349711, 3.33264646),
        (2_200, 10_341.267618, 1.23222788),
        (3_000, 10_520.196816, 0),
    ],
)
def test_the_worked_case(price: float, value: float, base: float) -> None:
    (rung,) = ladder(a_stake(WORKED), [price / 2_000 - 1])
    assert rung.price == pytest.approx(price)
    assert rung.value == pytest.approx(value, abs=1e-6)
    assert rung.change == pytest.approx(value / 10_000 - 1, abs=1e-9)
    assert rung.base_weight == pytest.approx(base * price / value, abs=1e-8)


def test_the_ladder_falls_by_five_ten_twenty_and_forty_percent() -> None:
    rungs = ladder(a_stake(WORKED))
    assert [rung.move for rung in rungs] == [-0.05, -0.10, -0.20, -0.40]
    values = [rung.value for rung in rungs]
    assert values == sorted(values, reverse=True)
    assert rungs[-1].base_weight == 1


def test_idle_tokens_keep_their_amounts() -> None:
    (rung,) = ladder(a_stake(price=100, base=2, quote=300), [-0.5])
    assert (rung.value, rung.base_weight) == pytest.approx((400, 0.25))
    assert rung.change == pytest.approx(-0.2)


def test_ranges_and_idle_tokens_add_up() -> None:
    parts = [
        ladder(a_stake(WORKED)),
        ladder(a_stake(replace(WORKED, sqrt_upper=60))),
        ladder(a_stake(base=1, quote=500)),
    ]
    both = ladder(a_stake(WORKED, replace(WORKED, sqrt_upper=60), base=1, quote=500))
    for step, rung in enumerate(both):
        assert rung.value == pytest.approx(sum(part[step].value for part in parts))


@pytest.mark.parametrize("quote", [USDC, WETH])
def test_a_position_is_taken_alike_in_either_quote(quote: object) -> None:
    """Its base tokens are the delta that `inventory` tells."""
    pool, position = a_pool(), a_position("[199000, 202000)", liquidity=10**16)
    token = USDC if quote == USDC else WETH
    sqrt_price = price_at(200_000)
    price = float(pool.price(token, sqrt_price).per_whole)
    held = held_range(pool, token, position.range, position.liquidity)
    (rung,) = ladder(a_stake(held, price=price), [0.0])
    delta = position_exposure(pool, token, sqrt_price, position).delta
    assert rung.base_weight * rung.value / price == pytest.approx(delta)
    assert rung.change == pytest.approx(0)


def test_what_cannot_be_is_refused() -> None:
    for move in (-1.0, -1.5, math.inf, math.nan):
        with pytest.raises(ValueError, match="leaves no price"):
            ladder(a_stake(WORKED), [move])
    with pytest.raises(ValueError, match="worth 0"):
        ladder(a_stake())
    with pytest.raises(ValueError, match="worth 0"):
        ladder(a_stake(replace(WORKED, liquidity=0)))
    with pytest.raises(ValueError, match="worth -"):
        ladder(a_stake(WORKED, base=4.0, quote=-12_000.0), [-0.4])
    for wrong in ({"liquidity": math.nan}, {"sqrt_lower": 0.0}, {"sqrt_upper": 30.0}):
        with pytest.raises(ValueError, match="no range to hold"):
            replace(WORKED, **wrong)
