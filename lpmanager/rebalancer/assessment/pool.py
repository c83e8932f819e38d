"""How sound the pool is: its oracle, and where its liquidity lies."""

from __future__ import annotations

from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.soundness import (
    REACH,
    concentration,
    oracle_reach,
    twap_attack_cost,
)
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing


def pool_measures(view: View, limits: Limits) -> tuple[Measure, ...]:
    """The cost of an attack on the mean price, how far back that is kept, and the concentration of
    the liquidity."""
    attack, slots = twap_attack_cost(view, limits), view.snapshot.oracle_slots
    kept = "its prices" if slots is None else f"room for {slots} prices"
    how = (
        f"lost at least on moving the mean of {limits.twap_window_s} s by "
        f"{limits.max_twap_deviation_ticks} ticks"
    )
    if not isinstance(attack, Missing):
        how += f": the price {attack.displaced_ticks:+.0f} ticks away for {attack.held_s:.0f} s"
    return (
        _measure(
            "TWAP attack cost",
            attack if isinstance(attack, Missing) else attack.quote,
            Unit.QUOTE,
            how,
        ),
        _measure(
            "TWAP attack over value",
            attack if isinstance(attack, Missing) else attack.times_value,
            Unit.RATIO,
            "that, over all that the campaign holds",
        ),
        _measure(
            "oracle reaches back",
            oracle_reach(view.snapshot),
            Unit.SECONDS,
            f"with {kept}, one of each block with swaps, once all is used; the mean "
            f"price is of {limits.twap_window_s} s",
        ),
        _measure(
            "concentration",
            concentration(view.snapshot),
            Unit.SHARE,
            f"of liquidity within {REACH:.0%} (Herfindahl): 5% is even, 100% all in one place",
        ),
    )


def _measure(name: str, value: float | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.MARKET, name=name, value=value, unit=unit, meaning=meaning)
