"""What is read of an option chain, and what is said of the rest."""

from __future__ import annotations

import math
from datetime import date

import pytest

from lpmanager.errors import MarketDataError
from lpmanager.risk.heston.chain import Chain, Kind, Terms, read_chain

TERMS = Terms(as_of=date(2024, 1, 5), spot=100.0, rate=0.01)
HEADER = "expiry,strike,type,volatility,price,bid,ask,rate"


def chain(*rows: str, header: str = HEADER) -> Chain:
    return read_chain([header, *rows], TERMS, "chain.csv")


def reason(row: str) -> str:
    found = chain(row)
    assert found.quotes == ()
    (dropped,) = found.dropped
    assert dropped.line == 2
    return dropped.reason


def test_a_row_is_read_by_its_columns_whatever_their_order() -> None:
    (quote,) = chain("Put, 0.65 ,90,2024-02-04", header=" Type,Volatility,strike,expiry").quotes
    assert (quote.kind, quote.volatility, quote.strike, quote.days) == (Kind.PUT, 0.65, 90.0, 30)
    assert quote.rate == TERMS.rate
    assert quote.price is None


def test_a_price_comes_from_its_column_or_from_the_middle_of_bid_and_ask() -> None:
    quotes = chain(
        "2024-02-04,90,call,,12.5,12,13,", "2024-02-04,91,call,,,11,12,", "2024-02-04,92,call,,9,,,"
    ).quotes
    assert [quote.price for quote in quotes] == [12.5, 11.5, 9.0]


def test_a_volatility_goes_before_a_price_and_a_rate_of_its_own_before_that_of_all() -> None:
    (quote,) = chain("2024-02-04T08:00:00+00:00,90,call,0.7,12.5,,,0.05").quotes
    assert (quote.volatility, quote.price, quote.rate) == (0.7, None, 0.05)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2024-02-04,90,call,nan,,,,", "volatility is no finite number"),
        ("2024-02-04,90,call,,inf,,,", "price is no finite number"),
        ("2024-02-04,90,call,65%,,,,", "volatility is no number"),
        ("2024-02-04,90,call,65,,,,", "in percent"),
        ("2024-02-04,90,call,0,,,,", "must be positive"),
        ("2024-02-04,-1,call,0.6,,,,", "strike must be positive"),
        ("2024-02-04,90,straddle,0.6,,,,", "call or put"),
        ("4 Feb 2024,90,call,0.6,,,,", "a date like"),
        ("2024-01-06,90,call,0.6,,,,", "expires in 1 days"),
        ("2023-01-06,90,call,0.6,,,,", "expires in -364 days"),
        ("2024-02-04,90,call,,,13,12,", "crossed"),
        ("2024-02-04,90,call,,14,12,13,", "not between"),
        ("2024-02-04,90,call,,,12,,", "not both of bid and ask"),
        ("2024-02-04,90,call,0.6,,,,nan", "rate is no finite number"),
        ("2024-02-04,90", "call or put"),
    ],
)
def test_a_row_that_cannot_be_used_is_dropped_with_its_line_and_reason(row: str, says: str) -> None:
    assert says in reason(row)


def test_a_broken_row_leaves_the_others() -> None:
    found = chain("2024-02-04,90,call,nan,,,,", "2024-02-04,91,call,0.6,,,,")
    assert [quote.line for quote in found.quotes] == [3]
    assert [dropped.line for dropped in found.dropped] == [2]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("strike,type,price", "expiry"),
        ("expiry,strike,type,bid", "volatility, price, or bid and ask"),
        ("", "expiry; strike; type"),
    ],
)
def test_a_file_that_is_no_chain_is_an_error(header: str, says: str) -> None:
    with pytest.raises(MarketDataError, match=r"chain\.csv") as raised:
        chain(header=header)
    assert says in str(raised.value)


@pytest.mark.parametrize("rows", [[HEADER, "x" * 200_000], ["x" * 200_000]])
def test_a_file_that_is_no_csv_is_an_error(rows: list[str]) -> None:
    with pytest.raises(MarketDataError, match=r"chain\.csv: this is no CSV after line"):
        read_chain(rows, TERMS, "chain.csv")


@pytest.mark.parametrize(("spot", "rate"), [(0.0, 0.0), (math.nan, 0.0), (100.0, math.inf)])
def test_terms_that_cannot_be_are_refused(spot: float, rate: float) -> None:
    with pytest.raises(ValueError, match="found"):
        Terms(as_of=TERMS.as_of, spot=spot, rate=rate)
