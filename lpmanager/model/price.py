"""The price at which a report or a decision values tokens."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from lpmanager.model.tick import SqrtPriceX96
from lpmanager.model.token import Amount, Amounts, Token

Q96 = 2**96
Q192 = 2**192

#: Significant digits kept of a valuation price. 30 puts the rounding of a position worth 10**24
#: raw units below a millionth of one unit, and makes every value a decimal that ends, so that the
#: terms of a result add up by hand to the last digit printed.
PRICE_DIGITS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Raw units of `quote` for one raw unit of `base`, as an exact fraction."""

    base: Token
    quote: Token
    ratio: Fraction

    def __post_init__(self) -> None:
        if self.ratio <= 0:
            raise ValueError(f"a price must be positive, found {self.ratio}")

    def value(self, amounts: Amounts) -> Fraction:
        """What both amounts are worth, in raw units of the quote token. Exact."""
        parts = self._parts(amounts.amount0) + self._parts(amounts.amount1)
        return Fraction(parts, self.ratio.denominator)

    def value_of(self, amount: Amount) -> Fraction:
        """What one amount is worth, in raw units of the quote token. Exact."""
        return Fraction(self._parts(amount), self.ratio.denominator)

    @property
    def per_whole(self) -> Fraction:
        """Whole quote tokens for one whole base token, for people."""
        shift = self.base.decimals - self.quote.decimals
        scale: int = 10 ** abs(shift)
        return self.ratio * scale if shift >= 0 else self.ratio / scale

    def _parts(self, amount: Amount) -> int:
        """What one amount is worth, in parts of a raw quote unit: so many as the denominator of
        the ratio says. Sums of these need no common denominator."""
        if amount.token == self.quote:
            return amount.raw * self.ratio.denominator
        if amount.token == self.base:
            return amount.raw * self.ratio.numerator
        raise ValueError(
            f"no price of {amount.token.symbol} in {self.base.symbol}/{self.quote.symbol}"
        )


def spot_ratio(sqrt_price_x96: SqrtPriceX96) -> Fraction:
    """Raw token1 for one raw token0. Exact."""
    return Fraction(sqrt_price_x96 * sqrt_price_x96, Q192)


def valuation_price(
    token0: Token, token1: Token, quote: Token, sqrt_price_x96: SqrtPriceX96
) -> Price:
    """The pool's price, cut down to `PRICE_DIGITS` significant digits, in the quote token.

    Use it to value what is held. Warning: swap bounds use sqrtPriceX96 itself, never this.
    """
    if sqrt_price_x96 <= 0:
        raise ValueError("the pool is not initialized: sqrtPriceX96 is 0")
    if quote == token1:
        return Price(base=token0, quote=token1, ratio=_ratio_down(sqrt_price_x96, False))
    if quote == token0:
        return Price(base=token1, quote=token0, ratio=_ratio_down(sqrt_price_x96, True))
    raise ValueError(f"quote {quote.symbol} is neither {token0.symbol} nor {token1.symbol}")


@lru_cache(maxsize=1_024)
def _ratio_down(sqrt_price_x96: SqrtPriceX96, is_inverse: bool) -> Fraction:
    """The spot ratio, or one over it, cut down to `PRICE_DIGITS` significant digits. Books value
    the same deposits and swaps again and again, each at the price of its own time."""
    spot = spot_ratio(sqrt_price_x96)
    ratio = 1 / spot if is_inverse else spot
    numerator, denominator = ratio.numerator, ratio.denominator
    decimals = PRICE_DIGITS - len(str(numerator)) + len(str(denominator))
    if decimals < 0:
        scale = 10**-decimals
        return Fraction(numerator // (denominator * scale) * scale)
    scale = 10**decimals
    return Fraction(numerator * scale // denominator, scale)
