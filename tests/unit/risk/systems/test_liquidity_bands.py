"""Liquidity by price, against the pool's own maths."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import a_state

from lpmanager.amm import sqrt_price_at_tick
from lpmanager.model import Liquidity, PoolState, TickRange, TickState
from lpmanager.risk.systems.liquidity_bands import LiquidityBand, bands_of

LOG_TICK = math.log(1.0001)
L = 10**18


def a_tick(tick: int, net: int) -> TickState:
    return TickState(tick=tick, liquidity_gross=abs(net), liquidity_net=net)


def a_pool_state(tick: int = 5) -> PoolState:
    """L everywhere known, 2 L more in [-100, 50), 3 L more in [0, 200)."""
    active = L + (2 * L if -100 <= tick < 50 else 0) + (3 * L if 0 <= tick < 200 else 0)
    return replace(
        a_state(sqrt_price_at_tick(tick)),
        liquidity=Liquidity(active),
        ticks=(a_tick(-100, 2 * L), a_tick(0, 3 * L), a_tick(50, -2 * L), a_tick(200, -3 * L)),
        known=TickRange(-1_000, 1_000),
    )


@pytest.mark.parametrize("tick", [-500, -100, -1, 0, 5, 50, 199, 200, 999])
def test_bands_are_the_same_wherever_the_price_is(tick: int) -> None:
    found = [
        (round(band.lower / LOG_TICK), round(band.upper / LOG_TICK), band.liquidity / L)
        for band in bands_of(a_pool_state(tick))
    ]
    assert found == [(-1000, -100, 1), (-100, 0, 3), (0, 50, 6), (50, 200, 4), (200, 1000, 1)]


@pytest.mark.parametrize(("lower", "upper", "liquidity"), [(1, 0, 1), (0, 1, -1), (0, 1, math.nan)])
def test_a_band_that_cannot_be_is_refused(lower: float, upper: float, liquidity: float) -> None:
    with pytest.raises(ValueError, match="band"):
        LiquidityBand(lower=lower, upper=upper, liquidity=liquidity)
