"""The compiled policies, beside the classes that the live manager asks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from builders import a_market, a_position, a_record, a_view, an_outlook

from lpmanager.backtest.fast.policies import (
    good_ticks,
    stands,
    strategy_of,
    wanted_base,
    wanted_order,
)
from lpmanager.backtest.fast.positions import held
from lpmanager.errors import UsageError
from lpmanager.model import Position, Target, TickRange
from lpmanager.rebalancer import Policy
from lpmanager.rebalancer.policies import FixedWidth, Passive, VolatilityWidth

SPACING = 10
THIRD = Fraction(1, 3)
POLICIES: list[Policy] = [
    FixedWidth(half_width_ticks=600),
    FixedWidth(half_width_ticks=95, recentre_at=Fraction(1, 2)),
    FixedWidth(half_width_ticks=2 * 887272, recentre_at=THIRD),
    Passive(half_width_ticks=300, order_width_ticks=125),
    Passive(half_width_ticks=40, order_width_ticks=200, recentre_at=THIRD),
    VolatilityWidth(
        multiplier=Fraction(3, 2),
        horizon_s=86_400,
        min_half_width_ticks=30,
        max_half_width_ticks=900,
        recentre_at=Fraction(7, 10),
    ),
]


def target(
    policy: Policy, tick: int, positions: tuple[Position, ...], wallet: tuple[int, int], rate: float
) -> Target:
    view = a_view(
        a_market(tick=tick, positions=positions),
        a_record(wallet),
        an_outlook(variance_rate=rate),
    )
    return policy.target(view)


def some_range(random: np.random.Generator) -> TickRange:
    """Often of a width that some policy wants."""
    lower = int(random.integers(-80, 80)) * SPACING
    return TickRange(lower, lower + int(random.choice([1, 8, 13, 20, 40, 60, 120])) * SPACING)


@pytest.mark.parametrize("number", range(len(POLICIES)))
def test_a_compiled_policy_wants_what_its_twin_wants(number: int) -> None:
    policy, compiled = POLICIES[number], strategy_of(POLICIES[number])
    random, moved = np.random.default_rng(number), 0
    for _ in range(150):
        tick, rate = int(random.integers(-900, 900)), float(10 ** random.uniform(-10, -6))
        spans = [some_range(random) for _ in range(random.integers(0, 3))]
        positions = tuple(
            a_position(str(span), token_id=i, liquidity=10**14) for i, span in enumerate(spans)
        )
        raw0, raw1 = (int(x) for x in random.integers(1, 10**12, 2))
        twin = target(policy, tick, positions, (raw0, raw1), rate)
        ours = held(spans, [1e14] * len(spans))
        found = {w.range for w in twin.ranges}
        if stands(compiled, ours, tick):
            assert found == set(spans)
            continue
        moved += 1
        wanted = [TickRange(*wanted_base(compiled, tick, rate, SPACING))]
        if isinstance(policy, Passive):
            sides = (wanted_order(compiled, tick, SPACING, above) for above in (True, False))
            assert twin.ranges[1].range in [TickRange(*side) for side in sides]
            wanted.append(twin.ranges[1].range)
        assert [w.range for w in twin.ranges] == wanted
    assert moved > 20


@pytest.mark.parametrize("number", [0, 1, 3, 5])
def test_the_ticks_at_which_a_range_is_good_are_those_of_the_twin(number: int) -> None:
    policy, compiled = POLICIES[number], strategy_of(POLICIES[number])
    span = TickRange(-130, 100) if number == 1 else TickRange(-630, 600)
    first, behind = good_ticks(compiled, span.lower, span.upper)
    assert span.lower < first or number == 0
    for tick in (first - 1, first, (first + behind) // 2, behind - 1, behind):
        kept = target(policy, tick, (a_position(str(span)),), (10**9, 10**9), 1e-8)
        assert ([w.range for w in kept.ranges] == [span] and not kept.swap) is (
            first <= tick < behind
        )


def test_a_policy_that_is_not_compiled_is_refused_by_name() -> None:
    class Mine:
        def target(self, view: object) -> Target:
            raise NotImplementedError

    with pytest.raises(UsageError, match=r"the policy Mine is not compiled: .* only fixed_width"):
        strategy_of(Mine())


def test_a_share_of_too_many_digits_is_refused() -> None:
    share = Fraction(10**13 - 1, 10**13)
    with pytest.raises(UsageError, match="recentre_at: expected at most 12 decimals"):
        strategy_of(FixedWidth(half_width_ticks=1, recentre_at=share))
