"""Reads a Snapshot: everything a decision needs, at one block hash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from lpmanager.abi import ContractCall
from lpmanager.amm import fee_growth_inside
from lpmanager.chain.at_block import AtBlock
from lpmanager.chain.history import flow_questions, join_flow
from lpmanager.chain.node import (
    Node,
    balance_question,
    block_hash_question,
    nonce_question,
    tip_question,
)
from lpmanager.errors import ChainError, ConfigError
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Amount,
    Flow,
    Liquidity,
    PoolKey,
    PoolState,
    Position,
    Price,
    Snapshot,
    TickRange,
    TickState,
    Token,
    Twap,
    Wallet,
)
from lpmanager.venues import erc20, uniswap_v3
from lpmanager.venues.uniswap_v3 import Edge, ManagedPosition, Slot0, UniswapV3

#: Ticks to each side of the price whose liquidity is read: 25 % of price and more.
_TICK_WINDOW = 2_500
_WORD = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What the reader looks at for one campaign.

    `positions` are the only NFTs to look at, or None for all the account holds in the pool.
    `native_pool` prices the native coin where neither pool token wraps it.
    """

    pool: PoolKey
    quote: Token
    native: Token
    wrapped_native: str
    native_pool: PoolKey | None
    account: str
    positions: tuple[int, ...] | None
    twap_window_s: int
    history_blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What is asked whatever the account holds and wherever the price is."""

    slot0: Slot0
    liquidity: int
    growth: tuple[int, int]
    twap: Twap | None
    wallet: Wallet
    nft_count: int
    gas_price: int
    native_slot0: Slot0 | None


class Reader:
    """Reads one campaign's Snapshots. `clock` gives the wall time, in Unix seconds.

    What one reading had to ask, the next asks at once: while positions and ticks stay as they are,
    a Snapshot costs one round trip after that for the head.
    """

    def __init__(
        self, node: Node, venue: UniswapV3, watch: Watch, clock: Callable[[], int]
    ) -> None:
        self._node = node
        self._venue = venue
        self._watch = watch
        self._clock = clock
        self._likely: tuple[ContractCall[Any], ...] = ()

    def read(self, ours: Iterable[int] = (), heights: Sequence[int] = ()) -> Snapshot:
        """The world at the newest block, and which blocks the chain has at earlier `heights`.

        Where the campaign names its positions, `ours` are those minted for it since. Raises
        ChainError where the node refuses, or the block was reorganised away meanwhile.
        """
        watch = self._watch
        at = AtBlock(self._node, self._node.head())
        # What a node refuses to answer now would otherwise be asked for again and again.
        likely, self._likely = self._likely, ()
        base, flow, hashes = self._read_base(at, likely, heights)
        if base.slot0.sqrt_price_x96 == 0:
            raise ChainError(f"pool {watch.pool.address} has no price yet: it was not initialized")
        managed = self._read_positions(at, base.nft_count, ours)
        ticks, known, edges = self._read_ticks(at, base.slot0.tick, managed)
        self._likely = at.asked
        state = PoolState(
            sqrt_price_x96=base.slot0.sqrt_price_x96,
            tick=base.slot0.tick,
            liquidity=Liquidity(base.liquidity),
            fee_growth_global0_x128=base.growth[0],
            fee_growth_global1_x128=base.growth[1],
            fee_protocol=base.slot0.fee_protocol,
            ticks=ticks,
            known=known,
        )
        return Snapshot(
            chain_id=self._node.chain_id,
            block=at.block,
            read_at=self._clock(),
            pool=watch.pool,
            quote=watch.quote,
            state=state,
            twap=base.twap,
            positions=tuple(_position(i, p, state, edges) for i, p in managed.items()),
            wallet=base.wallet,
            gas_price=base.gas_price,
            native_price=_native_price(watch, base),
            flow=flow,
            earlier=dict(zip(heights, hashes, strict=True)),
        )

    def _read_base(
        self, at: AtBlock, likely: tuple[ContractCall[Any], ...], heights: Sequence[int]
    ) -> tuple[_Base, Flow | None, list[str | None]]:
        """Everything whose address is known beforehand, in one round trip with what is likely to be
        asked next."""
        watch = self._watch
        pool = watch.pool.address
        spenders = (self._venue.position_manager, self._venue.swap_router)
        pairs = [
            (token.address, spender)
            for token in (watch.pool.token0, watch.pool.token1)
            for spender in spenders
        ]
        observe = uniswap_v3.observe(pool, watch.twap_window_s)
        calls: list[ContractCall[Any]] = [
            uniswap_v3.slot0(pool),
            uniswap_v3.liquidity(pool),
            uniswap_v3.fee_growth_global0(pool),
            uniswap_v3.fee_growth_global1(pool),
            uniswap_v3.slot0((watch.native_pool or watch.pool).address),
            erc20.balance_of(watch.pool.token0.address, watch.account),
            erc20.balance_of(watch.pool.token1.address, watch.account),
            self._venue.position_count(watch.account),
            *(erc20.allowance(token, watch.account, spender) for token, spender in pairs),
        ]
        native, nonce, tip, *others = at.begin(
            [
                balance_question(watch.account, at.block),
                nonce_question(watch.account, at.block),
                tip_question(),
                *(block_hash_question(height) for height in heights),
                *flow_questions(pool, at.block, watch.history_blocks),
            ],
            likely=(observe, *calls, *likely),
        )
        (observed,) = at.ask_or_none([observe])
        slot0, liquidity, growth0, growth1, native_slot0, *rest = at.ask(calls)
        balance0, balance1, count, *allowances = rest
        wallet = Wallet(
            address=watch.account,
            balances=watch.pool.amounts(balance0, balance1),
            native=Amount(watch.native, native),
            nonce=nonce,
            allowances=tuple(
                (*pair, raw) for pair, raw in zip(pairs, allowances, strict=True) if raw
            ),
        )
        base = _Base(
            slot0=slot0,
            liquidity=liquidity,
            growth=(growth0, growth1),
            twap=_twap(observed, watch.twap_window_s),
            wallet=wallet,
            nft_count=count,
            gas_price=at.block.base_fee + tip,
            native_slot0=native_slot0 if watch.native_pool else None,
        )
        hashes, flow_answers = others[: len(heights)], others[len(heights) :]
        return base, join_flow(at.block, flow_answers), hashes

    def _read_positions(
        self, at: AtBlock, nft_count: int, ours: Iterable[int]
    ) -> dict[int, ManagedPosition]:
        """The campaign's positions: the configured NFTs, or all the account has in the pool."""
        venue, watch = self._venue, self._watch
        if watch.positions is not None:
            return self._read_chosen(at, tuple(sorted({*watch.positions, *ours})))
        ids = at.ask([venue.position_id(watch.account, index) for index in range(nft_count)])
        found = at.ask([venue.position(i) for i in ids])
        return {
            token_id: position
            for token_id, position in sorted(zip(ids, found, strict=True))
            if _is_of_pool(position, watch.pool) and _holds_anything(position)
        }

    def _read_chosen(self, at: AtBlock, ids: tuple[int, ...]) -> dict[int, ManagedPosition]:
        venue, watch = self._venue, self._watch
        answers = at.ask_or_none(
            [*(venue.position_owner(i) for i in ids), *(venue.position(i) for i in ids)]
        )
        chosen = {}
        for token_id, owner, position in zip(ids, answers, answers[len(ids) :], strict=False):
            if owner is None:
                continue  # burned since it was configured
            if owner != watch.account:
                if token_id not in (watch.positions or ()):
                    continue  # minted for the campaign, and given away since
                raise ConfigError(
                    f"position {token_id} belongs to {owner}, not to {watch.account}; "
                    "correct `positions` or `account.address`"
                )
            if not _is_of_pool(position, watch.pool):
                raise ConfigError(
                    f"position {token_id} is of another pool ({position.token0}, "
                    f"{position.token1}, {position.fee_pips} pips), not of {watch.pool.address}; "
                    "correct `positions` or `pool`"
                )
            if _holds_anything(position):
                chosen[token_id] = position
        return chosen

    def _read_ticks(
        self, at: AtBlock, tick: int, positions: dict[int, ManagedPosition]
    ) -> tuple[tuple[TickState, ...], TickRange, dict[int, Edge]]:
        """The ticks around the price, the range they cover, and the edges of the positions."""
        pool = self._watch.pool
        words, known = _words_around(tick, pool.tick_spacing)
        edge_ticks = sorted({t for p in positions.values() for t in (p.range.lower, p.range.upper)})
        told = at.ask(
            [
                *(self._venue.tick_word(pool.address, w) for w in words),
                *(uniswap_v3.edge(pool.address, t) for t in edge_ticks),
            ]
        )
        in_words, edges = told[: len(words)], dict(zip(edge_ticks, told[len(words) :], strict=True))
        return tuple(t for word in in_words for t in word), known, edges


