"""What is looked at for one campaign, and what its contracts tell at one block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lpmanager.errors import ChainError
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Liquidity,
    PoolKey,
    Position,
    SqrtPriceX96,
    TickRange,
    TickState,
    Token,
    VaultState,
)
from lpmanager.venues.uniswap_v3 import Slot0, UniswapV3

#: Ticks to each side of the price whose liquidity is read: 25 % of price and more.
TICK_WINDOW = 2_500
_WORD = 256

#: More position NFTs than anybody opens; each of them is looked at.
MOST_NFTS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What the reader looks at for one campaign.

    `account` signs and pays. It also holds the tokens and the position NFTs, unless there is a
    `vault` that holds tokens and positions in its place. `positions` are the only NFTs to look at,
    or None for all the account holds in the pool; of a vault all are. `native_pool` prices the
    native coin where neither pool token wraps it. The base fees of so many blocks as
    `base_fee_blocks` says are asked for; by default of none.
    """

    pool: PoolKey
    quote: Token
    native: Token
    wrapped_native: str
    native_pool: PoolKey | None
    account: str
    vault: str | None
    positions: tuple[int, ...] | None
    twap_window_s: int
    history_blocks: int
    base_fee_blocks: int = 0

    @property
    def holder(self) -> str:
        """Whose the tokens and the positions are."""
        return self.vault or self.account

    @property
    def pricing_pool(self) -> PoolKey:
        """The pool whose price is read for the native coin."""
        return self.native_pool or self.pool

    def chosen(self, ours: Iterable[int]) -> tuple[int, ...] | None:
        """The NFTs to look at, `ours` among them; None where it is not NFTs by name."""
        if self.vault is not None or self.positions is None:
            return None
        return tuple(sorted({*self.positions, *ours}))

    def allowance_pairs(self, venue: UniswapV3) -> tuple[tuple[str, str], ...]:
        """The tokens and spenders between which an allowance of the holder's may stand."""
        return tuple(
            (token.address, spender)
            for token in (self.pool.token0, self.pool.token1)
            for spender in (venue.position_manager, venue.swap_router)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What contracts tell at one block, and the signer's coins, however they were asked.

    `observed` are the oracle's sums of ticks a window ago and now, None where it does not reach
    back. `allowances` are in the order of `Watch.allowance_pairs`. `ticks` are all that are
    initialized in `known`. The positions of a vault are all its ranges, in its own order.
    """

    slot0: Slot0
    liquidity: Liquidity
    fee_growth_global: tuple[int, int]
    observed: tuple[int, int] | None
    pricing_sqrt_price_x96: SqrtPriceX96
    native: int
    balances: tuple[int, int]
    allowances: tuple[int, ...]
    ticks: tuple[TickState, ...]
    known: TickRange
    positions: tuple[Position, ...]
    vault: VaultState | None


def believable(nft_count: int) -> int:
    """How many NFTs an account has, as it was told. ChainError where they cannot be looked at."""
    if nft_count > MOST_NFTS:
        raise ChainError(
            f"expected at most {MOST_NFTS} position NFTs, found {nft_count}; name the campaign's "
            "own in `positions`, or use another RPC"
        )
    return nft_count


def words_around(tick: int, spacing: int) -> tuple[range, TickRange]:
    """The bitmap words that hold the ticks near `tick`, and the range of ticks they cover."""
    span = _WORD * spacing
    low = max(tick - TICK_WINDOW, MIN_TICK) // span
    high = min(tick + TICK_WINDOW, MAX_TICK) // span
    known = TickRange(max(low * span, MIN_TICK), min((high + 1) * span, MAX_TICK))
    return range(low, high + 1), known
