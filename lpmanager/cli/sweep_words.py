"""A sweep told to a person, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from lpmanager.backtest.fast.strategy import (
    DEPLOYED_S,
    FEES,
    GAS,
    HODL,
    IN_RANGE_S,
    LVR,
    MOVES,
    START,
    SWAP_COST,
    VALUE,
)
from lpmanager.backtest.fast.told.run import LEFT_OUT
from lpmanager.backtest.report.account import drift_words
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.sweep.axes import Point
from lpmanager.backtest.sweep.judging import Fold, Objective
from lpmanager.backtest.sweep.sweeping import Plan, Sweep
from lpmanager.backtest.sweep.windows import Window
from lpmanager.cli.market_option import OpenMarket
from lpmanager.cli.output import console, print_table
from lpmanager.model import Token

_AMOUNTS = {
    "value": VALUE,
    "start": START,
    "hodl": HODL,
    "fees": FEES,
    "lvr": LVR,
    "swap_cost": SWAP_COST,
    "gas": GAS,
}
_WHOLE = {"moves": MOVES, "in_range_s": IN_RANGE_S, "deployed_s": DEPLOYED_S}


def tell(opened: OpenMarket, plan: Plan, swept: Sweep, top: int) -> None:
    """Print the walk forward, then the ranking."""
    out, quote = console(), opened.quote
    runs = swept.score.size
    out.print(f"{opened.market.name}: {len(swept.points):,} strategies", style="bold", markup=False)
    out.print(
        f"{runs:,} runs over {swept.rows:,} rows in {len(swept.windows)} windows; "
        f"{_unit(plan.objective, quote)}",
        markup=False,
    )
    out.print()
    if swept.folds:
        _tell_folds(plan, swept, quote)
    else:
        out.print("One window: nothing was held back to judge by, so all is in sample.")
    out.print()
    best = swept.ranking[:top]
    print_table(
        "The best over all windows, in sample",
        ("strategy", "mean score", "worst", "moves", "in range"),
        [_ranked(plan, swept, quote, number) for number in best],
    )
    for sentence in (*opened.market.notes, LEFT_OUT, drift_words(swept.drift)):
        out.print(f"- {sentence}", markup=False)


def sweep_json(opened: OpenMarket, plan: Plan, swept: Sweep) -> dict[str, Any]:
    """All of it as JSON values, every strategy with what it did in each window; amounts in whole
    quote tokens."""
    quote = opened.quote
    return {
        "market": opened.market.name,
        "quote": quote.symbol,
        "objective": plan.objective.value,
        "rows": swept.rows,
        "windows": [_window_json(window) for window in swept.windows],
        "walk_forward": [_fold_json(plan, swept, quote, fold) for fold in swept.folds],
        "ranking": [
            {
                "options": _point_json(swept.points[number]),
                "mean_score": _scored(plan, quote, float(swept.score[number].mean())),
                "windows": [
                    {"score": _scored(plan, quote, float(score)), **_result_json(result, quote)}
                    for score, result in zip(
                        swept.score[number], swept.results[number], strict=True
                    )
                ],
            }
            for number in swept.ranking
        ],
        "drift": asdict(swept.drift),
        "notes": [*opened.market.notes, LEFT_OUT],
    }


def _tell_folds(plan: Plan, swept: Sweep, quote: Token) -> None:
    rows = [
        (
            _span(fold.judged),
            _point(swept.points[fold.best]),
            _score(plan, quote, fold.in_sample),
            _score(plan, quote, fold.out_of_sample),
            _score(plan, quote, fold.best_possible),
        )
        for fold in swept.folds
    ]
    means = [
        sum(values) / len(swept.folds)
        for values in zip(
            *((f.in_sample, f.out_of_sample, f.best_possible) for f in swept.folds), strict=True
        )
    ]
    rows.append(("mean", "", *(_score(plan, quote, mean) for mean in means)))  # type: ignore[arg-type]
    print_table(
        "Fitted on one window, judged on the next",
        ("judged", "fitted strategy", "in sample", "out of sample", "in hindsight"),
        rows,
    )


def _ranked(plan: Plan, swept: Sweep, quote: Token, number: int) -> Sequence[str]:
    results, score = swept.results[number], swept.score[number]
    deployed = results[:, DEPLOYED_S].sum()
    return (
        _point(swept.points[number]),
        _score(plan, quote, float(score.mean())),
        _score(plan, quote, float(score.min())),
        f"{results[:, MOVES].sum():,.0f}",
        f"{results[:, IN_RANGE_S].sum() / deployed:.0%}" if deployed else "never deployed",
    )


def _unit(objective: Objective, quote: Token) -> str:
    return {
        Objective.AGAINST_HODL: f"scored by {quote.symbol} earned beyond HODL, after all costs",
        Objective.RESULT: f"scored by {quote.symbol} earned, after all costs",
        Objective.FEES_OVER_LVR: "scored by fees for each unit lost to arbitrage",
    }[objective]


def _scored(plan: Plan, quote: Token, score: float) -> float:
    whole = plan.objective is not Objective.FEES_OVER_LVR
    return score / 10**quote.decimals if whole else score


def _score(plan: Plan, quote: Token, score: float) -> str:
    return f"{_scored(plan, quote, score):,.2f}"


def _point(point: Point) -> str:
    return " ".join(f"{name}={value}" for name, value in point.items())


def _span(window: Window) -> str:
    start, end = (datetime.fromtimestamp(time, UTC) for time in (window.start, window.end))
    return f"{start:%m-%d %H:%M} .. {end:%m-%d %H:%M}"


def _point_json(point: Point) -> dict[str, str]:
    return {name: str(value) for name, value in point.items()}


def _window_json(window: Window) -> dict[str, int]:
    return {"start": window.start, "end": window.end, "rows": window.last - window.first}


def _fold_json(plan: Plan, swept: Sweep, quote: Token, fold: Fold) -> dict[str, Any]:
    return {
        "fitted": _window_json(fold.fitted),
        "judged": _window_json(fold.judged),
        "options": _point_json(swept.points[fold.best]),
        "in_sample": _scored(plan, quote, fold.in_sample),
        "out_of_sample": _scored(plan, quote, fold.out_of_sample),
        "best_possible": _scored(plan, quote, fold.best_possible),
    }


def _result_json(result: Numbers, quote: Token) -> dict[str, float | int]:
    scale = 10**quote.decimals
    amounts = {name: float(result[column]) / scale for name, column in _AMOUNTS.items()}
    return {**amounts, **{name: int(result[column]) for name, column in _WHOLE.items()}}
