"""Calibrations of which a test names what matters to it, and flows that go on after them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from builders import BLOCK_TIME_S, a_block, a_market
from order_flow_builders import a_swap

from lpmanager.model import Flow, Position, Snapshot
from lpmanager.risk.calibration.calibration import (
    NOT_LEARNED,
    Calibration,
    RegimeCalibration,
    ToxicityCalibration,
    VolatilityCalibration,
)
from lpmanager.risk.calibration.rules import Ewma, Rule
from lpmanager.risk.learned.toxic_share import ToxicityContest
from lpmanager.risk.missing import Missing
from lpmanager.risk.regimes.markov_model import MarkovSwitching
from lpmanager.risk.volatility.contest import Score
from lpmanager.risk.volatility.periods import Periods

HOUR_S = 3_600
STEP_S = 300
RULE = "the rule"
#: A volatility of 5 % in a square root of a day, as variance per second.
FIVE_PERCENT = 0.05**2 / 86_400
#: Turbulent returns of five minutes are three times as wide; both regimes last for hours.
TWO_REGIMES = MarkovSwitching(
    calm_variance=1e-6, turbulent_variance=9e-6, calm_stays=0.99, turbulent_stays=0.98
)


def a_calibration(
    made_at: int,
    *,
    rate: float = FIVE_PERCENT,
    rule: Rule | None = None,
    hours: int = 200,
    learned_rate: float | None = None,
    turbulent: float = 0.1,
    last_change: int | Missing | None = None,
    toxicity: ToxicityCalibration | Missing = NOT_LEARNED,
    changes_sought_s: int | Missing = 7 * 24 * HOUR_S,
) -> Calibration:
    """In which all hours had that variance rate, and a rule that believes them."""
    deviation = math.sqrt(rate * HOUR_S)
    return Calibration(
        made_at=made_at,
        volatility=VolatilityCalibration(
            scores=(Score(name="boosted trees", qlike=0.2), Score(name=RULE, qlike=0.3)),
            scored=300,
            rule_name=RULE,
            rule=rule or Ewma(decay=0.94),
            recent=Periods(
                period_s=HOUR_S,
                returns=(deviation,) * hours,
                variances=(rate * HOUR_S,) * hours,
            ),
            learned_rate=learned_rate,
        ),
        regimes=RegimeCalibration(model=TWO_REGIMES, step_s=STEP_S, turbulent=turbulent),
        last_change=last_change,
        toxicity=toxicity,
        changes_sought_s=changes_sought_s,
    )


def a_toxic_hour(begins: int, share: float, *, wins: bool = True) -> ToxicityCalibration:
    """In which that share of the volume should be toxic, by trees that beat the fading mean or do
    not."""
    return ToxicityCalibration(
        contest=ToxicityContest(
            learned=0.01 if wins else 0.03,
            ewma=0.02,
            scored=160,
            next_share=share,
            next_faded=0.5,
        ),
        begins=begins,
        period_s=HOUR_S,
    )


def a_snapshot_after(ticks: Iterable[int], *positions: Position) -> Snapshot:
    """The world with a swap every five minutes that left the price at these ticks, the last of them
    just now."""
    ticks = tuple(ticks)
    last, blocks = a_block(10**6), STEP_S // BLOCK_TIME_S
    market = a_market(tick=ticks[-1], positions=positions)
    first = last.number - blocks * (len(ticks) - 1)
    swaps = tuple(a_swap(first + blocks * place, tick=tick) for place, tick in enumerate(ticks))
    seconds = BLOCK_TIME_S * (last.number - first + 1)
    flow = Flow(from_block=first, seconds=seconds, swaps=swaps)
    return replace(market, block=last, read_at=last.timestamp, flow=flow)


def jumping(steps: int, size: int) -> list[int]:
    """Ticks that go up and down by that size in turn; they end at 0."""
    return [size * ((steps - place) % 2) for place in range(steps + 1)]
