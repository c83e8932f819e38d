"""How much was swapped in a recorded market."""

from __future__ import annotations

import numpy as np

from lpmanager.amm.fast.packing import to_floats
from lpmanager.backtest.markets.amounts import signed_floats
from lpmanager.backtest.markets.market import SWAP, Bars, Market
from lpmanager.model import Token
from lpmanager.model.units import LOG_TICK


def quote_volume(market: Market, quote: Token) -> float:
    """All that was swapped, in whole quote tokens: of each event what the pool took or gave of the
    quote token, of each bar what was paid in, at the price of its close. Raises ValueError for a
    token that is not the pool's."""
    pool, rows = market.pool, market.rows
    if quote not in (pool.token0, pool.token1):
        raise ValueError(f"{quote.symbol} is no token of {pool}")
    is_quote0 = quote == pool.token0
    if isinstance(rows, Bars):
        ratio = np.exp(rows.close * LOG_TICK)  # raw token1 per raw token0
        in0, in1 = to_floats(rows.in0), to_floats(rows.in1)
        raw = in0 + in1 / ratio if is_quote0 else in0 * ratio + in1
    else:
        amounts = rows.amount0 if is_quote0 else rows.amount1
        raw = np.abs(signed_floats(amounts[rows.kind == SWAP]))
    return float(raw.sum() / 10.0**quote.decimals)
