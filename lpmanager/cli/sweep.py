"""`lpm sweep`: many strategies over one recorded market, fitted on one window and judged on the
next."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.campaigns import INTERRUPTED
from lpmanager.cli.extras import require_backtest
from lpmanager.cli.market_option import MarketOptions, OpenMarket, open_market
from lpmanager.cli.option_groups import spread
from lpmanager.cli.options import AsJson
from lpmanager.cli.progress import progress_of
from lpmanager.cli.strategy_options import (
    Strategy,
    StrategyOptions,
    chains_of,
    own_chains,
    settings_of,
    strategy_of,
)
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.backtest.sweep.axes import Axis, Point
    from lpmanager.backtest.sweep.sweeping import Plan, Sweep
    from lpmanager.backtest.sweep.working import Workers
    from lpmanager.rebalancer import Policy

Grid = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUES",
        help="Try an option of the policy with these values: 100,200,400 or FROM:TO:STEP; "
        "repeatable, and all combinations are run.",
    ),
]
Optimize = Annotated[
    int | None,
    typer.Option(
        metavar="TRIALS", min=1, help="Search the grid by so many trials a window instead."
    ),
]
Windows = Annotated[
    int,
    typer.Option(
        min=1,
        help="Windows of equal time; each but the last is fitted, and the next judges. 1: none.",
    ),
]
Goal = Annotated[str, typer.Option("--objective", help="against_hodl, result or fees_over_lvr.")]
Threads = Annotated[
    int | None, typer.Option(min=1, help="How many run side by side; all the processors.")
]
Ray = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Run on the machines of a ray cluster instead; local makes one of this machine.",
    ),
]
Keep = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Keep what is done here, and go on from it the next time."),
]
Seed = Annotated[int, typer.Option(min=0, help="Of --optimize.")]
Top = Annotated[int, typer.Option(min=1, help="How many strategies to print.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOptions:
    """What is tried, and how, in a person's words."""

    grid: Grid = None
    optimize: Optimize = None
    windows: Windows = 5
    objective: Goal = "against_hodl"
    threads: Threads = None
    ray: Ray = None
    keep: Keep = None
    seed: Seed = 1
    top: Top = 10


@spread
def sweep(
    *,
    market: MarketOptions,
    strategy: StrategyOptions,
    options: SweepOptions,
    as_json: AsJson = False,
) -> None:
    """Run every combination of a policy's options over a recorded market, in fast mode.

    The market is cut into windows. The best strategy of each is judged on the next one, which it
    was not fitted on: that is the figure to believe. Fast mode asks the policy and the pause
    between moves only; run what it prefers by `lpm backtest`.
    """
    require_backtest()
    from lpmanager.cli.output import print_json
    from lpmanager.cli.sweep_words import sweep_json, tell

    try:
        opened, plan, swept = _swept(market, strategy, options)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(sweep_json(opened, plan, swept))
    else:
        tell(opened, plan, swept, options.top)


def _swept(
    market_options: MarketOptions, strategy_options: StrategyOptions, options: SweepOptions
) -> tuple[OpenMarket, Plan, Sweep]:
    from lpmanager.backtest.sweep.axes import axes_from
    from lpmanager.backtest.sweep.problem import conditions_of
    from lpmanager.backtest.sweep.sweeping import sweep as run

    axes = axes_from(options.grid or ())
    if not axes:
        raise UsageError("--grid: missing; say what to try, as in --grid half_width_ticks=100,200")
    workers = _workers(options)
    settings = settings_of(strategy_options)
    opened = open_market(
        market_options, chains_of(settings), lambda: own_chains(strategy_options.config)
    )
    strategy = strategy_of(_with_first(strategy_options, axes), settings, opened)
    limits = strategy.table.limits_for(opened.chain, opened.quote)
    plan = _plan(options, axes, strategy)
    conditions = conditions_of(opened.market.pool, strategy.terms, limits.min_interval_s)
    with progress_of("sweeping", "runs") as seen:
        swept = run(opened.market, plan, conditions, limits.history_s, workers, seen)
    return opened, plan, swept


def _workers(options: SweepOptions) -> Workers:
    """Threads of this machine, or a cluster. Raises LpmError where ray is not installed."""
    from lpmanager.backtest.sweep.working import Threads as OnThreads

    if options.ray is None:
        return OnThreads(count=options.threads or os.cpu_count() or 1)
    from lpmanager.backtest.sweep.on_ray import LOCAL, OnRay

    if options.threads is not None and options.ray != LOCAL:
        raise UsageError(
            f"--threads: the cluster at {options.ray} knows its own processors; leave it out"
        )
    return OnRay(address=options.ray, cpus=options.threads)


def _with_first(options: StrategyOptions, axes: Sequence[Axis]) -> StrategyOptions:
    """The campaign with the first value of every swept option: what it has to hold is checked."""
    first = [f"{axis.name}={axis.values[0]}" for axis in axes]
    return replace(options, option=[*(options.option or ()), *first])


def _plan(options: SweepOptions, axes: tuple[Axis, ...], strategy: Strategy) -> Plan:
    from lpmanager.backtest.sweep.judging import Objective
    from lpmanager.backtest.sweep.sweeping import Plan, Search
    from lpmanager.rebalancer import make_policy

    if options.objective not in set(Objective):
        raise UsageError(
            f"--objective: expected one of {', '.join(Objective)}, found {options.objective!r}"
        )
    if options.keep is not None and not options.keep.parent.is_dir():
        raise UsageError(f"--keep: there is no folder {options.keep.parent}")
    name, told = strategy.table.policy, strategy.table.options

    def policy_of(point: Point) -> Policy:
        return make_policy(name, {**told, **point})

    return Plan(
        axes=axes,
        policy_of=policy_of,
        windows=options.windows,
        objective=Objective(options.objective),
        search=None
        if options.optimize is None
        else Search(trials=options.optimize, seed=options.seed),
        kept=options.keep,
    )
