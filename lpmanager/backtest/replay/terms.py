"""How a backtest is run: what is put in, when it decides, and what a transaction costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

from lpmanager.backtest.markets.gas_prices import GasPrices
from lpmanager.model import Amounts, Token
from lpmanager.risk.contagion.neighbours import Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of a backtest.

    `deposit` is what the campaign starts with. A decision falls every `every_s` seconds; a plan is
    carried out `latency_blocks` of `block_s` seconds later, behind all that the market did until
    then; `trigger_ticks` lets one fall also as soon as the price has moved so far since the last.
    `gas` is what a unit of gas costs at each time. The native coin is worth `native_price` raw
    quote units for one wei, or as much as `wrapped_native` where that is one of the pool's tokens;
    where neither is known nothing weighs gas, and the campaign holds. `surroundings` are issuers
    and pegs; there is no other campaign.
    """

    deposit: Amounts
    quote: Token
    every_s: int
    trigger_ticks: int | None
    latency_blocks: int
    block_s: Fraction
    gas: GasPrices
    native: Token
    native_price: Fraction | None
    wrapped_native: Token | None
    surroundings: Surroundings = field(default_factory=Surroundings)

    def __post_init__(self) -> None:
        for name, least in {"every_s": 1, "latency_blocks": 0}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, found {getattr(self, name)}")
        if self.block_s <= 0:
            raise ValueError(f"block_s must be above 0, found {self.block_s}")

    @property
    def latency_s(self) -> int:
        """Seconds from a decision until it is in a block, rounded up."""
        return math.ceil(self.latency_blocks * self.block_s)
