"""How the pool says no: the contract's own codes."""

from __future__ import annotations

from lpmanager.errors import LpmError

#: What each code of the contract means.
_MEANING = {
    "AI": "the pool is already initialized",
    "AS": "a swap needs an amount, found 0",
    "F0": "the flash loan's fee in token0 was not paid",
    "F1": "the flash loan's fee in token1 was not paid",
    "I": "the oracle has no observation: the pool is not initialized",
    "L": "a flash loan needs active liquidity, found none",
    "LA": "liquidity overflows uint128",
    "LO": "a tick would carry more liquidity than the pool allows one tick",
    "LOK": "the pool is not initialized",
    "LS": "more liquidity is taken than there is",
    "NP": "a position without liquidity cannot be brought up to date",
    "OLD": "the oracle does not reach back that far",
    "R": "the price is outside what ticks can express",
    "SPL": "the price limit is not ahead of the price, or beyond what ticks can express",
    "TLM": "the lower tick is below the lowest tick",
    "TLU": "the lower tick is not below the upper one",
    "TUM": "the upper tick is above the highest tick",
}


class PoolRevert(LpmError):
    """A call that the deployed pool reverts. `code` is its own message, "" where it gives none."""

    def __init__(self, code: str, detail: str = "") -> None:
        meaning = detail or _MEANING[code]
        super().__init__(f"the pool reverts with {code}: {meaning}" if code else meaning)
        self.code = code
