"""Rounded for people, exact for programs."""

from __future__ import annotations

from fractions import Fraction

import pytest
from builders import USDC, WETH, a_pool, amounts, price_at

from lpmanager.cli.words import (
    both_text,
    exact,
    exact_both,
    moment,
    money,
    number,
    percent,
    price_unit,
    prices_between,
    share_text,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(1_234_567_891, 1_000), "1,234,567.89"),
        (Fraction(9_999_999, 1_000_000), "10.0000"),
        (Fraction(-1, 3), "-0.33333333"),
        (Fraction(1, 2), "0.5"),
        (Fraction(1, 10**9), "1.0e-09"),
    ],
)
def test_small_numbers_keep_more_decimals(value: Fraction, text: str) -> None:
    assert number(value) == text


def test_money_is_in_whole_tokens_with_its_symbol() -> None:
    assert money(Fraction(1_500_000), USDC) == "1.5000 USDC"
    assert both_text(amounts(2_000_000_000, 10**18)) == "2,000.00 USDC + 1.0000 WETH"


def test_exact_amounts_lose_no_digit() -> None:
    assert exact(Fraction(1, 2), USDC) == "0.0000005"
    assert exact_both(amounts(1, 10**18 + 1)) == {
        "USDC": "0.000001",
        "WETH": "1.000000000000000001",
    }


def test_what_is_unknown_is_not_shown_as_a_number() -> None:
    assert percent(None) == "-"
    assert share_text(None) is None


def test_shares() -> None:
    assert percent(Fraction(1, 3)) == "33.333%"
    assert share_text(Fraction(-1, 3)) == "-0.333333333333"


def test_prices_are_told_lower_first_in_either_quote() -> None:
    pool = a_pool()
    for quote in (USDC, WETH):
        low, high = prices_between(pool, quote, price_at(-100), price_at(100))
        assert low < high
    assert price_unit(pool.price(USDC, price_at(0))) == "USDC per WETH"


def test_times_are_utc() -> None:
    assert moment(1_704_412_800) == "2024-01-05 00:00:00 UTC"
