"""Writes down what a backtest goes through: the curves, and what the rest of a market cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lpmanager.backtest.replay.history import Stretch
from lpmanager.backtest.replay.meter import Band, Floats, closes_of
from lpmanager.backtest.replay.world import World
from lpmanager.backtest.report.run import Curve, Held, Move, Times
from lpmanager.inventory import Inventory
from lpmanager.ledger.result import Result, split_swap
from lpmanager.model import (
    Amounts,
    Hold,
    Minted,
    Outcome,
    Plan,
    PoolKey,
    Snapshot,
    Swapped,
    TickRange,
    Token,
    Withdrawn,
)
from lpmanager.risk.lived import LVR_STEP_S

_PIPS = 1_000_000
_EVERYWHERE = Band(0.0, np.inf, 1.0)


class Recorder:
    """One backtest's memory. Times are Unix seconds, money whole quote tokens at its own time."""

    def __init__(
        self, key: PoolKey, quote: Token, deposit: Amounts, root: float, began: int
    ) -> None:
        """`root` is the square root of the price that the market begins with."""
        self._fee = key.fee_pips / _PIPS
        self._scale = 10.0**-quote.decimals
        self._is_quote0 = quote == key.token0
        raw0, raw1 = deposit.raw
        self._deposit = float(raw0), float(raw1)
        self._full = (raw0 * root * root + raw1) / (2 * root)
        self._full_fees = np.zeros(2)
        self._untouched: list[Band] = []
        self._untouched_rest = np.zeros(2)
        self._bands: list[tuple[TickRange, Band]] = []
        self._root, self._tick_time = root, began
        self._lvr_root, self._lvr_slot = root, began // LVR_STEP_S
        self._fees = self._lvr = 0.0
        self._deployed_s = self._in_range_s = 0
        self._rows: list[tuple[float, ...]] = []
        self._held: dict[int, Held] = {}
        self._moves: list[Move] = []
        self._holds: Counter[str] = Counter()

    def went(self, stretch: Stretch, times: Times, tick_before: int) -> None:
        """The market went on; `times` are those of the stretch's rows."""
        way, closes, rows = closes_of(stretch, self._root)
        now = float(closes[-1])
        growth = np.array(_EVERYWHERE.fees(way, self._fee))
        self._full_fees += growth * self._full
        for band in self._untouched:
            self._untouched_rest += band.fees(way, self._fee)
        for _, band in self._bands:
            self._fees += self._in_quote(*band.fees(way, self._fee), now)
        self._lose(self._samples(times[rows - stretch.first], closes))
        self._root = now
        self._clock(np.concatenate(([tick_before], stretch.ticks[:-1])), times)

    def sample(self, snapshot: Snapshot, inventory: Inventory, result: Result) -> None:
        """A point of every curve."""
        self._clock(np.array([snapshot.state.tick]), np.array([snapshot.block.timestamp]))
        weight = inventory.weight
        in_range = self._in_range_s / self._deployed_s if self._deployed_s else np.nan
        self._rows.append(
            (
                snapshot.block.timestamp,
                float(result.price.per_whole),
                float(result.nav_end) * self._scale,
                float(result.hodl_value) * self._scale,
                self._value_of([Band(0.0, np.inf, self._full)], self._full_fees),
                self._value_of(self._untouched, self._untouched_rest)
                if self._untouched
                else np.nan,
                np.nan if weight is None else float(weight),
                self._fees,
                self._lvr,
                in_range,
            )
        )

    def held_back(self, hold: Hold) -> None:
        """A decision to do nothing, by the gate that closed, or its reason."""
        closed = [gate.name for gate in hold.gates if not gate.passed]
        self._holds[closed[0] if closed else "the range is as wanted"] += 1

    def moved(
        self, plan: Plan, outcome: Outcome, world: World, before: Snapshot, value: float
    ) -> None:
        """A plan was carried out, or began to be; it may have stopped early."""
        self._lose(np.array([self._lvr_root, self._root]))
        time, spent, cost = world.block.timestamp, 0, Fraction(0)
        for step in outcome.steps:
            spent += step.gas_paid.raw
            for fact in step.facts:
                match fact:
                    case Minted():
                        self._held[fact.token_id] = Held(
                            token_id=fact.token_id,
                            range=fact.range,
                            liquidity=fact.liquidity,
                            opened=time,
                            closed=None,
                        )
                    case Withdrawn():
                        self._close(fact.token_id, time)
                    case Swapped():
                        price = before.pool.price(before.quote, fact.sqrt_price_before_x96)
                        cost += split_swap(fact.delta, price)[2]
        standing = [held for held in self._held.values() if held.closed is None]
        self._bands = [(held.range, Band.of(held.range, held.liquidity)) for held in standing]
        if not self._untouched and standing:
            self._untouched = [band for _, band in self._bands]
            self._untouched_rest = np.array([float(raw) for raw in world.wallet.raw])
        native = before.native_price
        gas = Fraction(0) if native is None else spent * native.ratio
        self._moves.append(
            Move(
                time=time,
                block=world.block.number,
                reason=plan.reason
                if outcome.stop is None
                else f"{plan.reason}; stopped: {outcome.stop.reason}",
                gas_quote=float(gas) * self._scale,
                swap_cost_quote=float(cost) * self._scale,
                ranges=tuple(held.range for held in standing),
                value_quote=value,
                price=float(before.price.per_whole),
            )
        )

    @property
    def curve(self) -> Curve:
        """All points so far."""
        columns = np.array(self._rows, dtype=np.float64).T
        names = [field.name for field in fields(Curve)]
        return Curve(**dict(zip(names, [columns[0].astype(np.int64), *columns[1:]], strict=True)))

    @property
    def held(self) -> tuple[Held, ...]:
        """Every position's life, oldest first."""
        return tuple(self._held.values())

    @property
    def moves(self) -> tuple[Move, ...]:
        """Every plan carried out, oldest first."""
        return tuple(self._moves)

    @property
    def holds(self) -> dict[str, int]:
        """How often what held the campaign back."""
        return dict(self._holds.most_common())

    def _close(self, token_id: int, time: int) -> None:
        self._held[token_id] = replace(self._held[token_id], closed=time)

    def _clock(self, ticks: NDArray[np.int64], times: Times) -> None:
        """The price was at each of the ticks until a time; there may be none."""
        lasted = np.diff(times, prepend=self._tick_time)
        self._tick_time += int(lasted.sum())
        if self._bands:
            inside = np.zeros(len(ticks), np.bool_)
            for span, _ in self._bands:
                inside |= (span.lower <= ticks) & (ticks < span.upper)
            self._deployed_s += int(lasted.sum())
            self._in_range_s += int(lasted[inside].sum())

    def _value_of(self, bands: Sequence[Band], rest: Floats) -> float:
        amounts = [band.amounts(self._root) for band in bands]
        raw0 = sum(x for x, _ in amounts) + rest[0]
        raw1 = sum(y for _, y in amounts) + rest[1]
        return self._in_quote(raw0, raw1, self._root)

    def _in_quote(self, raw0: float, raw1: float, root: float) -> float:
        value = raw0 + raw1 / root**2 if self._is_quote0 else raw0 * root**2 + raw1
        return float(value) * self._scale

    def _samples(self, times: Times, closes: Floats) -> Floats:
        """The price at every `LVR_STEP_S` that rows with a swap have passed, after the last one
        before; `closes` begin with the price before them."""
        slots = np.concatenate(([self._lvr_slot], times // LVR_STEP_S))
        self._lvr_slot = int(slots[-1])
        return np.concatenate(([self._lvr_root], closes[:-1][slots[:-1] != slots[1:]]))

    def _lose(self, roots: Floats) -> None:
        """Count what the positions lost to arbitrageurs from each of these prices to the next."""
        self._lvr_root = float(roots[-1])
        for _, band in self._bands:
            lost = band.lvr(roots)
            in_quote = lost / roots[1:] ** 2 if self._is_quote0 else lost
            self._lvr += float(in_quote.sum()) * self._scale
