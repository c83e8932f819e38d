"""The chains known by name, as data: `chain = "base"` is enough in a configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from lpmanager.model import NATIVE, Token
from lpmanager.venues.uniswap_v3 import UniswapV3


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain and the venue's contracts on it.

    `block_time_s` is approximate and only sizes waits and windows. A transaction counts as final
    after `confirmations` blocks, its own among them. `devnet` allows a key in clear text.
    `explorer` is None where no web page shows the chain. `code_hashes` are the keccak hashes, as
    hex, of the contracts' code where they are known, by the keys that name the addresses.
    """

    name: str
    chain_id: int
    devnet: bool
    native_symbol: str
    wrapped_native: str
    block_time_s: Fraction
    confirmations: int
    explorer: str | None
    uniswap_v3: UniswapV3
    code_hashes: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def native(self) -> Token:
        """The chain's own coin. Every chain here counts it in 10**-18."""
        return Token(chain_id=self.chain_id, address=NATIVE, symbol=self.native_symbol, decimals=18)


@cache
def presets() -> Mapping[str, Chain]:
    """Every preset by its name."""
    return MappingProxyType({name: _chain(name, table) for name, table in preset_tables().items()})


@cache
def preset_tables() -> Mapping[str, Mapping[str, Any]]:
    """The same as it is written."""
    text = files(__package__).joinpath("presets.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text, parse_float=Decimal))


def _chain(name: str, table: Mapping[str, Any]) -> Chain:
    return Chain(
        name=name,
        chain_id=table["chain_id"],
        devnet=False,
        native_symbol=table["native_symbol"],
        wrapped_native=table["wrapped_native"],
        block_time_s=Fraction(table["block_time_s"]),
        confirmations=table["confirmations"],
        explorer=table["explorer"],
        uniswap_v3=UniswapV3(**table["uniswap_v3"]),
        code_hashes=table.get("code_hashes", {}),
    )
