"""What leaning against the inventory does on recorded days: less of it, and no swaps paid for."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from market_builders import POLYGON_FIVE_DAYS, needs_data

from lpmanager.backtest.replay.exact import backtest
from lpmanager.backtest.report.run import Run
from lpmanager.cli.market_option import MarketOptions, OpenMarket, open_market
from lpmanager.cli.strategy_options import StrategyOptions, chains_of, strategy_of
from lpmanager.rebalancer import make_policy


@cache
def five_days() -> OpenMarket:
    named = MarketOptions(market=POLYGON_FIVE_DAYS, pair="USDC/WETH", fee="0.05%", chain="polygon")
    return open_market(named, chains_of(None))


def replayed(policy: str) -> Run:
    told = StrategyOptions(
        policy=policy,
        option=["half_width_ticks=100"],
        limit=["max_gas_per_day=5", "max_swap_cost_per_day=10000"],
        value="100000",
        gas_gwei="50",
        native_price="0.8",
    )
    market = five_days()
    strategy = strategy_of(told, None, market)
    table = strategy.table
    return backtest(
        market.market,
        strategy.terms,
        make_policy(table.policy, table.options),
        table.limits_for(market.chain, market.quote),
        lambda _rows: None,
    )


def mean_imbalance(run: Run) -> float:
    """Over time, of half of the value in either token."""
    imbalance = np.abs(2 * run.curve.weight - 1)
    return float(np.average(imbalance[:-1], weights=np.diff(run.curve.time)))


@pytest.mark.realdata
@needs_data
def test_the_range_that_leans_holds_far_less_inventory_without_a_swap() -> None:
    """A third less, on days that nothing was chosen by, in ranges that the price often leaves."""
    fixed, leaning = replayed("fixed_width"), replayed("inventory_skew")
    assert mean_imbalance(leaning) < mean_imbalance(fixed) * 2 / 3
    assert leaning.result["swap_cost"] == 0
    assert len(leaning.moves) > len(fixed.moves)
