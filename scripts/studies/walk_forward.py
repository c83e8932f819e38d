"""Every policy on a recorded market, its options chosen by one stretch of time and judged on the
next: scripts/studies/walk_forward.py MARKET [--stretch 7d] [the options of `lpm backtest`]

What is left over at the market's end, shorter than a stretch, is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated

import numpy as np
import typer

from lpmanager.backtest.replay.exact import backtest
from lpmanager.backtest.report.run import Run
from lpmanager.cli.by_hand import run_script
from lpmanager.cli.market_option import MarketOptions, open_market
from lpmanager.cli.option_groups import spread
from lpmanager.cli.option_texts import seconds
from lpmanager.cli.output import print_table
from lpmanager.cli.progress import progress_of
from lpmanager.cli.strategy_options import StrategyOptions, chains_of, strategy_of
from lpmanager.errors import UsageError
from lpmanager.rebalancer import make_policy

#: What is chosen from, by policy: widths and paces that a person might try.
CHOICES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "fixed_width": tuple((f"half_width_ticks={width}",) for width in (300, 600, 1200)),
    "inventory_skew": tuple((f"half_width_ticks={width}",) for width in (300, 600, 1200)),
    "passive": tuple(
        (f"half_width_ticks={width}", f"order_width_ticks={width // 2}")
        for width in (300, 600, 1200)
    ),
    "volatility_width": tuple(
        (
            f"multiplier={multiplier}",
            "horizon_s=86400",
            "min_half_width_ticks=200",
            "max_half_width_ticks=2000",
        )
        for multiplier in ("0.5", "1", "2")
    ),
    "predictable_loss": tuple(
        (f"move_cost={cost}", "min_half_width_ticks=200", "max_half_width_ticks=2000")
        for cost in ("0.003", "0.01", "0.03")
    ),
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a strategy made of some time, in whole quote tokens; `imbalance` is the mean over time
    of |2 w - 1|, w being the base token's share."""

    result: float
    hodl: float
    full_range: float
    imbalance: float
    moves: int
    halted: bool

    @property
    def against_hodl(self) -> float:
        """What the options are chosen by."""
        return self.result - self.hodl


@app.command()
@spread
def walk_forward(
    *,
    market: MarketOptions,
    strategy: StrategyOptions,
    stretch: Annotated[str, typer.Option("--stretch", help="How long each is.")] = "7d",
) -> None:
    length_s = seconds("--stretch", stretch)
    whole = open_market(market, chains_of(None))
    stretches = [
        replace(market, start=str(start), end=str(end))
        for start, end in pairwise(range(whole.market.first, whole.market.end + 1, length_s))
    ]
    if len(stretches) < 2:
        raise UsageError(
            f"--stretch: one stretch of {stretch} chooses, a second is to judge it by, and the "
            f"market has {len(stretches)}"
        )
    jobs = [
        (policy, options, each)
        for policy, choices in CHOICES.items()
        for options in choices
        for each in stretches
    ]
    made: dict[str, dict[tuple[str, ...], list[Stretch]]] = {policy: {} for policy in CHOICES}
    with progress_of("replaying", "stretches") as seen:
        for done, (policy, options, each) in enumerate(jobs, start=1):
            asked = replace(strategy, policy=policy, option=list(options))
            made[policy].setdefault(options, []).append(_replayed(each, asked))
            seen(done, len(jobs))
    judged = {policy: judge(list(tried.values())) for policy, tried in made.items()}
    any_run = next(iter(judged.values()))
    print_table(
        f"{len(stretches) - 1} stretches of {stretch}, with the options best on the one before, "
        f"in {whole.quote.symbol}",
        ("policy", "result", "against HODL", "imbalance", "moves", "halts"),
        [
            *(_row(policy, found) for policy, found in judged.items()),
            ("HODL", f"{sum(s.hodl for s in any_run):+,.0f}", "", "", "", ""),
            ("full range", f"{sum(s.full_range for s in any_run):+,.0f}", "", "", "", ""),
        ],
    )


def judge(tried: list[list[Stretch]]) -> list[Stretch]:
    """Of each stretch but the first, what the options made that were best on the one before.

    `tried` has the stretches of each choice of options.
    """
    count = len(tried[0])
    chosen = [max(tried, key=lambda of: of[at].against_hodl) for at in range(count - 1)]
    return [of[at] for at, of in enumerate(chosen, start=1)]


def _replayed(market: MarketOptions, options: StrategyOptions) -> Stretch:
    opened = open_market(market, chains_of(None))
    strategy = strategy_of(options, None, opened)
    table = strategy.table
    policy = make_policy(table.policy, table.options)
    limits = table.limits_for(opened.chain, opened.quote)
    return _stretch(backtest(opened.market, strategy.terms, policy, limits, lambda _rows: None))


def _stretch(run: Run) -> Stretch:
    curve = run.curve
    imbalance = np.average(np.abs(2 * curve.weight[:-1] - 1), weights=np.diff(curve.time))
    return Stretch(
        result=float(curve.value[-1] - curve.value[0]),
        hodl=float(curve.hodl[-1] - curve.hodl[0]),
        full_range=float(curve.full_range[-1] - curve.full_range[0]),
        imbalance=float(imbalance),
        moves=len(run.moves),
        halted=run.halted is not None,
    )


def _row(policy: str, found: list[Stretch]) -> tuple[str, ...]:
    return (
        policy,
        f"{sum(each.result for each in found):+,.0f}",
        f"{sum(each.against_hodl for each in found):+,.0f}",
        f"{sum(each.imbalance for each in found) / len(found):.2f}",
        str(sum(each.moves for each in found)),
        str(sum(each.halted for each in found)),
    )


if __name__ == "__main__":
    run_script(app, "walk_forward.py")
