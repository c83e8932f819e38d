"""The curves of a compiled strategy's run, worked out from its moves. Floats throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lpmanager.backtest.fast.accrual import NEVER, Until, accrue
from lpmanager.backtest.fast.columns import CLOSE, FastRows
from lpmanager.backtest.fast.log import PLACES
from lpmanager.backtest.fast.positions import FEES0, FEES1, nothing_earned
from lpmanager.backtest.fast.positions import held as held_in
from lpmanager.backtest.fast.strategy import Conditions
from lpmanager.backtest.fast.told.moves import FastMove, Life, Pair, Position, root_before
from lpmanager.backtest.markets.market import Times
from lpmanager.backtest.replay.meter import Band
from lpmanager.backtest.report.run import Curve, Numbers
from lpmanager.model import MAX_TICK, MIN_TICK, PoolKey, TickRange, Token
from lpmanager.model.tick import max_usable_tick, min_usable_tick
from lpmanager.risk.lived import LVR_STEP_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """How raw amounts and wei are counted in whole quote tokens."""

    pool: PoolKey
    token: Token
    native_price: float

    @property
    def is_token0(self) -> bool:
        """Whether the quote is the pool's token0."""
        return self.token == self.pool.token0

    def worth(self, raw0: Numbers, raw1: Numbers, root: Numbers) -> Numbers:
        """Raw amounts at sqrt prices, in whole quote tokens."""
        raw = raw0 + raw1 / root**2 if self.is_token0 else raw0 * root**2 + raw1
        return np.asarray(raw * 10.0**-self.token.decimals)

    def coins(self, wei: Numbers, root: Numbers) -> Numbers:
        """Wei of the native coin at sqrt prices, in whole quote tokens."""
        if np.isnan(self.native_price):
            return self.base_worth(wei, root)
        return np.asarray(wei * self.native_price * 10.0**-self.token.decimals)

    def prices(self, root: Numbers) -> Numbers:
        """Whole quote tokens for a whole base token."""
        base = self.pool.token1 if self.is_token0 else self.pool.token0
        return self.base_worth(np.full_like(root, 10.0**base.decimals), root)

    def base_of(self, raw0: Numbers, raw1: Numbers) -> Numbers:
        """Of raw amounts those of the token that is not the quote."""
        return raw1 if self.is_token0 else raw0

    def base_worth(self, raw: Numbers, root: Numbers) -> Numbers:
        """Raw amounts of the token that is not the quote, in whole quote tokens."""
        nothing = np.zeros_like(raw)
        raw0, raw1 = (nothing, raw) if self.is_token0 else (raw, nothing)
        return self.worth(raw0, raw1, root)


