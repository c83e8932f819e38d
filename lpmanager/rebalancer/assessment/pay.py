"""Whether a campaign is paid for its risk: fees against what the flow takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from lpmanager.model import Snapshot
from lpmanager.model.units import YEAR_S, duration
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.assessment.senders import sender_measures
from lpmanager.rebalancer.economics import fee_rate
from lpmanager.rebalancer.efficiency_gates import gas_to_fees_so_far
from lpmanager.rebalancer.risk_gates import pay_of, vpin_of
from lpmanager.rebalancer.soundness import seconds_per_block
from lpmanager.rebalancer.toxic_gates import learned_toxic_share
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.implied_volatility import annual_volatility, implied_variance_rate
from lpmanager.risk.lvr import arbitrage_probability, lvr_rate
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.just_in_time import just_in_time
from lpmanager.risk.order_flow.markouts import markouts
from lpmanager.risk.order_flow.pool_share import pool_share
from lpmanager.risk.order_flow.toxicity import HALF_LIFE_S, toxicity
from lpmanager.risk.stake import Stake

T = TypeVar("T")

_PIPS = 1_000_000


def pay_measures(view: View, outlook: Outlook, stake: Stake) -> tuple[Measure, ...]:
    """Fees, LVR, and the quality of the flow that pays them."""
    snapshot = view.snapshot
    pay, active, found = pay_of(view, outlook), snapshot.state.liquidity, markouts(snapshot)
    toxic = found if isinstance(found, Missing) else toxicity(found)
    return (
        _measure("fees", _fees_a_year(stake), Unit.A_YEAR, "of the value, while in range"),
        _measure(
            "LVR", _lvr_a_year(stake, outlook), Unit.A_YEAR, "of the value, what arbitrage takes"
        ),
        _measure(
            "LVR after fees and blocks",
            _lvr_kept_a_year(view, outlook, stake),
            Unit.A_YEAR,
            "of the value, what arbitrage keeps of that at this fee and time between blocks",
        ),
        _measure("fees over LVR", pay, Unit.RATIO, "of any active liquidity"),
        _measure(
            "implied volatility",
            _either(_implied_variance_rate(view, outlook), annual_volatility),
            Unit.PER_YEAR,
            "at which fees would just pay for LVR",
        ),
        _measure(
            "implied over realised",
            _either(pay, math.sqrt),
            Unit.RATIO,
            "that, over the volatility that is: the root of fees over LVR",
        ),
        _measure(
            "toxic flow",
            _either(toxic, lambda found: found.toxic_share),
            Unit.SHARE,
            "of volume: swaps that cost more than their fee, at the pool's price 5 minutes later",
        ),
        _measure(
            "learned toxic flow",
            learned_toxic_share(view),
            Unit.SHARE,
            "of this hour's volume, as calibrated; makes max_toxic_share stricter, never looser",
        ),
        _measure(
            "markout",
            _either(toxic, lambda found: found.markout + found.fee),
            Unit.SHARE,
            "of volume: what providers made of it, with the fee, at the pool's price in 5 minutes; "
            f"what is {duration(HALF_LIFE_S)} old counts half",
        ),
        _measure("VPIN", vpin_of(view), Unit.SHARE, "one-sidedness of the newest volume"),
        _measure("just-in-time", _just_in_time(snapshot), Unit.SHARE, "of volume, an estimate"),
        _measure(
            "our share",
            pool_share(snapshot.positions, snapshot.state.tick, active),
            Unit.SHARE,
            "of the active liquidity",
        ),
        _measure("gas over fees", gas_to_fees_so_far(view), Unit.SHARE, "since the campaign began"),
        *sender_measures(snapshot, found),
    )


def _fees_a_year(stake: Stake) -> float | Missing:
    value, active = stake.value(stake.sqrt_price), _active(stake)
    if value <= 0:
        return Missing("the campaign holds nothing")
    return stake.fee_rate * active * YEAR_S / value


def _lvr_a_year(stake: Stake, outlook: Outlook) -> float | Missing:
    value = stake.value(stake.sqrt_price)
    if value <= 0:
        return Missing("the campaign holds nothing")
    lost = sum(
        lvr_rate(
            liquidity=held.liquidity,
            sqrt_price=stake.sqrt_price,
            sqrt_lower=held.sqrt_lower,
            sqrt_upper=held.sqrt_upper,
            variance_rate=outlook.variance_rate,
        )
        for held in stake.ranges
    )
    return lost * YEAR_S / value


def _lvr_kept_a_year(view: View, outlook: Outlook, stake: Stake) -> float | Missing:
    snapshot, lost = view.snapshot, _lvr_a_year(stake, outlook)
    block_s = seconds_per_block(snapshot)
    if isinstance(lost, Missing) or isinstance(block_s, Missing):
        return lost if isinstance(lost, Missing) else block_s
    share = arbitrage_probability(
        fee=snapshot.pool.fee_pips / _PIPS, variance_rate=outlook.variance_rate, block_s=block_s
    )
    return _either(share, lambda found: lost * found)


def _implied_variance_rate(view: View, outlook: Outlook) -> float | Missing:
    active = view.snapshot.state.liquidity
    if active == 0:
        return Missing("implied volatility needs active liquidity, found 0")
    rate = fee_rate(view, outlook, active)
    return implied_variance_rate(rate, math.sqrt(view.snapshot.price.ratio))


def _active(stake: Stake) -> float:
    return sum(
        held.liquidity
        for held in stake.ranges
        if held.sqrt_lower <= stake.sqrt_price < held.sqrt_upper
    )


def _just_in_time(snapshot: Snapshot) -> float | Missing:
    if snapshot.flow is None:
        return Missing("just-in-time liquidity needs recent swaps, and none were read")
    return _either(just_in_time(snapshot.flow), lambda found: found.share)


def _either(found: T | Missing, value: Callable[[T], float]) -> float | Missing:
    return found if isinstance(found, Missing) else value(found)


def _measure(name: str, value: float | Missing, unit: Unit, meaning: str) -> Measure:
    return Measure(question=Question.PAY, name=name, value=value, unit=unit, meaning=meaning)
