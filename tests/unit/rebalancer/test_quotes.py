"""What a policy would quote, as the risk desk tells it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from builders import (
    NO_OUTLOOK,
    USDC,
    WETH,
    a_market,
    a_pool,
    a_position,
    a_record,
    a_view,
    an_outlook,
)

from lpmanager.rebalancer import Policy, View
from lpmanager.rebalancer.assessment import Unit
from lpmanager.rebalancer.assessment.quotes import quote_measures
from lpmanager.rebalancer.policies import FixedWidth, InventorySkew, PredictableLoss
from lpmanager.risk.missing import Missing

DAY = 86_400
FIVE_PERCENT = 0.05**2 / DAY
POOL = a_pool(USDC, WETH)
SKEW = InventorySkew(half_width_ticks=600)
LOSS = PredictableLoss(
    move_cost=Fraction(1, 100), min_half_width_ticks=50, max_half_width_ticks=5_000
)


def seen(base=USDC, q: float = 0.0, pays: float = 2.0, *held: str) -> View:
    """An imbalance of q, and fees of so many times what arbitrage takes, at a price of 1."""
    sides = tuple(round(10**12 * (1 + side)) for side in (q, -q))
    wallet = sides if base == USDC else sides[::-1]
    positions = tuple(a_position(text, liquidity=1) for text in held)
    market = a_market(positions=positions, pool=POOL, quote=WETH if base == USDC else USDC)
    outlook = an_outlook(fee_rate=pays * FIVE_PERCENT / 8, variance_rate=FIVE_PERCENT)
    return a_view(market, a_record(wallet, pool=POOL), outlook)


def told(view: View, policy: Policy) -> list[float | str | Missing]:
    found = quote_measures(view, policy)
    assert [one.name for one in found] == ["quote below", "quote above", "quote shift"]
    assert {one.unit for one in found} == {Unit.TICKS}
    return [one.value for one in found]


@pytest.mark.parametrize("base", [USDC, WETH])
def test_the_desk_tells_how_far_a_range_leans(base) -> None:
    """At 5 % a full inventory leans by its most, 900 ticks."""
    assert told(seen(base, 0.5), SKEW) == pytest.approx([1_500, 600, -450])
    assert told(seen(base, -1.0), SKEW) == pytest.approx([150, 1_950, 900])


@pytest.mark.parametrize("base", [USDC, WETH])
def test_the_desk_tells_the_width_that_is_best(base) -> None:
    policy = replace(LOSS, drift_per_day=Fraction(1, 100))
    below, above, shift = told(seen(base), policy)
    placed = policy.target(seen(base)).ranges[0].range
    sides = (-placed.lower, placed.upper) if base == USDC else (placed.upper, -placed.lower)
    assert [-(-side // 10) * 10 for side in (below, above)] == list(sides)
    assert shift == (above - below) / 2 > 0


def test_what_is_quoted_does_not_depend_on_the_range_that_stands() -> None:
    held = "[-1050, 1050)"
    for policy in (SKEW, LOSS):
        assert told(seen(USDC, 0.0, 2.0, held), policy) == told(seen(), policy)


def test_where_no_width_pays_the_desk_says_so() -> None:
    for missing in told(seen(pays=0.7), LOSS):
        assert isinstance(missing, Missing)
        assert "no width pays" in missing.reason


def test_a_still_price_has_no_best_width() -> None:
    still = replace(seen(), outlook=an_outlook(variance_rate=0.0))
    assert isinstance(told(still, LOSS)[0], Missing)


@pytest.mark.parametrize("policy", [SKEW, LOSS])
def test_without_an_outlook_nothing_is_quoted(policy: Policy) -> None:
    assert told(replace(seen(), outlook=NO_OUTLOOK), policy) == [NO_OUTLOOK] * 3


def test_beyond_its_limit_a_one_sided_policy_quotes_no_range() -> None:
    policy = replace(SKEW, max_imbalance=Fraction(1, 4), one_sided=True)
    assert told(seen(q=0.2), policy)[0] > 0
    assert isinstance(told(seen(q=0.3), policy)[0], Missing)


def test_a_policy_that_does_not_tell_has_no_rows() -> None:
    assert quote_measures(seen(), FixedWidth(half_width_ticks=600)) == ()
