"""What is swept: a market, the strategies, and the conditions they all run under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from lpmanager.backtest.fast.columns import FastRows
from lpmanager.backtest.fast.strategy import Conditions, Jobs, Strategies, run_all
from lpmanager.backtest.markets.gas_prices import only_price
from lpmanager.backtest.replay.terms import Terms
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.sweep.windows import Window
from lpmanager.errors import UsageError
from lpmanager.model import PoolKey
from lpmanager.rebalancer.economics import WALLET_GAS


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """All that results depend on, beside the strategies and which rows they run over."""

    rows: FastRows
    variance_rates: Numbers
    conditions: Conditions

    def solve(self, strategies: Strategies, jobs: Jobs) -> Numbers:
        """The results of jobs, a row for each; other threads may run meanwhile."""
        return run_all(self.rows, jobs, strategies, self.variance_rates, self.conditions)

    def digest(self, *more: object) -> str:
        """A hash of the problem and of more, which is arrays or texts."""
        found = sha256()
        for part in (*self.rows, self.variance_rates, *self.conditions, *more):
            found.update(np.ascontiguousarray(part).tobytes())
        return found.hexdigest()


def jobs_of(strategies: int, windows: Sequence[Window]) -> Jobs:
    """Every strategy in every window: all windows of the first strategy, then of the next."""
    cuts = [(window.first, window.last) for window in windows]
    return np.array([(number, *cut) for number in range(strategies) for cut in cuts], np.int64)


def conditions_of(pool: PoolKey, terms: Terms, min_interval_s: int) -> Conditions:
    """The terms of a backtest as the kernel takes them. Latency is left out.

    Raises UsageError where gas is paid and nothing prices the native coin, where gas has more than
    one price, and where a move of the price is to let a decision fall.
    """
    if terms.trigger_ticks is not None:
        raise UsageError(
            "--trigger-ticks: fast mode and sweeps decide by the time alone; leave it out, and "
            "decide more often by --every"
        )
    gas_price = only_price(terms.gas)
    if terms.native_price is not None:
        native_price = float(terms.native_price)
    elif terms.wrapped_native is not None:
        native_price = 1.0 if terms.wrapped_native == terms.quote else float("nan")
    elif gas_price == 0:
        native_price = 0.0
    else:
        raise UsageError("--native-price: missing; gas is paid, and nothing prices the native coin")
    gas = WALLET_GAS.by_kind
    raw0, raw1 = terms.deposit.raw
    return Conditions(
        deposit0=float(raw0),
        deposit1=float(raw1),
        quote_is_token0=terms.quote == pool.token0,
        every_s=terms.every_s,
        min_interval_s=min_interval_s,
        withdraw_gas=float(gas["withdraw"] * gas_price),
        swap_gas=float(gas["swap"] * gas_price),
        mint_gas=float(gas["mint"] * gas_price),
        native_price=native_price,
    )
