"""Tokens and amounts of them. The only way a quantity of money travels through lpmanager."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal
from fractions import Fraction

UINT256_MAX = 2**256 - 1

#: Enough digits for any uint256 and its decimals; local, so no global context is touched.
_EXACT = Context(prec=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An ERC-20 token, or a chain's native coin (`address` is then `NATIVE`)."""

    chain_id: int
    address: str
    symbol: str
    decimals: int

    def __post_init__(self) -> None:
        if not 0 <= self.decimals <= 77:
            raise ValueError(f"{self.symbol}: decimals must be in [0, 77], found {self.decimals}")


#: The address written for a chain's own coin, which has no contract.
NATIVE = "native"


@dataclass(frozen=True, slots=True)
class Amount:
    """A signed number of a token's smallest units. Arithmetic across tokens raises ValueError."""

    token: Token
    raw: int

    def __post_init__(self) -> None:
        if not isinstance(self.raw, int):
            raise TypeError(f"raw units are an int, found {self.raw!r}")

    def _same(self, other: Amount) -> None:
        if self.token is not other.token and self.token != other.token:
            raise ValueError(f"cannot mix {self.token.symbol} with {other.token.symbol}")

    def __add__(self, other: Amount) -> Amount:
        self._same(other)
        return Amount(self.token, self.raw + other.raw)

    def __sub__(self, other: Amount) -> Amount:
        self._same(other)
        return Amount(self.token, self.raw - other.raw)

    def __neg__(self) -> Amount:
        return Amount(self.token, -self.raw)

    def __lt__(self, other: Amount) -> bool:
        self._same(other)
        return self.raw < other.raw

    def __le__(self, other: Amount) -> bool:
        self._same(other)
        return self.raw <= other.raw

    def __bool__(self) -> bool:
        raise TypeError("an Amount is not a truth value; compare its raw units")

    def to_decimal(self) -> Decimal:
        """The exact amount in whole tokens, for people."""
        return _EXACT.scaleb(Decimal(self.raw), -self.token.decimals)

    def __str__(self) -> str:
        return f"{self.to_decimal():,f} {self.token.symbol}"


def amount_from_text_down(token: Token, text: str) -> Amount:
    """Parse a person's decimal such as "1.5"; digits beyond the token's decimals are cut off.

    Raises ValueError where the text is not a finite decimal, or more than any token can count.
    """
    try:
        value = Decimal(text)
    except ArithmeticError as error:
        raise ValueError(f"{text!r} is not a decimal amount of {token.symbol}") from error
    if not value.is_finite() or abs(value) > UINT256_MAX:
        raise ValueError(f"{text!r} is not a possible amount of {token.symbol}")
    scaled = _EXACT.scaleb(value, token.decimals)
    return Amount(token, int(scaled.to_integral_value(rounding=ROUND_DOWN)))


@dataclass(frozen=True, slots=True)
class Amounts:
    """An amount of each of a pool's two tokens, in the pool's order."""

    amount0: Amount
    amount1: Amount

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(self.amount0 + other.amount0, self.amount1 + other.amount1)

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(self.amount0 - other.amount0, self.amount1 - other.amount1)

    def __neg__(self) -> Amounts:
        return Amounts(-self.amount0, -self.amount1)

    def __str__(self) -> str:
        return f"{self.amount0} + {self.amount1}"

    @property
    def raw(self) -> tuple[int, int]:
        """Both raw amounts, token0 first."""
        return self.amount0.raw, self.amount1.raw

    @property
    def is_zero(self) -> bool:
        return self.raw == (0, 0)


def decimal_text(value: Fraction) -> str:
    """A fraction whose decimal expansion ends, written out exactly ("-0.5", "12").

    Raises ValueError where the expansion does not end, rather than rounding in silence.
    """
    digits = 0
    denominator = value.denominator
    while denominator % 10 == 0:
        denominator //= 10
        digits += 1
    twos = fives = 0
    while denominator % 2 == 0:
        denominator //= 2
        twos += 1
    while denominator % 5 == 0:
        denominator //= 5
        fives += 1
    if denominator != 1:
        raise ValueError(f"{value} has no finite decimal expansion")
    digits += max(twos, fives)
    scaled = value.numerator * 10**digits // value.denominator
    sign, body = ("-" if scaled < 0 else ""), str(abs(scaled)).rjust(digits + 1, "0")
    if digits == 0:
        return sign + body
    return (sign + body[:-digits] + "." + body[-digits:]).rstrip("0").rstrip(".")
