"""The gates of a campaign's appetite for risk: asked of estimates, and only where it gives a limit.

A gate whose estimate cannot be made is closed, or open where the appetite ignores that.
"""

from __future__ import annotations

import math

from lpmanager.model import Gate, Mint
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.day_of import day_words, variance_ahead
from lpmanager.rebalancer.economics import fee_rate
from lpmanager.rebalancer.judging import Asked, judged, pause_gate
from lpmanager.rebalancer.regime import change_gates, regime_gates
from lpmanager.rebalancer.soundness import REACH, AttackCost, concentration, twap_attack_cost
from lpmanager.rebalancer.staying import stay_chance
from lpmanager.rebalancer.toxic_gates import toxic_gates
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.jumps import search_for_jump
from lpmanager.risk.limits import Limits
from lpmanager.risk.lvr import break_even_fee_rate, fee_to_lvr
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.vpin import BUCKETS, MINIMUM_SWAPS, signed_volumes, vpin
from lpmanager.risk.price_path import path_of
from lpmanager.risk.search import Search
from lpmanager.risk.tomorrow import HORIZON_S


def placing_gates(view: View, outlook: Outlook | Missing, limits: Limits) -> tuple[Gate, ...]:
    """What is asked of the market before anything is placed."""
    appetite = limits.appetite
    return (
        *_attack(view, limits),
        *_concentration(view, appetite),
        *_pay(view, outlook, appetite),
        *toxic_gates(view, appetite),
        *_vpin(view, appetite),
        *_jump(view, appetite),
        *change_gates(view, appetite),
        *regime_gates(view, appetite),
    )


def stay_gates(
    view: View, outlook: Outlook, candidate: Candidate, appetite: Appetite
) -> tuple[Gate, ...]:
    """Of the new ranges that hold the price; an order beside it waits for the price to come."""
    least, tick = appetite.min_stay_probability, view.snapshot.state.tick
    minted = [action.range for action in candidate.actions if isinstance(action, Mint)]
    around = [tick_range for tick_range in minted if tick in tick_range]
    if least is None or not around:
        return ()
    asked = Asked(
        "stay",
        f"{float(least):.1%}",
        f"chance that the price stays in the new range for a day, {day_words(appetite)}",
    )
    narrowest = min(around, key=lambda tick_range: tick_range.width)
    rate = variance_ahead(view, outlook, appetite, HORIZON_S)
    chance = rate if isinstance(rate, Missing) else stay_chance(tick, narrowest, rate)
    return judged(asked, chance, lambda found: (found >= least, f"{found:.1%}"), appetite)


def places_anything(candidate: Candidate) -> bool:
    """Whether the candidate puts tokens into a range."""
    return any(isinstance(action, Mint) for action in candidate.actions)


def pay_of(view: View, outlook: Outlook) -> float | Missing:
    """Fees over LVR of a unit of the liquidity that is active now."""
    active = view.snapshot.state.liquidity
    if active == 0:
        return Missing("fees over LVR needs active liquidity, found 0")
    lvr = break_even_fee_rate(math.sqrt(view.snapshot.price.ratio), outlook.variance_rate)
    return fee_to_lvr(fee_rate(view, outlook, active), lvr)


def vpin_of(view: View) -> float | Missing:
    """VPIN of the newer half of the flow's volume, in as many buckets as the authors take."""
    flow = view.snapshot.flow
    if flow is None:
        return Missing("VPIN needs recent swaps, and none were read")
    if len(flow.swaps) < MINIMUM_SWAPS:
        return Missing(
            f"VPIN needs {MINIMUM_SWAPS} swaps, found {len(flow.swaps)} in the last "
            f"{flow.seconds} s"
        )
    volumes = signed_volumes(flow)
    traded = math.fsum(map(abs, volumes))
    if traded <= 0:
        return Missing("VPIN needs volume, found 0")
    return vpin(volumes, traded / (2 * BUCKETS))


def jump_of(view: View) -> Search | Missing:
    """How long ago the price last jumped in the snapshot's flow."""
    path = path_of(view.snapshot)
    return path if isinstance(path, Missing) else search_for_jump(path)


def _pay(view: View, outlook: Outlook | Missing, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.min_fee_to_lvr
    if limit is None:
        return ()
    asked = Asked(
        "fees over LVR",
        f"{float(limit):.2f}",
        "what a unit of active liquidity is paid over what arbitrage takes from it",
    )
    ratio = outlook if isinstance(outlook, Missing) else pay_of(view, outlook)
    return judged(asked, ratio, lambda found: (found >= limit, f"{found:.2f}"), appetite)


def _attack(view: View, limits: Limits) -> tuple[Gate, ...]:
    least = limits.appetite.min_twap_attack_cost
    if least is None:
        return ()
    asked = Asked(
        "TWAP attack",
        f"{float(least):.2f} times",
        f"what moving the mean of {limits.twap_window_s} s by {limits.max_twap_deviation_ticks} "
        "ticks costs at least, over the campaign's value",
    )

    def judge(found: AttackCost) -> tuple[bool, str]:
        return found.times_value >= least, f"{found.times_value:.2f} times"

    return judged(asked, twap_attack_cost(view, limits), judge, limits.appetite)


def _concentration(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_concentration
    if limit is None:
        return ()
    asked = Asked(
        "concentration",
        f"{float(limit):.1%}",
        f"of the liquidity within {REACH:.0%} of the price: 5% is even, 100% all in one place",
    )
    found = concentration(view.snapshot)
    return judged(asked, found, lambda share: (share <= limit, f"{share:.1%}"), appetite)


def _vpin(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    limit = appetite.max_vpin
    if limit is None:
        return ()
    asked = Asked("VPIN", f"{float(limit):.1%}", "one-sidedness of the newest volume")
    return judged(asked, vpin_of(view), lambda found: (found <= limit, f"{found:.1%}"), appetite)


def _jump(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    pause = appetite.pause_after_jump_s
    if pause is None:
        return ()
    asked = Asked("jump", f"{pause} s", "time since the price last jumped")
    return pause_gate(asked, jump_of(view), pause, appetite)
