"""Reads a Snapshot: everything a decision needs, at one block hash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog

from lpmanager.amm import require_sound
from lpmanager.chain.by_calls import ByCalls
from lpmanager.chain.history import flow_questions, join_flow, require_price
from lpmanager.chain.lens import Lens, LensRefused
from lpmanager.chain.node import (
    Node,
    Question,
    base_fees_question,
    block_hash_question,
    nonce_question,
    tip_question,
)
from lpmanager.chain.sighting import Sighting, Watch
from lpmanager.chain.token_probe import checked, token_probe_question
from lpmanager.errors import ChainError
from lpmanager.model import (
    Amount,
    Block,
    ChainHealth,
    PoolKey,
    PoolState,
    Price,
    Snapshot,
    TokenCheck,
    Twap,
    Wallet,
)
from lpmanager.model.units import HOUR_S
from lpmanager.venues.uniswap_v3 import UniswapV3

#: How long a check of the tokens stands.
CHECKED_AGAIN_S = HOUR_S


class Reader:
    """Reads one campaign's Snapshots. `clock` gives the wall time, in Unix seconds.

    A Snapshot costs one round trip after that for the head: the lens tells all that contracts say.
    A node that refuses the lens is asked call by call. In that round trip the tokens are checked
    again where `tokens`, the last check, is too old, or found something.
    """

    def __init__(
        self,
        node: Node,
        venue: UniswapV3,
        watch: Watch,
        clock: Callable[[], int],
        tokens: TokenCheck,
    ) -> None:
        self._node = node
        self._venue = venue
        self._watch = watch
        self._clock = clock
        self._tokens = tokens
        self._lens = Lens(node, venue, watch)
        self._calls = ByCalls(node, venue, watch)

    def read(self, ours: Iterable[int] = (), heights: Sequence[int] = ()) -> Snapshot:
        """The world at the newest block, and which blocks the chain has at earlier `heights`.

        Where the campaign names its positions, `ours` are those minted for it since. Raises
        ChainError where the node refuses, answers for another block, or the block was reorganised
        away meanwhile; ConfigError where a chosen position is not the account's or not of the pool.
        """
        watch = self._watch
        block = self._node.head()
        fee_blocks = min(watch.base_fee_blocks, block.number + 1)
        costs = [base_fees_question(block, fee_blocks)] if fee_blocks else []
        checks = [] if self._are_checked(block) else [token_probe_question(watch.pool, block)]
        questions: list[Question[Any]] = [
            nonce_question(watch.account, block),
            tip_question(),
            *costs,
            *checks,
            *(block_hash_question(height) for height in heights),
            *flow_questions(watch.pool.address, block, watch.history_blocks),
        ]
        (nonce, tip, *told), seen = self._look(block, questions, tuple(ours))
        fees, told = told[: len(costs)], told[len(costs) :]
        found, others = told[: len(checks)], told[len(checks) :]
        for findings in found:
            self._tokens = checked(findings, block)
        if seen.slot0.sqrt_price_x96 == 0:
            raise ChainError(f"pool {watch.pool.address} has no price yet: it was not initialized")
        require_price(seen.pricing_sqrt_price_x96, f"pool {watch.pricing_pool.address}")
        state = _pool_state(seen)
        _require_possible(state, watch.pool)
        return Snapshot(
            chain_id=self._node.chain_id,
            block=block,
            read_at=self._clock(),
            pool=watch.pool,
            quote=watch.quote,
            state=state,
            twap=_twap(seen, watch.twap_window_s),
            positions=seen.positions,
            wallet=self._wallet(seen, nonce),
            vault=seen.vault,
            gas_price=block.base_fee + tip,
            native_price=_native_price(watch, seen),
            flow=join_flow(block, others[len(heights) :]),
            earlier=dict(zip(heights, others[: len(heights)], strict=True)),
            oracle_slots=seen.slot0.oracle_slots,
            health=self._health(fees[0] if fees else None),
            tokens=self._tokens,
        )

    def _are_checked(self, block: Block) -> bool:
        tokens = self._tokens
        age_s = block.timestamp - tokens.checked_at
        return tokens.refused is None and age_s < CHECKED_AGAIN_S

    def _look(
        self, block: Block, questions: Sequence[Question[Any]], ours: tuple[int, ...]
    ) -> tuple[list[Any], Sighting]:
        """Through the lens, or by calls where the node refuses it.

        It is only then the lens that a node refuses when it answers calls at the same block.
        """
        if self._node.refuses_lens:
            return self._calls.read(block, questions, ours)
        try:
            return self._lens.read(block, questions, ours)
        except LensRefused as refusal:
            told = self._calls.read(block, questions, ours)
            self._node.refuses_lens = True
            structlog.get_logger().info(
                "the RPC refuses the lens; snapshots are read by single calls from now on",
                because=str(refusal),
            )
            return told

    def _health(self, base_fees: tuple[int, ...] | None) -> ChainHealth:
        healthy, all_of_them = self._node.in_use()
        return ChainHealth(rpcs=all_of_them, healthy_rpcs=healthy, base_fees=base_fees)

    def _wallet(self, seen: Sighting, nonce: int) -> Wallet:
        watch = self._watch
        pairs = watch.allowance_pairs(self._venue)
        return Wallet(
            address=watch.holder,
            signer=watch.account,
            balances=watch.pool.amounts(*seen.balances),
            native=Amount(watch.native, seen.native),
            nonce=nonce,
            allowances=tuple(
                (*pair, raw) for pair, raw in zip(pairs, seen.allowances, strict=True) if raw
            ),
        )


def _pool_state(seen: Sighting) -> PoolState:
    growth0, growth1 = seen.fee_growth_global
    return PoolState(
        sqrt_price_x96=seen.slot0.sqrt_price_x96,
        tick=seen.slot0.tick,
        liquidity=seen.liquidity,
        fee_growth_global0_x128=growth0,
        fee_growth_global1_x128=growth1,
        fee_protocol=seen.slot0.fee_protocol,
        ticks=seen.ticks,
        known=seen.known,
    )


def _require_possible(state: PoolState, pool: PoolKey) -> None:
    try:
        require_sound(state, pool.tick_spacing)
    except ValueError as error:
        raise ChainError(
            f"pool {pool.address}: what the node tells of it cannot be ({error}); use another RPC"
        ) from error


def _twap(seen: Sighting, window_s: int) -> Twap | None:
    """None where the pool's oracle does not reach back that far."""
    if seen.observed is None:
        return None
    then, now = seen.observed
    return Twap(window_s=window_s, tick_cumulative_then=then, tick_cumulative_now=now)


def _native_price(watch: Watch, seen: Sighting) -> Price | None:
    """The native coin in the quote token, by the pool or by the pool configured for it."""
    pool_price = watch.pool.price(watch.quote, seen.slot0.sqrt_price_x96)
    if watch.native_pool is not None:
        pair = watch.native_pool
        wrapped, other = (
            (pair.token0, pair.token1)
            if pair.token0.address == watch.wrapped_native
            else (pair.token1, pair.token0)
        )
        in_other = pair.price(other, seen.pricing_sqrt_price_x96)
        ratio = in_other.value_of(Amount(wrapped, 1)) * pool_price.value_of(Amount(other, 1))
    elif watch.wrapped_native == watch.pool.token0.address:
        ratio = pool_price.value_of(Amount(watch.pool.token0, 1))
    elif watch.wrapped_native == watch.pool.token1.address:
        ratio = pool_price.value_of(Amount(watch.pool.token1, 1))
    else:
        return None
    return Price(base=watch.native, quote=watch.quote, ratio=ratio)