def _twap(observed: tuple[int, int] | None, window_s: int) -> Twap | None:
    """None where the pool's oracle does not reach back that far."""
    if observed is None:
        return None
    then, now = observed
    return Twap(window_s=window_s, tick_cumulative_then=then, tick_cumulative_now=now)


def _words_around(tick: int, spacing: int) -> tuple[range, TickRange]:
    """The bitmap words that hold the ticks near `tick`, and the range of ticks they cover."""
    span = _WORD * spacing
    low = max(tick - _TICK_WINDOW, MIN_TICK) // span
    high = min(tick + _TICK_WINDOW, MAX_TICK) // span
    known = TickRange(max(low * span, MIN_TICK), min((high + 1) * span, MAX_TICK))
    return range(low, high + 1), known


def _is_of_pool(position: ManagedPosition, pool: PoolKey) -> bool:
    return (position.token0, position.token1, position.fee_pips) == (
        pool.token0.address,
        pool.token1.address,
        pool.fee_pips,
    )


def _holds_anything(position: ManagedPosition) -> bool:
    return bool(position.liquidity or position.tokens_owed0 or position.tokens_owed1)


def _position(
    token_id: int, managed: ManagedPosition, state: PoolState, edges: dict[int, Edge]
) -> Position:
    lower, upper = edges[managed.range.lower], edges[managed.range.upper]
    inside0, inside1 = (
        fee_growth_inside(
            tick_range=managed.range,
            tick=state.tick,
            global_x128=growth,
            lower_outside_x128=low,
            upper_outside_x128=high,
        )
        for growth, low, high in (
            (
                state.fee_growth_global0_x128,
                lower.fee_growth_outside0_x128,
                upper.fee_growth_outside0_x128,
            ),
            (
                state.fee_growth_global1_x128,
                lower.fee_growth_outside1_x128,
                upper.fee_growth_outside1_x128,
            ),
        )
    )
    return Position(
        token_id=token_id,
        range=managed.range,
        liquidity=managed.liquidity,
        fee_growth_inside0_x128=inside0,
        fee_growth_inside1_x128=inside1,
        fee_growth_inside0_last_x128=managed.fee_growth_inside0_last_x128,
        fee_growth_inside1_last_x128=managed.fee_growth_inside1_last_x128,
        tokens_owed0=managed.tokens_owed0,
        tokens_owed1=managed.tokens_owed1,
    )


def _native_price(watch: Watch, base: _Base) -> Price | None:
    """The native coin in the quote token, by the pool or by the pool configured for it."""
    pool_price = watch.pool.price(watch.quote, base.slot0.sqrt_price_x96)
    if base.native_slot0 is not None and watch.native_pool is not None:
        pair = watch.native_pool
        wrapped, other = (
            (pair.token0, pair.token1)
            if pair.token0.address == watch.wrapped_native
            else (pair.token1, pair.token0)
        )
        in_other = pair.price(other, base.native_slot0.sqrt_price_x96)
        ratio = in_other.value_of(Amount(wrapped, 1)) * pool_price.value_of(Amount(other, 1))
    elif watch.wrapped_native == watch.pool.token0.address:
        ratio = pool_price.value_of(Amount(watch.pool.token0, 1))
    elif watch.wrapped_native == watch.pool.token1.address:
        ratio = pool_price.value_of(Amount(watch.pool.token1, 1))
    else:
        return None
    return Price(base=watch.native, quote=watch.quote, ratio=ratio)
