"""What strategies are worth: by which number they are ranked, in sample and out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from lpmanager.backtest.fast.strategy import FEES, HODL, LVR, START, VALUE
from lpmanager.backtest.report.run import Numbers
from lpmanager.backtest.sweep.windows import Window


class Objective(StrEnum):
    """What is to be as large as possible; amounts in quote tokens, after gas and all swaps."""

    AGAINST_HODL = "against_hodl"
    RESULT = "result"
    FEES_OVER_LVR = "fees_over_lvr"


def scores(results: Numbers, objective: Objective) -> Numbers:
    """The objective of each result (its last axis), in raw quote units where it is an amount.

    Where nothing was lost to arbitrage, because nothing stood, fees over LVR are 0.
    """
    if objective is Objective.AGAINST_HODL:
        found: Numbers = results[..., VALUE] - results[..., HODL]
    elif objective is Objective.RESULT:
        found = results[..., VALUE] - results[..., START]
    else:
        lost = results[..., LVR]
        found = np.divide(results[..., FEES], lost, out=np.zeros_like(lost), where=lost > 0)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """The best strategy of one window (`best`, its number), and what it made of the next.

    `in_sample` is its score in the window it was fitted on, `out_of_sample` in the next;
    `best_possible` the highest score of any strategy there, known only afterwards.
    """

    fitted: Window
    judged: Window
    best: int
    in_sample: float
    out_of_sample: float
    best_possible: float


def walk_forward(
    score: Numbers, windows: Sequence[Window], candidates: Sequence[Sequence[int]]
) -> tuple[Fold, ...]:
    """Fit on each window but the last, and judge on the next; `score` is (strategies, windows).

    `candidates` are the strategies that were tried when each window was fitted: none may be chosen
    because of a later one. Of equal strategies the first is the best.
    """
    folds = []
    for number in range(len(windows) - 1):
        best = max(candidates[number], key=lambda strategy: float(score[strategy, number]))
        folds.append(
            Fold(
                fitted=windows[number],
                judged=windows[number + 1],
                best=best,
                in_sample=float(score[best, number]),
                out_of_sample=float(score[best, number + 1]),
                best_possible=float(score[:, number + 1].max()),
            )
        )
    return tuple(folds)
