"""Quotes that would be free money are found, and the right one of them goes."""

from __future__ import annotations

import math
from datetime import date, timedelta

import pytest
import QuantLib as ql

from lpmanager.risk.heston.arbitrage import CheckedChain, without_arbitrage
from lpmanager.risk.heston.chain import Terms, read_chain

TERMS = Terms(as_of=date(2024, 1, 5), spot=100.0)
SMILE = {80: 0.72, 90: 0.66, 100: 0.62, 110: 0.63, 120: 0.66}


def row(days: int, strike: float, volatility: float, kind: str = "call") -> str:
    return f"{TERMS.as_of + timedelta(days)},{strike},{kind},{volatility},"


def surface(*days: int) -> list[str]:
    return [row(each, strike, v) for each in days for strike, v in SMILE.items()]


def checked(rows: list[str], terms: Terms = TERMS) -> CheckedChain:
    lines = ["expiry,strike,type,volatility,price", *rows]
    return without_arbitrage(read_chain(lines, terms, "a chain"))


def gone(rows: list[str]) -> list[tuple[int, str]]:
    return [(each.line, each.reason.split(":")[0]) for each in checked(rows).dropped]


def test_a_sound_surface_stays_as_it_is() -> None:
    found = checked(surface(20, 60))
    assert found.dropped == ()
    assert [each.volatility for each in found.quotes] == [*SMILE.values(), *SMILE.values()]


@pytest.mark.parametrize(
    ("line", "wrong"), [(3, 0.3), (3, 0.9), (4, 0.3), (4, 0.9), (5, 0.3), (5, 0.9), (6, 1.2)]
)
def test_one_wrong_volatility_among_sound_ones_is_the_one_that_goes(
    line: int, wrong: float
) -> None:
    rows = surface(20)
    rows[line - 2] = row(20, list(SMILE)[line - 2], wrong)
    assert gone(rows) == [(line, "arbitrage")]


def test_a_call_that_costs_more_at_a_higher_strike_goes() -> None:
    rows = [*surface(20), row(20, 130, 1.2)]
    assert gone(rows) == [(7, "arbitrage")]


def test_a_later_expiry_with_less_variance_goes() -> None:
    rows = [*surface(60), row(61, 100, 0.5)]
    found = checked(rows)
    assert [each.line for each in found.dropped] == [7]
    assert "earlier expiry" in found.dropped[0].reason


@pytest.mark.parametrize(
    ("kind", "strike", "price"),
    [("call", 90, 9.9), ("call", 90, 100.0), ("put", 110, 10.0), ("put", 110, 110.0)],
)
def test_a_price_outside_its_bounds_goes(kind: str, strike: float, price: float) -> None:
    rows = [f"{TERMS.as_of + timedelta(30)},{strike},{kind},,{price}"]
    (dropped,) = checked(rows).dropped
    assert "is not in" in dropped.reason


def test_a_price_becomes_the_volatility_that_gives_it() -> None:
    terms = Terms(as_of=TERMS.as_of, spot=100.0, rate=0.05)
    years = 73 / 365
    discount = math.exp(-0.05 * years)
    forward = 100 / discount
    rows = []
    for kind, strike, side in (("put", 90, ql.Option.Put), ("call", 115, ql.Option.Call)):
        price = ql.blackFormula(side, strike, forward, 0.6 * years**0.5, discount)
        rows.append(f"{TERMS.as_of + timedelta(73)},{strike},{kind},,{price!r}")
    found = checked(rows, terms)
    assert found.dropped == ()
    assert [each.volatility for each in found.quotes] == pytest.approx([0.6, 0.6], abs=1e-6)


def test_of_two_sides_of_a_strike_the_one_out_of_the_money_stays() -> None:
    rows = [row(20, 90, 0.66), row(20, 90, 0.66, "put"), row(20, 110, 0.63, "put")]
    found = checked([*rows, row(20, 110, 0.63)])
    assert [each.quote.line for each in found.quotes] == [3, 5]
    assert all("in the money" in each.reason for each in found.dropped)


def test_the_same_option_twice_counts_once() -> None:
    found = checked([row(20, 110, 0.63), row(20, 110, 0.64)])
    assert [each.quote.line for each in found.quotes] == [2]
    assert found.dropped[0].reason == "the option of line 2 again"