def curve_of(
    rows: FastRows,
    stops: Times,
    moves: Sequence[FastMove],
    lives: Sequence[Life],
    conditions: Conditions,
    quote: Quote,
) -> Curve:
    """A sample before each of the rows `stops`, which are rising and begin with 0; the moves' rows
    are among them. A sample is taken before the move at its row."""
    roots = np.array([root_before(rows, int(stop)) for stop in stops])
    deposit = conditions.deposit0, conditions.deposit1
    run = _holdings(rows, stops, moves, deposit, quote)
    full = _holdings(rows, stops, [_full_range(rows, deposit, quote.pool)], deposit, quote)
    untouched = _holdings(rows, stops, moves[:1], deposit, quote)
    worth = quote.worth(run.raw0, run.raw1, roots)
    first = moves[0].row if moves else len(rows.time) + 1
    base = quote.base_worth(quote.base_of(run.raw0, run.raw1), roots)
    lvr = _lvr_by_row(rows, lives, quote)
    return Curve(
        time=np.concatenate(([rows.start_time], rows.time))[stops],
        price=quote.prices(roots),
        value=worth - quote.coins(_gas_before(moves, stops), roots),
        hodl=quote.worth(np.array(deposit[0]), np.array(deposit[1]), roots),
        full_range=quote.worth(full.raw0, full.raw1, roots),
        untouched=np.where(
            stops > first, quote.worth(untouched.raw0, untouched.raw1, roots), np.nan
        ),
        weight=base / worth,
        fees=np.cumsum(quote.worth(run.earned0, run.earned1, roots)),
        lvr=np.concatenate(([0.0], np.cumsum(lvr)))[stops],
        in_range=_in_range(rows, lives, stops),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holdings:
    """Raw tokens: all that is held at each stop, and what was earned since the last."""

    raw0: Numbers
    raw1: Numbers
    earned0: Numbers
    earned1: Numbers


def _holdings(
    rows: FastRows, stops: Times, moves: Sequence[FastMove], deposit: Pair, quote: Quote
) -> _Holdings:
    """What the deposit has become by these moves."""
    by_row = {move.row: move for move in moves}
    raw, earned = np.zeros((2, len(stops))), np.zeros((2, len(stops)))
    wallet, held = np.array(deposit), tuple[Position | None, ...]((None,) * PLACES)
    uncollected = np.zeros((2, PLACES))
    for number, stop in enumerate(stops.tolist()):
        root = root_before(rows, stop)
        raw[:, number] = wallet + uncollected.sum(axis=1) + _in_ranges(held, root)
        if stop in by_row:
            move = by_row[stop]
            replaced = [new != old for new, old in zip(move.held, held, strict=True)]
            uncollected[:, replaced] = 0.0
            root, wallet, held = move.after, np.array(move.wallet), move.held
        if number + 1 < len(stops):
            paid = _accrued(rows, stop, int(stops[number + 1]), root, held, quote)
            uncollected += paid
            earned[:, number + 1] = paid.sum(axis=1)
    return _Holdings(raw0=raw[0], raw1=raw[1], earned0=earned[0], earned1=earned[1])


def _accrued(
    rows: FastRows,
    first: int,
    behind: int,
    root: float,
    held: Sequence[Position | None],
    quote: Quote,
) -> Numbers:
    """Raw fees (2, places) of the rows [first, behind), which find the pool at this sqrt price."""
    paid, places = np.zeros((2, len(held))), [p for p, each in enumerate(held) if each is not None]
    if places:
        earned = nothing_earned(len(places))
        standing = [position for position in held if position is not None]
        ours = held_in([each.range for each in standing], [each.liquidity for each in standing])
        until = Until(behind, NEVER, NEVER, MIN_TICK, MAX_TICK)
        accrue(rows, first, root, until, quote.is_token0, ours, earned)
        paid[:, places] = earned[[FEES0, FEES1]]
    return paid


def _in_ranges(held: Sequence[Position | None], root: float) -> Numbers:
    """Raw tokens in the positions, without their fees."""
    amounts = [Band.of(*each).amounts(root) for each in held if each is not None]
    return np.asarray(np.array(amounts).reshape(-1, 2).sum(axis=0))


def _full_range(rows: FastRows, deposit: Pair, pool: PoolKey) -> FastMove:
    """The deposit put over all prices at the start, without a cost."""
    root = rows.start_price
    span = TickRange(min_usable_tick(pool.tick_spacing), max_usable_tick(pool.tick_spacing))
    liquidity = (deposit[0] * root * root + deposit[1]) / (2 * root)
    return FastMove(
        row=0,
        gas_wei=0.0,
        before=root,
        after=root,
        swapped=(0.0, 0.0),
        wallet=(0.0, 0.0),
        held=(Position(span, liquidity), None),
    )


def _gas_before(moves: Sequence[FastMove], stops: Times) -> Numbers:
    """Wei spent by the moves before each stop."""
    spent = np.concatenate(([0.0], np.cumsum([move.gas_wei for move in moves])))
    return np.asarray(spent[np.searchsorted([move.row for move in moves], stops, side="left")])


def _lvr_by_row(rows: FastRows, lives: Sequence[Life], quote: Quote) -> Numbers:
    """What was lost to arbitrageurs by each row, in whole quote tokens: from prices `LVR_STEP_S`
    apart, as in exact mode."""
    lost, slots = np.zeros(len(rows.time)), rows.time // LVR_STEP_S
    for life in lives:
        stretch = slice(life.first, life.behind)
        ends = np.flatnonzero(np.diff(slots[stretch], append=-1))
        roots = np.concatenate(
            ([root_before(rows, life.first)], rows.numbers[CLOSE, stretch][ends])
        )
        of1 = Band.of(*life.position).lvr(roots)
        lost[life.first + ends] += quote.worth(np.zeros_like(of1), of1, roots[1:])
    return lost


def _in_range(rows: FastRows, lives: Sequence[Life], stops: Times) -> Numbers:
    """The share of the deployed time so far in which the price was in a range; NaN before any."""
    lasted = np.diff(rows.time, prepend=rows.start_time)
    ticks = np.concatenate(([rows.start_tick], rows.tick[:-1]))
    deployed, inside = np.zeros((2, len(lasted)), np.bool_)
    for life in lives:
        stretch, span = slice(life.first, life.behind), life.position.range
        deployed[stretch] = True
        inside[stretch] |= (ticks[stretch] >= span.lower) & (ticks[stretch] < span.upper)
    inside_s, deployed_s = (
        np.concatenate(([0], np.cumsum(lasted * which)))[stops] for which in (inside, deployed)
    )
    unknown = np.full(len(stops), np.nan)
    return np.asarray(np.divide(inside_s, deployed_s, out=unknown, where=deployed_s > 0))
