"""What a change is expected to earn and to cost, by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from builders import a_market, a_view, an_outlook

from lpmanager.model import Liquidity, TickRange
from lpmanager.rebalancer.economics import expected_fees, gas_cost

HOUR = 3600
EVERYWHERE = TickRange(-800_000, 800_000)


def test_fees_are_the_rate_for_the_time_in_range() -> None:
    view = a_view(a_market())
    still = replace(an_outlook(), fee_rate0=2.0, fee_rate1=0.0, variance_rate=0.0)
    others = Liquidity(view.snapshot.state.liquidity)
    placed = [(EVERYWHERE, Liquidity(1))]
    fees = expected_fees(view, still, placed, others, HOUR)
    assert float(fees) == pytest.approx(2.0 * HOUR * _worth_of_token0(view), rel=1e-6)


def test_what_we_add_dilutes_the_rate() -> None:
    view = a_view(a_market())
    still = replace(an_outlook(), variance_rate=0.0)
    others = Liquidity(view.snapshot.state.liquidity)
    alone = expected_fees(view, still, [(EVERYWHERE, Liquidity(1))], others, HOUR)
    as_large = expected_fees(view, still, [(EVERYWHERE, others)], others, HOUR)
    assert float(as_large) == pytest.approx(float(alone) * others / 2, rel=1e-6)


def test_a_range_the_price_never_visits_earns_nothing() -> None:
    view = a_view(a_market())
    still = replace(an_outlook(), variance_rate=0.0)
    away = [(TickRange(60_000, 60_600), Liquidity(10**12))]
    assert expected_fees(view, still, away, view.snapshot.state.liquidity, HOUR) == 0


def test_nobody_pays_a_pool_without_liquidity() -> None:
    view = a_view(a_market())
    assert expected_fees(view, an_outlook(), [], Liquidity(0), HOUR) == 0


def test_gas_is_priced_in_the_quote_token_and_never_guessed() -> None:
    snapshot = a_view(a_market()).snapshot
    assert snapshot.native_price is not None
    assert gas_cost(snapshot, 10**18) == snapshot.native_price.ratio * 10**18
    with pytest.raises(ValueError, match="no price of the native coin"):
        gas_cost(replace(snapshot, native_price=None), 1)


def _worth_of_token0(view: object) -> float:
    snapshot = view.snapshot  # type: ignore[attr-defined]
    return float(snapshot.price.value(snapshot.pool.amounts(1, 0)) or Fraction(0))
