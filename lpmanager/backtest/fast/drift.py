"""How far fast mode is from exact mode: one range, through the same rows by both."""

from __future__ import annotations

from fractions import Fraction

from lpmanager.amm import Pool, amounts_for_liquidity_down
from lpmanager.amm.fast.follow import follow
from lpmanager.backtest.fast.accrual import NEVER, Until, accrue
from lpmanager.backtest.fast.columns import CLOSE, FastRows
from lpmanager.backtest.fast.positions import FEES0, FEES1, held, nothing_earned
from lpmanager.backtest.markets.market import Market
from lpmanager.backtest.replay.meter import Band
from lpmanager.backtest.replay.tape import tape_of
from lpmanager.backtest.report.run import Drift
from lpmanager.model import MAX_TICK, MIN_TICK, Liquidity, TickRange
from lpmanager.model.tick import floor_to_spacing

_SAMPLE = "sample"
#: No block number plays a part here.
_ANY_BLOCK_S = Fraction(1)
_EVERYTHING = 2**128 - 1

#: Rows of a sample, and the half-width of its range in tick spacings.
_ROWS = 2_000
_HALF_WIDTH = 20
#: Our part of the active liquidity at the start.
_SHARE = 100


def drift_of(market: Market, rows: FastRows) -> Drift:
    """The largest relative difference of fees, and of the tokens left in the range, over the first
    rows of a market. Fast mode knows no rounding to raw units, which is most of it.

    Warning: rows that mint or burn in a market whose ticks are known are left out of the sample, as
    fast mode takes active liquidity as recorded.
    """
    tape = tape_of(market, _ANY_BLOCK_S)
    behind = min([tape.first + _ROWS, len(tape.times), *tape.changes])
    pool = Pool.from_state(tape.start, market.pool.fee_pips, market.pool.tick_spacing)
    spacing = market.pool.tick_spacing
    centre = floor_to_spacing(pool.tick, spacing)
    span = TickRange(centre - _HALF_WIDTH * spacing, centre + _HALF_WIDTH * spacing)
    liquidity = Liquidity(max(pool.liquidity // _SHARE, 10**12))
    pool.mint(_SAMPLE, span.lower, span.upper, liquidity)
    follow(pool, tape.legs(tape.first, behind))
    pool.burn(_SAMPLE, span.lower, span.upper, 0)
    fees = pool.collect(_SAMPLE, span.lower, span.upper, _EVERYTHING, _EVERYTHING)
    left = amounts_for_liquidity_down(pool.sqrt_price_x96, span, liquidity)
    earned = nothing_earned(1)
    until = Until(behind, NEVER, NEVER, MIN_TICK, MAX_TICK)
    accrue(
        rows,
        tape.first,
        rows.numbers[CLOSE, tape.first - 1] if tape.first else rows.start_price,
        until,
        True,
        held([span], [liquidity]),
        earned,
    )
    fast_left = Band.of(span, liquidity).amounts(float(rows.numbers[CLOSE, behind - 1]))
    return Drift(
        rows=behind - tape.first,
        fees=_furthest((earned[FEES0, 0], earned[FEES1, 0]), fees),
        amounts=_furthest(fast_left, left),
    )


def _furthest(fast: tuple[float, float], exact: tuple[int, int]) -> float:
    """The larger relative difference; of nothing, none."""
    return max(
        abs(float(found) - true) / true if true else 0.0
        for found, true in zip(fast, exact, strict=True)
    )
