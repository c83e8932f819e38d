"""Backtests made by hand: what a test does not name gets a plain default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
from builders import USDC, WETH, a_pool, a_range

from lpmanager.backtest.report.run import Curve, Drift, Held, Move, Run

#: 2022-07-19 00:00 UTC.
START = 1_658_188_800
HOUR, DAY = 3_600, 86_400
#: The tick at which a WETH costs 1,500 USDC where USDC is token0, about.
TICK_1500 = 203_190


def a_curve(values: Sequence[float], *, step_s: int = DAY, **columns: Sequence[float]) -> Curve:
    """Samples `step_s` apart. Columns that are not named: the price stays, HODL, full range and the
    untouched ranges keep the first value, half is in WETH, nothing is earned or lost."""
    count = len(values)
    flat = {
        "price": 1_500.0,
        "hodl": values[0],
        "full_range": values[0],
        "untouched": values[0],
        "weight": 0.5,
        "fees": 0.0,
        "lvr": 0.0,
        "in_range": 1.0,
    }
    given = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    plain = {name: np.full(count, value) for name, value in flat.items()}
    return Curve(
        time=START + step_s * np.arange(count, dtype=np.int64),
        value=np.asarray(values, dtype=np.float64),
        **{**plain, **given},
    )


def a_held(range_text: str = "[202600, 203800)", **changes: object) -> Held:
    """A position open from the start to the end."""
    plain = Held(token_id=1, range=a_range(range_text), liquidity=10**15, opened=START, closed=None)
    return replace(plain, **changes)


def a_move(*range_texts: str, day: float = 0, **changes: object) -> Move:
    """A move so many days after the start that left these ranges."""
    plain = Move(
        time=START + round(day * DAY),
        block=1,
        reason="centre the range on the price",
        gas_quote=0.5,
        swap_cost_quote=0.25,
        ranges=tuple(a_range(text) for text in range_texts),
        value_quote=1_000.0,
        price=1_500.0,
    )
    return replace(plain, **changes)


def a_result(**terms: str) -> dict[str, Decimal]:
    """The terms of a result in whole quote tokens: 1,000 at the start, and what is named since."""
    names = ("hodl", "impermanent_loss", "fees", "swap_cost", "gas", "hedge", "rounding")
    result = {name: Decimal(terms.get(name, "0")) for name in names}
    costs = result["swap_cost"] + result["gas"] + result["rounding"]
    gains = result["hodl"] + result["impermanent_loss"] + result["fees"] + result["hedge"]
    return {
        "nav_start": Decimal(1_000),
        "nav_end": 1_000 + gains - costs,
        "net_deposits": Decimal(0),
        **result,
        "hodl_value": 1_000 + result["hodl"],
        "identity_error": Decimal(0),
    }


def a_run(curve: Curve | None = None, **changes: object) -> Run:
    """Two days that changed nothing, unless a test says so."""
    curve = curve or a_curve([1_000.0, 1_000.0, 1_000.0])
    plain = Run(
        market="market.csv",
        policy="fixed_width",
        mode="exact",
        pool=a_pool(USDC, WETH),
        quote=USDC,
        start=int(curve.time[0]),
        end=int(curve.time[-1]),
        rows=2_880,
        pool_volume=100_000.0,
        decisions=len(curve.time) - 1,
        curve=curve,
        held=(a_held(),),
        moves=(a_move("[202600, 203800)"),),
        holds={"nothing to do": 46, "payback": 1},
        result=a_result(),
        drift=None,
        halted=None,
        notes=("The tick map is not in the file: active liquidity is taken as recorded.",),
    )
    return replace(plain, **changes)


def a_drift() -> Drift:
    return Drift(rows=10_000, fees=3e-11, amounts=2e-12)
