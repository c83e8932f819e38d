"""What a backtest yields: the decisions made, the result, and the curves to draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lpmanager.model import PoolKey, TickRange, Token

Times = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Columns with a row for the deposit, one for each decision, and one for the end.

    `time` is in Unix seconds. `price` is quote per whole base token; `value`, `hodl`, `full_range`
    and `untouched` are in whole quote tokens at that price. `value` is after gas, `full_range` the
    same deposit over all prices and without gas, `untouched` the first ranges never moved (NaN
    before there are any). `weight` is the base token's share of the value, `fees` and `lvr` what
    was earned and what arbitrage took so far, in quote at the prices of their time, `in_range` the
    share of the deployed time so far.
    """

    time: Times
    price: Numbers
    value: Numbers
    hodl: Numbers
    full_range: Numbers
    untouched: Numbers
    weight: Numbers
    fees: Numbers
    lvr: Numbers
    in_range: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The life of one position, in Unix seconds; `closed` is None where it was open at the end."""

    token_id: int
    range: TickRange
    liquidity: int
    opened: int
    closed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One plan that was carried out: what it cost, and what stood afterwards, in whole quote.

    `block` is None where the run counts none.
    """

    time: int
    block: int | None
    reason: str
    gas_quote: float
    swap_cost_quote: float
    ranges: tuple[TickRange, ...]
    value_quote: float
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far fast mode is from exact mode on the first `rows`: largest relative differences."""

    rows: int
    fees: float
    amounts: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A backtest. `result` has the terms of `lpmanager.ledger.result` in whole quote tokens.

    `holds` counts the decisions to do nothing by the gate that closed, or the reason; it is None
    where no gate was asked. `halted` is why the campaign stopped itself, None where it did not.
    `pool_volume` is all that was swapped in the recorded market, in whole quote tokens.
    `untold` names what this mode cannot tell, terms of the result among it, and why.
    """

    market: str
    policy: str
    mode: Literal["exact", "fast"]
    pool: PoolKey
    quote: Token
    start: int
    end: int
    rows: int
    pool_volume: float
    decisions: int
    curve: Curve
    held: tuple[Held, ...]
    moves: tuple[Move, ...]
    holds: Mapping[str, int] | None
    halted: str | None
    result: Mapping[str, Decimal]
    drift: Drift | None
    notes: tuple[str, ...]
    untold: Mapping[str, str] = field(default_factory=dict)
