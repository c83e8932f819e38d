"""Generated markets against closed forms: what arbitrage costs, and how long a price stays.

Bounds are those of the goal (1 %), or four standard errors where the number of paths allows less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from builders import a_pool
from market_builders import MIDNIGHT
from numpy.typing import NDArray

from lpmanager.amm.fast.packing import from_limbs
from lpmanager.backtest.markets import synthetic
from lpmanager.backtest.markets.arbitrage import within_fees
from lpmanager.backtest.markets.market import Events
from lpmanager.backtest.markets.synthetic import Setting
from lpmanager.risk.monte_carlo.random_paths import gbm_moves

Numbers = NDArray[np.float64]
_Q96 = 2.0**96
SIGMA = 0.05

#: By how much of a step's deviation a walk overshoots a barrier: -zeta(1/2) / sqrt(2 pi).
OVERSHOOT = 0.5826


@dataclass(frozen=True)
class Way:
    """What a market without fees did: square roots of raw prices, and amounts into the pool."""

    before: Numbers
    after: Numbers
    amount0: Numbers
    amount1: Numbers
    liquidity: float
    days: float


@pytest.fixture(scope="module")
def way() -> Way:
    free = replace(a_pool(), fee_pips=0)
    setting = Setting(pool=free, begins=MIDNIGHT, step_s=2, tick=200_000, liquidity=10**19)
    market = synthetic.gbm(setting, steps=200_000, sigma=SIGMA, seed=1)
    assert isinstance(market.rows, Events)
    assert market.start is not None
    after = np.array(from_limbs(market.rows.sqrt_price), float) / _Q96
    return Way(
        before=np.concatenate(([market.start.sqrt_price_x96 / _Q96], after[:-1])),
        after=after,
        amount0=np.array(from_limbs(market.rows.amount0, signed=True), float),
        amount1=np.array(from_limbs(market.rows.amount1, signed=True), float),
        liquidity=float(setting.liquidity),
        days=setting.days,
    )


def test_a_full_range_loses_an_eighth_of_the_variance_of_its_value(way: Way) -> None:
    # Milionis and others, arXiv 2208.06046: each trade at the price that it leads to.
    loss = -(way.amount0 * way.after**2 + way.amount1)
    value = 2 * way.liquidity * way.before
    rate = (loss / value).mean() / way.days
    assert rate == pytest.approx(SIGMA**2 / 8, rel=0.01)


def test_a_range_loses_a_quarter_of_the_variance_of_its_liquidity_while_it_is_active(
    way: Way,
) -> None:
    lower, upper = way.before[0] * 1.0001**-500, way.before[0] * 1.0001**500

    def held0(root: Numbers) -> Numbers:
        return way.liquidity * (1 / np.clip(root, lower, upper) - 1 / upper)

    def held1(root: Numbers) -> Numbers:
        return way.liquidity * (np.clip(root, lower, upper) - lower)

    bought, paid = held0(way.after) - held0(way.before), held1(way.after) - held1(way.before)
    loss = -(bought * way.after**2 + paid)
    active = (lower < way.before) & (way.before < upper)
    assert 0.3 < active.mean() < 0.99
    expected = way.liquidity * SIGMA**2 * way.before[active] / 4 * way.days
    assert loss.sum() / expected.sum() == pytest.approx(1, rel=0.01)


@pytest.mark.parametrize("band", [0.5, 1.0, 2.0, 4.0])
def test_with_fees_arbitrage_takes_what_nezlobin_and_tassy_say(band: float) -> None:
    # arXiv 2505.05113: sigma_b^2 / (2 + 1.7164 gamma / sigma_b) in each block. gamma is the WHOLE
    # width of the band without trades in the price's logarithm, -2 ln(1 - fee), and the unit is
    # what the pool trades per unit of that logarithm, L sqrt(P) / 2: gamma = 0 is then the quarter
    # of L sqrt(P) sigma^2 above, and a wide band the overshoot of a walk, 1 / 1.7164 = 0.5826.
    # `band` is gamma / sigma_b. The bound of 1 % is three standard errors or more.
    paths, blocks, settling, sigma_b = 1_500, 1_000, 100, 0.002
    fee = -math.expm1(-band * sigma_b / 2)
    random = np.random.default_rng(3)
    moves = gbm_moves(random, (paths, blocks), days=1, sigma=sigma_b, drift=sigma_b**2 / 2)
    outside = np.cumsum(moves, axis=1)
    after = np.exp(within_fees(outside, fee) / 2)
    before = np.concatenate((np.ones((paths, 1)), after[:, :-1]), axis=1)
    into0, into1 = 1 / after - 1 / before, after - before
    # Whoever trades pays the fee on what goes in.
    paid = np.where(into1 > 0, into1, into0 * np.exp(outside)) / (1 - fee)
    got = -np.where(into1 > 0, into0 * np.exp(outside), into1)
    gain = ((got - paid) / (before / 2))[:, settling:]
    error = gain.mean(axis=1).std() / math.sqrt(paths)
    expected = sigma_b**2 / (2 + 1.7164 * band)
    assert 3 * error < 0.01 * expected
    assert gain.mean() == pytest.approx(expected, rel=0.01)


def test_the_price_leaves_a_range_after_the_expected_time() -> None:
    # ln(1.1) ln(1 / 0.9) / sigma^2 = 4.0167719 days for 10 % either way, without drift of the
    # logarithm. Seen only every five minutes, it leaves barriers that are nearer by the overshoot.
    step, paths = 5 / 1440, 10_000
    nearer = OVERSHOOT * SIGMA * math.sqrt(step)
    low, high = math.log(0.9) + nearer, math.log(1.1) - nearer
    random = np.random.default_rng(6)
    inside, steps, elapsed, squares = np.zeros(paths), 0, 0.0, 0.0
    while len(inside):
        steps += 1
        moves = gbm_moves(random, len(inside), days=step, sigma=SIGMA, drift=SIGMA**2 / 2)
        inside = inside + moves
        gone = (inside <= low) | (inside >= high)
        elapsed += gone.sum() * steps * step
        squares += gone.sum() * (steps * step) ** 2
        inside = inside[~gone]
    mean = elapsed / paths
    error = math.sqrt((squares / paths - mean**2) / paths)
    assert mean == pytest.approx(4.0167719, abs=4 * error)
    assert 4 * error < 0.035 * mean


def test_the_price_stays_in_a_range_as_often_as_it_should() -> None:
    # 100 between 90 and 110 for a week, sigma 0.8 a year, no interest: 0.28238119, by the sine
    # series and by QuantLib's double barrier.
    paths, steps, sigma = 20_000, 1_008, 0.8 / math.sqrt(365)
    step = 7 / steps
    nearer = OVERSHOOT * sigma * math.sqrt(step)
    low, high = math.log(0.9) + nearer, math.log(1.1) - nearer
    random = np.random.default_rng(7)
    inside = np.zeros(paths)
    for _ in range(steps):
        inside = inside + gbm_moves(random, len(inside), days=step, sigma=sigma)
        inside = inside[(low < inside) & (inside < high)]
    error = math.sqrt(0.28238119 * (1 - 0.28238119) / paths)
    assert len(inside) / paths == pytest.approx(0.28238119, abs=4 * error)
