"""Everything a decision needs, read at one block hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lpmanager.model.health import ChainHealth, TokenCheck
from lpmanager.model.pool import PoolKey, PoolState
from lpmanager.model.position import Position
from lpmanager.model.price import Price
from lpmanager.model.swaps import SwapEvent
from lpmanager.model.token import Amount, Amounts, Token
from lpmanager.model.vault import VaultState


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block's header. `timestamp` is in Unix seconds, `base_fee` in wei per gas."""

    number: int
    hash: str
    timestamp: int
    base_fee: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Twap:
    """Two readings of the pool's own oracle, `window_s` seconds apart."""

    window_s: int
    tick_cumulative_then: int
    tick_cumulative_now: int

    @property
    def tick_down(self) -> int:
        """The time-weighted mean tick, towards negative infinity (as OracleLibrary rounds)."""
        return (self.tick_cumulative_now - self.tick_cumulative_then) // self.window_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """All swaps of the pool in the `seconds` up to and including the snapshot's block, which are no
    more than since its birth."""

    from_block: int
    seconds: int
    swaps: Sequence[SwapEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """The holder of the tokens and positions, and the account that signs and pays for it.

    `address` is the holder: the account itself, or its vault. `balances` and `allowances` are all
    the holder's, whichever campaign they belong to; `native` and `nonce` are the signer's.
    """

    address: str
    signer: str
    balances: Amounts
    native: Amount
    nonce: int
    #: (token address, spender address, raw) of every allowance above zero towards the venue
    allowances: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The world at one block hash. `read_at` is the reader's clock, in Unix seconds.

    `earlier` has the hashes of the blocks before it that were asked about, by height; None where
    the chain has none there.
    """

    chain_id: int
    block: Block
    read_at: int
    pool: PoolKey
    quote: Token
    state: PoolState
    twap: Twap | None
    positions: tuple[Position, ...]
    wallet: Wallet
    #: the holder, where it is a vault
    vault: VaultState | None
    #: wei per gas a transaction would pay now: base fee plus tip
    gas_price: int
    #: raw quote units for one wei of the chain's native coin; None where nothing tells it
    native_price: Price | None
    flow: Flow | None
    earlier: Mapping[int, str | None]
    #: how many past prices the pool's oracle keeps, one of a block at most; None in a replay
    oracle_slots: int | None = None
    #: the replayed record tells no ticks: `state` has the liquidity of now at every price, so that
    #: swaps can be priced, and where liquidity really is cannot be told from it
    flat_liquidity: bool = False
    #: None where no chain was asked, as in a replay
    health: ChainHealth | None = None
    #: None where no chain was asked, as in a replay
    tokens: TokenCheck | None = None

    @property
    def price(self) -> Price:
        """The pool's valuation price in the campaign's quote token."""
        return self.pool.price(self.quote, self.state.sqrt_price_x96)

    def hash_at(self, height: int) -> str | None:
        """The hash of its own block, or of an earlier one that was asked about. Raises KeyError for
        any other."""
        return self.block.hash if height == self.block.number else self.earlier[height]
