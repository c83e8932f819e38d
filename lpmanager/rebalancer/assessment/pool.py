"""How sound the pool is: its oracle, and where its liquidity lies."""

from __future__ import annotations

from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.soundness import twap_attack_cost
from lpmanager.rebalancer.view import View
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import log_price
from lpmanager.risk.systems.concentration import concentration_of_prices
from lpmanager.risk.systems.liquidity_bands import bands_of

#: How far from the price the liquidity is looked at, in its natural log.
_REACH = 0.02


def pool_measures(view: View, limits: Limits) -> tuple[Measure, ...]:
    """The cost of an attack on the mean price, and the concentration of the liquidity."""
    attack, state = twap_attack_cost(view, limits), view.snapshot.state
    how = (
        f"lost on moving the mean of {limits.twap_window_s} s by "
        f"{limits.max_twap_deviation_ticks} ticks"
    )
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
            "concentration",
            concentration_of_prices(bands_of(state), log_price(state.sqrt_price_x96), _REACH),
            Unit.SHARE,
            f"of liquidity within {_REACH:.0%} (Herfindahl): 5% is even, 100% all in one place",
        ),
    )


def _measure(name: str, value: float | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.MARKET, name=name, value=value, unit=unit, meaning=meaning)
