"""How fast exact mode, fast mode and sweeps are, beside demeter on the same minutes and range.

Run: make bench. demeter is installed into scripts/bench/.peers the first time; where it cannot be
had its rows are left out. Seconds are of CPU, the best of several runs.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
from side_by_side.cpu_time import ROUNDS, best_cpu_s
from side_by_side.peers import HERE, PeerAbsent, demeter_python
from side_by_side.swinging import ticks_of_minutes

from lpmanager.amm.fast.packing import from_limbs
from lpmanager.backtest.fast.accrual import NEVER, Until, accrue
from lpmanager.backtest.fast.columns import FastRows, fast_columns
from lpmanager.backtest.fast.policies import strategy_of
from lpmanager.backtest.fast.positions import held, nothing_earned
from lpmanager.backtest.fast.strategy import Conditions, run_all, table_of
from lpmanager.backtest.markets.gas_prices import FixedGasPrice
from lpmanager.backtest.markets.market import Bars, Market
from lpmanager.backtest.markets.synthetic import Setting, gbm
from lpmanager.backtest.replay.exact import backtest as replay
from lpmanager.backtest.replay.terms import Terms
from lpmanager.chain.presets import presets
from lpmanager.model import PoolKey, TickRange, Token
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.settings import CampaignTable

RESULTS = Path(__file__).parent / "results" / "backtest.txt"
LONG, DAYS = 2_000_000, 7
BEGINS = datetime(2022, 8, 1, tzinfo=UTC)
TICK, HALF_WIDTH, STRATEGIES = 201_000, 2_000, 64
VALUE0, VALUE1 = 5_000.0, 2.7
#: Python decides once a day, and where the price has moved so many ticks.
DAY_S, BAND = 86_400, 150


def minutes(count: int, seed: int = 1) -> Market:
    """Minutes of a price that swings around its beginning, with volume beside it."""
    random = np.random.default_rng(seed)
    path = TICK + ticks_of_minutes(random, count)
    in0, in1 = np.zeros((2, count, 2), np.uint64)
    in0[:, 0] = random.integers(10**9, 10**11, count)
    in1[:, 0] = random.integers(10**17, 9 * 10**18, count)
    liquidity = np.zeros((count, 2), np.uint64)
    liquidity[:, 0] = random.integers(4 * 10**17, 6 * 10**17, count)
    tokens = [
        Token(chain_id=137, address=f"0x{n:040x}", symbol=symbol, decimals=decimals)
        for n, (symbol, decimals) in enumerate((("USDC", 6), ("WETH", 18)), start=1)
    ]
    pool = PoolKey(
        address=f"0x{9:040x}", token0=tokens[0], token1=tokens[1], fee_pips=500, tick_spacing=10
    )
    bars = Bars(
        time=int(BEGINS.timestamp()) + 60 * np.arange(count),
        open=path[:, 0],
        low=path.min(axis=1),
        high=path.max(axis=1),
        close=path[:, -1],
        in0=in0,
        in1=in1,
        liquidity=liquidity,
        step_s=60,
    )
    return Market(name="minutes", chain_id=137, pool=pool, rows=bars, start=None, notes=())


def write_days(market: Market, folder: Path) -> None:
    """The market in the files that demeter reads, one a day."""
    bars = market.rows
    assert isinstance(bars, Bars)
    columns = (
        *(column.tolist() for column in (bars.close, bars.open, bars.low, bars.high)),
        *(from_limbs(rows) for rows in (bars.in0, bars.in1, bars.liquidity)),
    )
    rows = list(zip(*columns, strict=True))
    for day in range(DAYS):
        begins = BEGINS + timedelta(days=day)
        path = folder / f"polygon-0xpool-{begins:%Y-%m-%d}.minute.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(
                [
                    "timestamp",
                    "netAmount0",
                    "netAmount1",
                    "closeTick",
                    "openTick",
                    "lowestTick",
                    "highestTick",
                    "inAmount0",
                    "inAmount1",
                    "currentLiquidity",
                ]
            )
            for minute, row in enumerate(rows[1_440 * day : 1_440 * (day + 1)]):
                when = begins + timedelta(minutes=minute)
                writer.writerow([f"{when:%Y-%m-%d %H:%M:%S}", 0, 0, *row])


def conditions() -> Conditions:
    return Conditions(
        deposit0=VALUE0 * 1e6,
        deposit1=VALUE1 * 1e18,
        quote_is_token0=True,
        every_s=600,
        min_interval_s=600,
        withdraw_gas=0.0,
        swap_gas=0.0,
        mint_gas=0.0,
        native_price=0.0,
    )


def swaps(steps: int) -> Market:
    """Four swaps every 12 seconds, along a price that swings as that of the minutes does."""
    pool = minutes(1).pool
    setting = Setting(
        pool=pool,
        begins=int(BEGINS.timestamp()),
        step_s=12,
        tick=TICK,
        liquidity=10**19,
        noise0=10**10,
        noise1=10**18,
    )
    return gbm(setting, steps=steps, sigma=0.04, seed=1)


def replayed_rows_per_s(market: Market, every_s: int, trigger_ticks: int | None) -> float:
    """A campaign in exact mode, deciding by the `decide` of a live run."""
    chain, pool = presets()["polygon"], market.pool
    terms = Terms(
        deposit=pool.amounts(round(VALUE0 * 1e6), round(VALUE1 * 1e18)),
        quote=pool.token0,
        every_s=every_s,
        trigger_ticks=trigger_ticks,
        latency_blocks=1,
        block_s=chain.block_time_s,
        gas=FixedGasPrice(30 * 10**9),
        native=chain.native,
        native_price=Fraction(5 * 10**5, 10**18),
        wrapped_native=None,
    )
    table = CampaignTable.model_validate(
        {
            "pool": "0x45dDa9cb7c25131DF268515131f647d726f50608",
            "quote": "USDC",
            "policy": "fixed_width",
            "limits": {"max_swap_cost_per_day": "100"},
        }
    )
    policy, limits = FixedWidth(half_width_ticks=HALF_WIDTH), table.limits_for(chain, pool.token0)

    def run() -> None:
        if not replay(market, terms, policy, limits, lambda _: None).moves:
            raise RuntimeError("the campaign placed nothing, so nothing was measured")

    return len(market.rows) / best_cpu_s(run)


def strategy_rows_per_s(rows: FastRows, half_widths: list[int], repeat: int = 1) -> float:
    """Whole strategies: positions, decisions, swaps and costs."""
    policies = [FixedWidth(half_width_ticks=width) for width in half_widths * repeat]
    table, count = table_of([strategy_of(policy) for policy in policies]), len(rows.time)
    jobs = np.array([(number, 0, count) for number in range(len(policies))])
    unknown = np.full(count, np.nan)
    return len(jobs) * count / best_cpu_s(lambda: run_all(rows, jobs, table, unknown, conditions()))


def accrued_rows_per_s(rows: FastRows) -> float:
    """One open position and nothing else."""
    ours = held([TickRange(TICK - HALF_WIDTH, TICK + HALF_WIDTH)], [1e15])
    until = Until(len(rows.time), NEVER, NEVER, -NEVER, NEVER)
    return len(rows.time) / best_cpu_s(
        lambda: accrue(rows, 0, rows.start_price, until, True, ours, nothing_earned(1))
    )


def demeter_rows_per_s(market: Market) -> float:
    """demeter over a week of these minutes. Raises PeerAbsent."""
    with tempfile.TemporaryDirectory() as folder:
        write_days(market, Path(folder))
        script = HERE / "engines" / "demeter_minutes.py"
        lower, upper = TICK - HALF_WIDTH, TICK + HALF_WIDTH
        told = (folder, f"{BEGINS:%Y-%m-%d}", DAYS, lower, upper, VALUE0, VALUE1)
        done = subprocess.run(
            [demeter_python(), script, *map(str, told)],
            cwd=folder,
            env={**os.environ, "HOME": folder},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PeerAbsent((done.stderr.splitlines() or ["it says nothing"])[-1])
        found = json.loads(done.stdout.splitlines()[-1])
        return float(found["rows"]) / float(found["cpu_s"])


def lines() -> Iterator[str]:
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    yield f"fast mode on generated minutes; CPU time, best of {ROUNDS}; {today}"
    yield ""
    week, long = minutes(1_440 * DAYS), fast_columns(minutes(LONG))
    arrays = [column for column in long if isinstance(column, np.ndarray)]
    size = sum(column.nbytes for column in arrays) / LONG
    one = strategy_rows_per_s(long, [HALF_WIDTH])
    on_week = strategy_rows_per_s(fast_columns(week), [HALF_WIDTH], repeat=200)
    widths = [200 + 60 * number for number in range(STRATEGIES)]
    swept = strategy_rows_per_s(fast_columns(minutes(50_000)), widths)
    yield goal("one position, no decisions", accrued_rows_per_s(long), "rows/s", 10e6)
    yield goal("one compiled policy", one, "rows/s", 10e6)
    yield goal(f"sweep of {STRATEGIES} policies, one core", swept, "strategy-rows/s", 100e6)
    on_triggers = replayed_rows_per_s(minutes(200_000), DAY_S, BAND)
    yield goal("decide on triggers, minutes", on_triggers, "rows/s", 350_000)
    events = swaps(50_000)
    exact = replayed_rows_per_s(events, DAY_S, BAND)
    yield goal("exact mode, decide on triggers", exact, "events/s", 200_000)
    hourly = replayed_rows_per_s(events, 3_600, None)
    yield f"{'exact mode, decide every hour':36}{hourly:>16,.0f} events/s"
    yield f"{'memory':36}{size:>16,.0f} bytes/row        at most 100: {met(size <= 100)}"
    try:
        peer = demeter_rows_per_s(week)
    except PeerAbsent as reason:
        yield f"demeter 1.3.0 could not be had: {reason}"
        return
    yield f"{'demeter 1.3.0, the same week':36}{peer:>16,.0f} rows/s"
    yield goal("a compiled policy over that week", on_week / peer, "x as fast", 2_500)
    decided = replayed_rows_per_s(week, DAY_S, BAND)
    yield goal("decide on triggers over that week", decided / peer, "x as fast", 100)


def goal(name: str, figure: float, unit: str, least: float) -> str:
    return f"{name:36}{figure:>16,.0f} {unit:16} at least {least:,.0f}: {met(figure >= least)}"


def met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def main() -> None:
    text = "\n".join(lines()) + "\n"
    sys.stdout.write(text)
    RESULTS.write_text(text, encoding="utf-8")


main()
