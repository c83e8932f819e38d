"""The gates that look at the market: each opens and closes exactly at its limit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import a_limits, a_market, an_outlook

from lpmanager.risk.guards import head_age, history, market_gates, native_price, twap_deviation
from lpmanager.risk.missing import Missing


@pytest.mark.parametrize(
    ("age", "passed"), [(0, True), (60, True), (61, False), (-60, True), (-61, False)]
)
def test_a_head_is_fresh_up_to_its_limit_either_way(age: int, passed: bool) -> None:
    market = a_market()
    read = replace(market, read_at=market.block.timestamp + age)
    gate = head_age(read, a_limits(max_head_age_s=60))
    assert gate.passed is passed
    assert (gate.measured, gate.limit) == (f"{age} s", "60 s")


@pytest.mark.parametrize(
    ("mean", "passed"), [(0, True), (100, True), (-100, True), (101, False), (-101, False)]
)
def test_a_price_may_be_off_its_mean_up_to_the_limit(mean: int, passed: bool) -> None:
    gate = twap_deviation(a_market(twap_tick=mean), a_limits(max_twap_deviation_ticks=100))
    assert gate.passed is passed
    assert gate.measured == f"{abs(mean)} ticks"


def test_without_a_mean_the_gate_is_closed_and_says_how_to_get_one() -> None:
    gate = twap_deviation(replace(a_market(), twap=None), a_limits())
    assert not gate.passed
    assert gate.measured == "no history"
    assert "increaseObservationCardinalityNext" in gate.reason


def test_missing_data_closes_a_gate() -> None:
    assert history(an_outlook()).passed
    assert not history(Missing("none were read")).passed
    assert history(Missing("none were read")).reason == "none were read"
    assert native_price(a_market()).passed
    assert not native_price(replace(a_market(), native_price=None)).passed


def test_a_calm_fresh_market_passes_every_gate() -> None:
    gates = market_gates(a_market(), an_outlook(), a_limits())
    assert [gate.name for gate in gates] == ["head age", "TWAP", "history", "price of gas"]
    assert all(gate.passed for gate in gates)
