"""Amounts of tokens: exact, and never mixed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from builders import USDC, WETH, a_token, amounts

from lpmanager.model import Amount, amount_from_text_down
from lpmanager.model.token import UINT256_MAX, decimal_text


@pytest.mark.parametrize(
    "mix",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a < b,
        lambda a, b: a <= b,
        lambda a, b: min(a, b),
    ],
)
def test_two_tokens_cannot_be_mixed(mix) -> None:
    with pytest.raises(ValueError, match=r"cannot mix (USDC|WETH) with (USDC|WETH)"):
        mix(Amount(USDC, 1), Amount(WETH, 1))


def test_a_token_of_another_chain_with_the_same_address_is_another_token() -> None:
    elsewhere = replace(USDC, chain_id=1)
    assert Amount(USDC, 1) != Amount(elsewhere, 1)
    with pytest.raises(ValueError, match="cannot mix"):
        Amount(USDC, 1) + Amount(elsewhere, 1)


def test_amounts_of_one_token_add_and_compare() -> None:
    assert Amount(USDC, 3) - Amount(USDC, 5) == Amount(USDC, -2)
    assert -Amount(USDC, -2) == Amount(USDC, 2)
    assert Amount(USDC, 1) < Amount(USDC, 2) <= Amount(USDC, 2)


def test_an_amount_is_never_a_float_nor_a_truth_value() -> None:
    with pytest.raises(TypeError, match="raw units are an int"):
        Amount(USDC, 1.0)
    with pytest.raises(TypeError, match="not a truth value"):
        bool(Amount(USDC, 0))


def test_a_token_with_impossible_decimals_is_refused() -> None:
    with pytest.raises(ValueError, match="decimals"):
        a_token(decimals=78)


def test_an_amount_reads_as_whole_tokens_to_the_last_digit() -> None:
    assert str(Amount(USDC, 1_234_567_890)) == "1,234.567890 USDC"
    assert Amount(WETH, 1).to_decimal() == Decimal("1e-18")
    assert Amount(a_token(decimals=77), UINT256_MAX).to_decimal().scaleb(0) * 10 == Decimal(
        UINT256_MAX
    ).scaleb(-76)


def test_what_a_person_writes_is_cut_at_the_tokens_decimals() -> None:
    assert amount_from_text_down(USDC, "1.5") == Amount(USDC, 1_500_000)
    assert amount_from_text_down(USDC, "0.0000019") == Amount(USDC, 1)
    assert amount_from_text_down(USDC, "-0.0000019") == Amount(USDC, -1)
    assert amount_from_text_down(WETH, "123456789.000000000000000001").raw == (
        123456789 * 10**18 + 1
    )


@pytest.mark.parametrize("text", ["", "one", "nan", "inf", "1,5", "1e400", "1e999999"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="amount of USDC"):
        amount_from_text_down(USDC, text)


def test_pairs_of_amounts_add_token_by_token() -> None:
    assert (amounts(1, 2) + amounts(3, 4)).raw == (4, 6)
    assert (amounts(1, 2) - amounts(3, 4)).raw == (-2, -2)
    assert (-amounts(1, 2)).raw == (-1, -2)
    assert amounts(0, 0).is_zero
    assert not amounts(0, 1).is_zero


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(12), "12"),
        (Fraction(100), "100"),
        (Fraction(-1, 2), "-0.5"),
        (Fraction(1, 8), "0.125"),
        (Fraction(1, 10**18), "0.000000000000000001"),
        (Fraction(123, 50), "2.46"),
        (Fraction(-7, 5**3), "-0.056"),
    ],
)
def test_a_fraction_is_written_out_to_its_last_digit(value: Fraction, text: str) -> None:
    assert decimal_text(value) == text


@pytest.mark.parametrize("value", [Fraction(1, 3), Fraction(1, 14), Fraction(5, 7 * 10**6)])
def test_a_fraction_whose_digits_never_end_is_refused(value: Fraction) -> None:
    with pytest.raises(ValueError, match="no finite decimal expansion"):
        decimal_text(value)
