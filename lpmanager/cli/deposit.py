"""What a campaign starts with, as a person says it: so much of each token, or so much in value."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from lpmanager.errors import UsageError
from lpmanager.model import amount_from_text_down

if TYPE_CHECKING:
    from lpmanager.cli.market_option import OpenMarket
    from lpmanager.model import Amounts, PoolKey, Price, Token

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]\S*)")
_MORE_THAN_A_POOL_HOLDS = 2**128


def first_price(market: OpenMarket) -> Price:
    """The pool's price before the first decision."""
    from lpmanager.amm import sqrt_price_at_tick
    from lpmanager.amm.fast.packing import from_limbs
    from lpmanager.backtest.markets.market import Events
    from lpmanager.model import SqrtPriceX96

    rows, start = market.market.rows, market.market.start
    if start is not None:
        sqrt_price = start.sqrt_price_x96
    elif isinstance(rows, Events):
        sqrt_price = SqrtPriceX96(from_limbs(rows.sqrt_price[:1])[0])
    else:
        sqrt_price = sqrt_price_at_tick(int(rows.open[0]))
    return market.market.pool.price(market.quote, sqrt_price)


def budget_from(text: str) -> dict[str, str]:
    """Amounts by token, from "1000USDC,0.5WETH". Raises UsageError."""
    budget: dict[str, str] = {}
    for part in text.split(","):
        match = _AMOUNT.fullmatch(part.strip())
        if match is None:
            raise UsageError(
                f"--budget: {part.strip()!r}: expected an amount of each token, as in "
                "1000USDC,0.5WETH"
            )
        if match[2] in budget:
            raise UsageError(f"--budget: names {match[2]} twice")
        budget[match[2]] = match[1]
    return budget


def budgeted(pool: PoolKey, budget: Mapping[str, str]) -> Amounts:
    """A budget in the pool's tokens, rounded down; a token that is not named gets nothing.

    Raises UsageError.
    """
    raw: dict[Token, int] = {}
    for name, text in budget.items():
        token = pool.token_named(name)
        if token is None:
            raise UsageError(
                f"--budget: {name!r} is not one token of the pool; it holds {pool.token0.symbol} "
                f"and {pool.token1.symbol}"
            )
        if token in raw:
            raise UsageError(f"--budget: names {token.symbol} twice")
        raw[token] = _raw_down("--budget", token, text)
    return _checked(pool, raw, "--budget")


def split_down(market: OpenMarket, value: str, weight: Fraction, price: Price) -> Amounts:
    """A value in whole quote tokens as both tokens, `weight` of it in the base token, rounded down
    to their units. Raises UsageError."""
    if not 0 <= weight <= 1:
        raise UsageError(f"--target-weight: expected a share of 1, found {float(weight):g}")
    raw = _raw_down("--value", market.quote, value)
    split = {
        market.quote: math.floor(raw * (1 - weight)),
        market.base: math.floor(raw * weight / price.ratio),
    }
    return _checked(market.market.pool, split, "--value")


def _raw_down(option: str, token: Token, text: str) -> int:
    try:
        return amount_from_text_down(token, text).raw
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from error


def _checked(pool: PoolKey, raw: Mapping[Token, int], option: str) -> Amounts:
    if min(raw.values()) < 0 or not any(raw.values()):
        raise UsageError(f"{option}: expected more than 0 to start with")
    for token, amount in raw.items():
        if amount >= _MORE_THAN_A_POOL_HOLDS:
            raise UsageError(f"{option}: is more {token.symbol} than any pool can hold")
    return pool.amounts(raw.get(pool.token0, 0), raw.get(pool.token1, 0))
