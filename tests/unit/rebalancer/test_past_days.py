"""What past days would have taken of a campaign: told, and asked before anything is placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import (
    BLOCK_TIME_S,
    USDC,
    WETH,
    a_limits,
    a_market,
    a_position,
    a_record,
    a_view,
    an_outlook,
)
from decisions import closed, gate
from order_flow_builders import a_flow, a_swap

from lpmanager.model import Decision, Hold, Plan, Token
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.assessment import Measure, assessment
from lpmanager.rebalancer.at_stake import stake_now
from lpmanager.rebalancer.day_of import past_days
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.risk.appetite import Appetite, WhereMissing
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import PricePath
from lpmanager.risk.stake import historical_results

DAY = 86_400
DAY_BLOCKS = DAY // BLOCK_TIME_S
TICK = 1_005
LEFT_BEHIND = a_position("[-600, 600)", token_id=7, liquidity=10**13)
#: The base token is token1: of a rise of the tick it falls.
CRASHED = [-1_000] * 10 + [TICK] * 11
CALM = [TICK] * 21


def after_days(ticks: Sequence[int], quote: Token = USDC) -> View:
    """A position whose range the price has left, and where the price stood at the end of each day
    before."""
    swaps = [a_swap(1 + DAY_BLOCKS * n, tick=tick) for n, tick in enumerate(ticks)]
    last = swaps[-1].block_number
    market = a_market(tick=ticks[-1], positions=(LEFT_BEHIND,), quote=quote)
    block = replace(market.block, number=last, timestamp=BLOCK_TIME_S * last)
    market = replace(
        market, block=block, read_at=block.timestamp, flow=a_flow(swaps, last_block=last)
    )
    return a_view(market, a_record((0, 0)), an_outlook())


def decided(view: View, *, history_s: int = 3_600, **appetite: object) -> Decision:
    limits = a_limits(history_s=history_s, appetite=Appetite(**appetite))
    return decide("mine", view, FixedWidth(half_width_ticks=600), limits)


def days_of(view: View) -> tuple[float, ...]:
    days = past_days(view)
    assert not isinstance(days, Missing)
    return days


def told(view: View, history: PricePath | None = None) -> dict[str, Measure]:
    return {one.name: one for one in assessment(view, a_limits(), history)}


def test_a_day_that_was_too_dear_refuses_a_range_that_a_model_of_calm_days_allows() -> None:
    """All else of the two markets is the same: position, price, and the volatility of now."""
    limit = Fraction(1, 20)
    plan = decided(after_days(CALM), max_cvar=limit)
    assert isinstance(plan, Plan)
    assert gate(plan, "CVaR of past days").passed
    held = decided(after_days(CRASHED), max_cvar=limit)
    assert isinstance(held, Hold)
    assert closed(held) == ["CVaR of past days"]
    assert gate(held, "CVaR of past days").reason.endswith("on the hour in 20 past days")
    assert gate(held, "CVaR of a day") == gate(plan, "CVaR of a day")


def test_a_past_that_nobody_asked_for_closes_nothing_and_says_what_it_needs() -> None:
    short = after_days(CRASHED[1:])
    plan = decided(short, max_cvar=Fraction(1, 20), history_s=20 * DAY - 1)
    assert isinstance(plan, Plan)
    assert "CVaR of past days" not in {each.name for each in plan.gates}
    left_out = gate(plan, "CVaR of a day").reason
    assert "past days are left out: " in left_out
    assert "20 days (limits.history_s) at least, found 19.0 days" in left_out
    for name in ("value at risk, historical", "CVaR, historical"):
        missing = told(short)[name].value
        assert isinstance(missing, Missing)
        assert "20 days (limits.history_s) at least, found 19.0 days" in missing.reason


def test_a_past_that_the_history_was_set_for_is_required() -> None:
    short = after_days(CRASHED[1:])
    asked = {"max_cvar": Fraction(1, 20), "history_s": 20 * DAY}
    held = decided(short, **asked)
    assert isinstance(held, Hold)
    assert closed(held) == ["CVaR of past days"]
    assert gate(held, "CVaR of past days").measured == "unknown"
    assert "at least, found 19.0 days" in gate(held, "CVaR of past days").reason
    plan = decided(short, where_missing=WhereMissing.IGNORE, **asked)
    assert isinstance(plan, Plan)
    assert "past days are left out: " in gate(plan, "CVaR of a day").reason
    assert "left out" not in gate(decided(after_days(CALM), **asked), "CVaR of a day").reason


def test_a_past_that_is_a_moment_too_short_is_not_told_as_long_enough() -> None:
    """Swaps of a history of 20 days begin a block after its beginning at the earliest."""
    almost = after_days(CALM[1:])
    flow = almost.snapshot.flow
    assert flow is not None
    almost = replace(
        almost, snapshot=replace(almost.snapshot, flow=replace(flow, seconds=20 * DAY - 60))
    )
    missing = past_days(almost)
    assert isinstance(missing, Missing)
    assert "found 19.9 days" in missing.reason


def test_the_worst_of_past_days_is_told_beside_the_simulated_one() -> None:
    view = after_days(CRASHED)
    found = told(view)
    (fall,) = {round(day, 9) for day in days_of(view) if day}
    (lost,) = historical_results(stake_now(view, an_outlook()), [fall], DAY)
    assert fall == pytest.approx(-0.2005, abs=1e-4)
    assert found["CVaR, historical"].value == pytest.approx(-lost)
    # eleven days are the tail, and the fall is in all that began in the day before it
    assert found["value at risk, historical"].value == pytest.approx(-lost)
    assert found["CVaR, historical"].value > found["CVaR"].value
    assert "20 past days" in found["CVaR, historical"].meaning


def test_a_longer_history_than_the_views_is_looked_at_where_there_is_one() -> None:
    view = after_days(CALM[:3])
    prices = [-0.2] * 20 + [0.0] * 30
    now = view.snapshot.block.timestamp
    times = [now - DAY * n for n in range(50)][::-1]
    found = told(view, PricePath(tuple(times), tuple(prices)))
    assert "49 past days" in found["CVaR, historical"].meaning
    assert found["CVaR, historical"].value > 0


@pytest.mark.parametrize(("quote", "way"), [(USDC, -1), (WETH, 1)])
def test_a_rise_of_the_one_token_is_a_fall_of_the_other(quote: Token, way: int) -> None:
    (moved,) = {round(day, 9) for day in days_of(after_days(CRASHED, quote)) if day}
    assert moved * way > 0.2
