"""Numbers and times in the words of a person, and exactly for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from lpmanager.model import Amount, Amounts, PoolKey, Price, SqrtPriceX96, Token
from lpmanager.model.token import decimal_text

#: Decimals shown of a number, by how large it is.
_SMALLEST = Fraction(1, 10**8)
_DECIMALS = ((1_000, 2), (1, 4), (0, 8))


def number(value: Fraction) -> str:
    """A rounded number, with thousands set apart. For people only."""
    if value == 0:
        return "0"
    if abs(value) < _SMALLEST:
        return f"{float(value):.1e}"
    places = next(places for least, places in _DECIMALS if abs(value) >= least)
    text = f"{Decimal(value.numerator) / Decimal(value.denominator):,.{places}f}"
    return text if abs(value) >= 1 else text.rstrip("0")


def money(value: Fraction, token: Token) -> str:
    """Raw units of a token, rounded, in whole tokens with its symbol. For people only."""
    return f"{number(value / 10**token.decimals)} {token.symbol}"


def amount_text(amount: Amount) -> str:
    """An amount, rounded, with its symbol. For people only."""
    return money(Fraction(amount.raw), amount.token)


def both_text(amounts: Amounts) -> str:
    """Both amounts of a pair, rounded. For people only."""
    return f"{amount_text(amounts.amount0)} + {amount_text(amounts.amount1)}"


def percent(share: Fraction | None) -> str:
    """A share in percent; a dash where it is unknown."""
    return "-" if share is None else f"{float(share):z.3%}"


def price_unit(price: Price) -> str:
    """What a price counts: "USDC per WETH"."""
    return f"{price.quote.symbol} per {price.base.symbol}"


def prices_between(
    pool: PoolKey, quote: Token, low: SqrtPriceX96, high: SqrtPriceX96
) -> tuple[Fraction, Fraction]:
    """Two prices of the pool in whole quote per whole base, the lower first."""
    one, other = (pool.price(quote, sqrt_price).per_whole for sqrt_price in (low, high))
    return min(one, other), max(one, other)


def moment(timestamp: int) -> str:
    """Unix seconds as a date and time in UTC."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def exact(value: Fraction, token: Token) -> str:
    """Raw units of a token as an exact decimal of whole tokens."""
    return decimal_text(value / 10**token.decimals)


def exact_amount(amount: Amount) -> str:
    """An amount as an exact decimal of whole tokens."""
    return exact(Fraction(amount.raw), amount.token)


def exact_both(amounts: Amounts) -> dict[str, str]:
    """Both amounts as exact decimals of whole tokens, by symbol."""
    return {
        amount.token.symbol: exact_amount(amount) for amount in (amounts.amount0, amounts.amount1)
    }


def share_text(share: Fraction | None) -> str | None:
    """A share cut to twelve decimals, or None where it is unknown."""
    return None if share is None else f"{Decimal(share.numerator) / share.denominator:.12f}"
