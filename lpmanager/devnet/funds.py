"""Amounts as a person names them ("50000 USDC") in a pool's own tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lpmanager.errors import UsageError
from lpmanager.model import Amounts, PoolKey, amount_from_text_down


def parse_funds(texts: Sequence[str]) -> dict[str, str]:
    """Amount by token name, from texts such as "50000 USDC". Raises UsageError."""
    funds: dict[str, str] = {}
    for text in texts:
        amount, _, token = text.strip().partition(" ")
        if not token.strip():
            raise UsageError(f"funds: {text!r}: expected an amount and a token, as in '22 WETH'")
        funds[token.strip()] = amount
    return funds


def funds_in(pool: PoolKey, funds: Mapping[str, str]) -> Amounts:
    """The funds in the pool's tokens, by symbol or address; a token not named gets nothing.

    Digits beyond a token's decimals are cut off. Raises UsageError.
    """
    raw = {pool.token0: 0, pool.token1: 0}
    for name, text in funds.items():
        token = pool.token_named(name)
        if token is None:
            raise UsageError(
                f"funds: {name!r} does not name one token of the pool; it holds "
                f"{pool.token0.symbol} ({pool.token0.address}) and {pool.token1.symbol} "
                f"({pool.token1.address})"
            )
        try:
            raw[token] = amount_from_text_down(token, text).raw
        except ValueError as error:
            raise UsageError(f"funds: {error}") from error
    if min(raw.values()) < 0 or not any(raw.values()):
        raise UsageError("funds: expected amounts above 0 to manage")
    return pool.amounts(*raw.values())
