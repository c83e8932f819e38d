"""When a token is believed to be off its peg."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from lpmanager.risk.contagion.depeg import Peg, PegState, Reading, peg_state
from lpmanager.risk.missing import Missing

NOW = 1_700_000_000
PEG = Peg(token="USDC", against="USDT", value=1.0, tolerance=0.02, for_s=600)


def readings(*prices: float, every: int = 300) -> list[Reading]:
    """The last of them at NOW."""
    first = NOW - every * (len(prices) - 1)
    return [Reading(time=first + i * every, price=price) for i, price in enumerate(prices)]


def state(prices: list[Reading], peg: Peg = PEG) -> PegState:
    found = peg_state(prices, peg, NOW)
    assert isinstance(found, PegState)
    return found


def test_a_token_at_its_peg_holds() -> None:
    assert not state(readings(0.999, 1.001, 1.0)).failing


def test_a_token_that_stays_away_fails_below_as_above() -> None:
    below = state(readings(0.97, 0.95, 0.9))
    assert below.failing
    assert below.deviation == pytest.approx(-0.1)
    assert state(readings(1.03, 1.05, 1.1)).failing


def test_a_moment_away_is_no_failure_and_neither_is_a_return() -> None:
    assert not state(readings(1.0, 1.0, 0.9)).failing
    assert not state(readings(0.9, 0.9, 1.0)).failing
    assert not state(readings(0.9, 1.0, 0.9)).failing


def test_on_the_edge_of_its_tolerance_a_token_holds() -> None:
    assert not state(readings(0.5, 0.5, 0.5), replace(PEG, tolerance=0.5)).failing


def test_a_price_holds_until_the_next_reading() -> None:
    """The one before the window still held when it began."""
    before = Reading(time=NOW - 900, price=1.0)
    assert not state([before, *readings(0.9, 0.9)]).failing
    assert state([before, Reading(time=NOW - 600, price=0.9), *readings(0.9, 0.9)]).failing


def test_nothing_after_now_is_looked_at() -> None:
    later = [Reading(time=NOW + i, price=price) for i, price in enumerate((0.5, 9.0, math.nan), 1)]
    for each in (readings(0.9, 0.9, 0.9), readings(1.0, 1.0, 1.0)):
        assert state([*later, *each]) == state(each)


def test_prices_that_do_not_reach_back_are_missing() -> None:
    short = peg_state(readings(0.9, 0.9), PEG, NOW)
    none = peg_state([], PEG, NOW)
    assert short == Missing("the peg of USDC needs prices of the last 600 s; they reach back 300 s")
    assert none == Missing("the peg of USDC needs prices of the last 600 s; there are none")


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf])
def test_what_is_no_price_is_missing_and_named(price: float) -> None:
    found = peg_state(readings(1.0, price, 1.0), PEG, NOW)
    assert isinstance(found, Missing)
    assert "is no price" in found.reason


@pytest.mark.parametrize("wrong", [{"value": 0.0}, {"tolerance": 1.0}, {"for_s": -1}])
def test_a_peg_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="peg"):
        replace(PEG, **wrong)
