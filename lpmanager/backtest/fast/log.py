"""What a compiled strategy writes down of each of its moves, so that its run can be told later."""

from __future__ import annotations

import numpy as np

from lpmanager.amm.fast.jit import compiled
from lpmanager.backtest.fast.positions import LIQUIDITY, LOWER, UPPER, Held
from lpmanager.backtest.report.run import Numbers

#: Columns of a log, which has a row for each move: the market's row before which it was made; its
#: gas in wei; the sqrt prices before and after its swap; the raw tokens in hand afterwards; and
#: from SPANS on, for each place, the ticks of the range held there afterwards, and its liquidity.
ROW, GAS_WEI, BEFORE, AFTER, WALLET0, WALLET1, SPANS = range(7)
SPAN_COLUMNS = 3
PLACES = 2
LOG_COLUMNS = SPANS + SPAN_COLUMNS * PLACES


def empty_log(moves: int) -> Numbers:
    """Place for so many moves; more are not written down."""
    return np.zeros((moves, LOG_COLUMNS))


@compiled
def write_down(
    entry: Numbers, row: int, gas: float, before: float, after: float, wallet: Numbers, held: Held
) -> None:
    """Fill the entry of one move; `wallet` begins with the raw tokens in hand."""
    entry[ROW], entry[GAS_WEI], entry[BEFORE], entry[AFTER] = row, gas, before, after
    entry[WALLET0], entry[WALLET1] = wallet[0], wallet[1]
    for place in range(PLACES):
        column = SPANS + SPAN_COLUMNS * place
        entry[column] = held.edges[LOWER, place]
        entry[column + 1] = held.edges[UPPER, place]
        entry[column + 2] = held.numbers[LIQUIDITY, place]
