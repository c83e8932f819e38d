"""Whether a market's price can be that of the declared pair: token order and decimals.

What a token is worth in dollars lies within wide bounds for as long as pools of it exist. A pair
declared the wrong way round, or with wrong decimals, misses them by many orders of magnitude.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lpmanager.errors import MarketDataError
from lpmanager.model import PoolKey, Token

#: Decimals that tokens usually have.
_USUAL_DECIMALS = (6, 8, 18)
_LOG10_TICK = math.log10(1.0001)


@dataclass(frozen=True, slots=True)
class _Worth:
    """Bounds of what one whole token is worth, in dollars."""

    low: float
    high: float


_DOLLAR = _Worth(0.5, 2.0)
_ETHER = _Worth(50.0, 50_000.0)
_BITCOIN = _Worth(2_000.0, 1_000_000.0)
_POL = _Worth(0.02, 10.0)
_BNB = _Worth(20.0, 10_000.0)

_FAMILIES = (
    (_DOLLAR, "USD USDC USDT DAI FRAX LUSD BUSD TUSD USDP GUSD PYUSD SUSD CRVUSD GHO USDE USDS"),
    (_DOLLAR, "USDBC USDC.E USDCE USDT0 AXLUSDC WXDAI XDAI"),
    (_ETHER, "ETH WETH WETH.E STETH WSTETH RETH CBETH WEETH"),
    (_BITCOIN, "BTC WBTC WBTC.E TBTC CBBTC BTCB RENBTC"),
    (_POL, "POL WPOL MATIC WMATIC"),
    (_BNB, "BNB WBNB"),
)
_WORTH = {symbol: worth for worth, symbols in _FAMILIES for symbol in symbols.split()}


def is_dollar(token: Token) -> bool:
    """Whether a token is known to be worth about a dollar."""
    return _WORTH.get(token.symbol.upper()) is _DOLLAR


def check_price(pool: PoolKey, tick: int) -> str | None:
    """A note where the price at a tick of the pool could not be judged; None where it is plausible.

    Raises MarketDataError where it cannot be the pair's as declared, but could with the tokens the
    other way round, or with other usual decimals, and says which.
    """
    unknown = [t.symbol for t in (pool.token0, pool.token1) if t.symbol.upper() not in _WORTH]
    if unknown:
        return (
            f"Token order and decimals were not checked against the price: nothing is known of "
            f"what {' and '.join(unknown)} cost(s)."
        )
    if _is_plausible(pool.token0, pool.token1, tick):
        return None
    price = f"tick {tick} is {_price_text(pool.token0, pool.token1, tick)}"
    other = _likeliest(pool, tick)
    if other is None:
        return f"Check the file: {price}, which no usual order and decimals of the tokens explain."
    would_be = _price_text(other.token0, other.token1, tick)
    raise MarketDataError(
        f"{pool}: {price}, which is not plausible; {other.remedy} it is {would_be}: declare the "
        "pool so, or give its own file"
    )


@dataclass(frozen=True, slots=True)
class _Declaration:
    """Another declaration of a pair, and how to say it."""

    token0: Token
    token1: Token
    remedy: str


def _is_plausible(token0: Token, token1: Token, tick: int) -> bool:
    low, high = _bounds(token0, token1)
    return low <= _log10_price(token0, token1, tick) <= high


def _likeliest(pool: PoolKey, tick: int) -> _Declaration | None:
    """The plausible declaration with the fewest changes, nearest to the middle of its bounds."""

    def off_middle(other: _Declaration) -> float:
        middle = sum(_bounds(other.token0, other.token1)) / 2
        return abs(_log10_price(other.token0, other.token1, tick) - middle)

    for others in (_swapped(pool), _one_changed(pool), _both_changed(pool)):
        plausible = [o for o in others if _is_plausible(o.token0, o.token1, tick)]
        if plausible:
            return min(plausible, key=off_middle)
    return None


def _bounds(token0: Token, token1: Token) -> tuple[float, float]:
    """Of the logarithm of the price in whole tokens."""
    worth0, worth1 = _WORTH[token0.symbol.upper()], _WORTH[token1.symbol.upper()]
    return math.log10(worth0.low / worth1.high), math.log10(worth0.high / worth1.low)


def _log10_price(token0: Token, token1: Token, tick: int) -> float:
    """Of whole token1 for one whole token0."""
    return tick * _LOG10_TICK + token0.decimals - token1.decimals


def _price_text(token0: Token, token1: Token, tick: int) -> str:
    """The price of the token that is worth more, such as "2,258.1 USDC per WETH"."""
    log10 = _log10_price(token0, token1, tick)
    base, quote = (token0, token1) if log10 >= 0 else (token1, token0)
    price = 10.0 ** abs(log10)
    shown = f"{price:,.6g}" if price < 1e6 else f"{price:.3g}"
    return f"{shown} {quote.symbol} per {base.symbol}"


def _swapped(pool: PoolKey) -> Iterator[_Declaration]:
    round_ = f"with the tokens the other way round ({pool.token1.symbol} as token0)"
    yield _Declaration(pool.token1, pool.token0, round_)


def _one_changed(pool: PoolKey) -> Iterator[_Declaration]:
    token0, token1 = pool.token0, pool.token1
    for decimals in _USUAL_DECIMALS:
        other0, other1 = replace(token0, decimals=decimals), replace(token1, decimals=decimals)
        for token, left, right in ((token0, other0, token1), (token1, token0, other1)):
            said = f"with {decimals} decimals of {token.symbol}, not {token.decimals},"
            yield _Declaration(left, right, said)


def _both_changed(pool: PoolKey) -> Iterator[_Declaration]:
    for decimals0 in _USUAL_DECIMALS:
        for decimals1 in _USUAL_DECIMALS:
            token0 = replace(pool.token0, decimals=decimals0)
            token1 = replace(pool.token1, decimals=decimals1)
            said = f"{decimals0} decimals of {token0.symbol} and {decimals1} of {token1.symbol}"
            yield _Declaration(token0, token1, f"with {said}")
            yield _Declaration(token1, token0, f"with the tokens the other way round and {said}")
