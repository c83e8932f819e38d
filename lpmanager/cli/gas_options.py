"""What gas costs in a backtest, as a person says it, and what it is worth in quote tokens."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from lpmanager.cli.market_option import OpenMarket, is_wrapped_coin
from lpmanager.cli.option_texts import decimal
from lpmanager.errors import UsageError
from lpmanager.model import Amount

if TYPE_CHECKING:
    from lpmanager.backtest.markets.gas_prices import GasPrices
    from lpmanager.backtest.replay.terms import Terms
    from lpmanager.model import Price, Token

_WEI_PER_GWEI = 10**9
_SHORT = Context(prec=3, rounding=ROUND_DOWN)


def gas_of(gwei: str | None, record: Path | None) -> GasPrices:
    """One price, in wei rounded up as it is paid, or a recorded one. Raises UsageError, and
    MarketDataError for a record that is wrong."""
    from lpmanager.backtest.markets.gas_file import read_gas_prices
    from lpmanager.backtest.markets.gas_prices import FixedGasPrice

    if gwei is not None and record is not None:
        raise UsageError("give --gas-gwei or --gas-prices, not both")
    if record is not None:
        return read_gas_prices(record)
    if gwei is None:
        raise UsageError(
            "--gas-gwei: missing; say what a transaction pays for gas, as in --gas-gwei 30 (0 "
            "leaves gas out), or name a record of it by --gas-prices"
        )
    return FixedGasPrice(math.ceil(decimal("--gas-gwei", gwei) * _WEI_PER_GWEI))


def wrapped_coin(market: OpenMarket) -> Token | None:
    """The token of the pool that is the chain's coin, wrapped."""
    pool = market.market.pool
    return next((t for t in (pool.token0, pool.token1) if is_wrapped_coin(t, market.chain)), None)


def native_price_of(text: str | None, market: OpenMarket, gas: GasPrices) -> Fraction | None:
    """Raw quote units for a wei; None where one of the pool's tokens is the coin, wrapped."""
    from lpmanager.backtest.markets.gas_prices import FixedGasPrice

    wrapped = wrapped_coin(market)
    if wrapped is not None:
        if text is not None:
            raise UsageError(
                f"--native-price: the pool's own {wrapped.symbol} tells it; leave it out"
            )
        return None
    scale = Fraction(10) ** (market.quote.decimals - market.chain.native.decimals)
    if text is not None:
        price = Fraction(decimal("--native-price", text))
        if price == 0:
            raise UsageError("--native-price: expected more than 0")
        return price * scale
    if gas == FixedGasPrice(0):
        return scale  # whatever it is: no gas is paid
    raise UsageError(
        f"--native-price: missing; no token of the pool is {market.chain.native_symbol}, which gas "
        f"is paid in: say how many {market.quote.symbol} one costs"
    )


def coins_for_down(value: Amount, terms: Terms, price: Price) -> Decimal:
    """How many coins of the chain an amount of quote is worth at a price of the pool, cut to three
    digits."""
    ratio = terms.native_price
    if ratio is None:
        if terms.wrapped_native is None:
            raise ValueError("nothing prices the native coin")
        ratio = price.value_of(Amount(terms.wrapped_native, 1))
    coins = Amount(terms.native, math.floor(value.raw / ratio)).to_decimal()
    return Decimal(f"{_SHORT.plus(coins):f}")
