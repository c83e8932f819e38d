"""The moves of a compiled strategy, read from its log: what was swapped, and how long it held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lpmanager.backtest.fast import columns
from lpmanager.backtest.fast.columns import CLOSE, FastRows
from lpmanager.backtest.fast.log import (
    AFTER,
    BEFORE,
    GAS_WEI,
    PLACES,
    ROW,
    SPAN_COLUMNS,
    SPANS,
    WALLET0,
    WALLET1,
)
from lpmanager.backtest.report.run import Numbers
from lpmanager.model import TickRange

#: Raw token0 and token1.
Pair = tuple[float, float]


class Position(NamedTuple):
    """Liquidity in a range."""

    range: TickRange
    liquidity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FastMove:
    """A move before a row of the market. `swapped` is what its swap took out of the wallet;
    `before` and `after` are sqrt prices; `wallet` and `held`, by place, are as it left them."""

    row: int
    gas_wei: float
    before: float
    after: float
    swapped: Pair
    wallet: Pair
    held: tuple[Position | None, ...]

    @property
    def positions(self) -> tuple[Position, ...]:
        """What stood afterwards."""
        return tuple(position for position in self.held if position is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A position over the rows [first, behind), with the sqrt prices it was minted and withdrawn
    at; `is_open` where it still stood at the end."""

    position: Position
    first: int
    behind: int
    minted_at: float
    left_at: float
    is_open: bool


def moves_of(rows: FastRows, log: Numbers) -> tuple[FastMove, ...]:
    """The moves in a log."""
    return tuple(_move(rows, entry) for entry in log)


def lives_of(rows: FastRows, moves: Sequence[FastMove]) -> tuple[Life, ...]:
    """Every position's life, in the order of their mints."""
    lives = []
    for number, move in enumerate(moves):
        before = moves[number - 1].held if number else (None,) * PLACES
        for place, position in enumerate(move.held):
            if position is not None and position != before[place]:
                lives.append(_life(rows, moves[number:], place, position))
    return tuple(lives)


def root_before(rows: FastRows, row: int) -> float:
    """The sqrt price that the market left before this row."""
    return float(rows.numbers[CLOSE, row - 1]) if row else rows.start_price


def _life(rows: FastRows, moves: Sequence[FastMove], place: int, position: Position) -> Life:
    """Of a position that the first of these moves has minted."""
    left = next((move for move in moves if move.held[place] != position), None)
    end = len(rows.time)
    return Life(
        position=position,
        first=moves[0].row,
        behind=end if left is None else left.row,
        minted_at=moves[0].after,
        left_at=root_before(rows, end) if left is None else left.before,
        is_open=left is None,
    )


def _move(rows: FastRows, entry: Numbers) -> FastMove:
    row, before, after = int(entry[ROW]), float(entry[BEFORE]), float(entry[AFTER])
    return FastMove(
        row=row,
        gas_wei=float(entry[GAS_WEI]),
        before=before,
        after=after,
        swapped=_swapped(rows, row, before, after),
        wallet=(float(entry[WALLET0]), float(entry[WALLET1])),
        held=tuple(
            _position(entry[SPANS + SPAN_COLUMNS * place :][:SPAN_COLUMNS])
            for place in range(PLACES)
        ),
    )


def _position(span: Numbers) -> Position | None:
    lower, upper, liquidity = span.tolist()
    return Position(TickRange(int(lower), int(upper)), liquidity) if liquidity > 0 else None


def _swapped(rows: FastRows, row: int, before: float, after: float) -> Pair:
    """What a swap pays in, with the pool's fee, and what it takes out, which is negative."""
    way = float(rows.numbers[columns.LIQUIDITY, max(row - 1, 0)]) * (after - before)
    paid0, paid1 = -way / (before * after), way
    return (paid0 / (1 - rows.fee), paid1) if after < before else (paid0, paid1 / (1 - rows.fee))
