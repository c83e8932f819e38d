"""A Sighting by one call for each thing, in batches at one block hash: any node can answer it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lpmanager.abi import ContractCall
from lpmanager.amm import fee_growth_inside
from lpmanager.chain.at_block import AtBlock
from lpmanager.chain.node import Node, Question, balance_question
from lpmanager.chain.sighting import Sighting, Watch, believable, words_around
from lpmanager.chain.vault_views import vault_calls, vault_state
from lpmanager.errors import ConfigError
from lpmanager.model import Block, PoolKey, Position, TickRange, TickState
from lpmanager.venues import erc20, liquidity_vault, uniswap_v3
from lpmanager.venues.uniswap_v3 import Edge, ManagedPosition, UniswapV3


class ByCalls:
    """Reads one campaign's contracts call by call.

    What one reading had to ask, the next asks at once: while positions and ticks stay as they are,
    it costs one round trip.
    """

    def __init__(self, node: Node, venue: UniswapV3, watch: Watch) -> None:
        self._node = node
        self._venue = venue
        self._watch = watch
        self._likely: tuple[ContractCall[Any], ...] = ()

    def read(
        self, block: Block, questions: Sequence[Question[Any]], ours: Iterable[int]
    ) -> tuple[list[Any], Sighting]:
        """The answers to `questions`, and what the contracts tell. Raises ChainError, and
        ConfigError where a chosen position is not the account's or not of the pool."""
        watch, venue, pool = self._watch, self._venue, self._watch.pool.address
        at = AtBlock(self._node, block)
        # What a node refuses to answer now would otherwise be asked for again and again.
        likely, self._likely = self._likely, ()
        observe = uniswap_v3.observe(pool, watch.twap_window_s)
        calls: list[ContractCall[Any]] = [
            uniswap_v3.slot0(pool),
            uniswap_v3.liquidity(pool),
            uniswap_v3.fee_growth_global0(pool),
            uniswap_v3.fee_growth_global1(pool),
            uniswap_v3.slot0(watch.pricing_pool.address),
            erc20.balance_of(watch.pool.token0.address, watch.holder),
            erc20.balance_of(watch.pool.token1.address, watch.holder),
            *(erc20.allowance(t, watch.holder, s) for t, s in watch.allowance_pairs(venue)),
        ]
        native, *answers = at.begin(
            [balance_question(watch.account, block), *questions],
            likely=(observe, *calls, *self._first_of_positions(), *likely),
        )
        (observed,) = at.ask_or_none([observe])
        slot0, liquidity, growth0, growth1, pricing, held0, held1, *allowances = at.ask(calls)
        managed = self._read_positions(at, ours)
        ticks, known, edges = self._read_ticks(at, slot0.tick, managed)
        vault = None
        if watch.vault is not None:
            vault = vault_state(watch.vault, at.ask(vault_calls(watch.vault)))
        self._likely = at.asked
        sighting = Sighting(
            slot0=slot0,
            liquidity=liquidity,
            fee_growth_global=(growth0, growth1),
            observed=observed,
            pricing_sqrt_price_x96=pricing.sqrt_price_x96,
            native=native,
            balances=(held0, held1),
            allowances=tuple(allowances),
            ticks=ticks,
            known=known,
            positions=tuple(
                _position(i, p, slot0.tick, (growth0, growth1), edges) for i, p in managed.items()
            ),
            vault=vault,
        )
        return answers, sighting

    def _first_of_positions(self) -> tuple[ContractCall[Any], ...]:
        """What is asked of positions before anything is known of them."""
        watch = self._watch
        if watch.vault is not None:
            return (liquidity_vault.ranges(watch.vault), *vault_calls(watch.vault))
        return (self._venue.position_count(watch.account),) if watch.positions is None else ()

    def _read_positions(self, at: AtBlock, ours: Iterable[int]) -> dict[int, ManagedPosition]:
        """The campaign's positions: the vault's, the configured NFTs, or all in the pool."""
        venue, watch = self._venue, self._watch
        if watch.vault is not None:
            return _read_ranges(at, watch.pool, watch.vault)
        chosen = watch.chosen(ours)
        if chosen is not None:
            return self._read_chosen(at, chosen)
        (count,) = at.ask([venue.position_count(watch.account)])
        ids = at.ask(
            [venue.position_id(watch.account, index) for index in range(believable(count))]
        )
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
        words, known = words_around(tick, pool.tick_spacing)
        edge_ticks = sorted({t for p in positions.values() for t in (p.range.lower, p.range.upper)})
        told = at.ask(
            [
                *(self._venue.tick_word(pool.address, w) for w in words),
                *(uniswap_v3.edge(pool.address, t) for t in edge_ticks),
            ]
        )
        in_words, edges = told[: len(words)], dict(zip(edge_ticks, told[len(words) :], strict=True))
        return tuple(t for word in in_words for t in word), known, edges


def _read_ranges(at: AtBlock, pool: PoolKey, vault: str) -> dict[int, ManagedPosition]:
    (ranges,) = at.ask([liquidity_vault.ranges(vault)])
    found = at.ask([uniswap_v3.position_in_pool(pool, vault, held) for held in ranges])
    ids = (liquidity_vault.position_id(vault, held) for held in ranges)
    return dict(zip(ids, found, strict=True))


def _is_of_pool(position: ManagedPosition, pool: PoolKey) -> bool:
    return (position.token0, position.token1, position.fee_pips) == (
        pool.token0.address,
        pool.token1.address,
        pool.fee_pips,
    )


def _holds_anything(position: ManagedPosition) -> bool:
    return bool(position.liquidity or position.tokens_owed0 or position.tokens_owed1)


def _position(
    token_id: int,
    managed: ManagedPosition,
    tick: int,
    growth: tuple[int, int],
    edges: dict[int, Edge],
) -> Position:
    lower, upper = edges[managed.range.lower], edges[managed.range.upper]
    inside0, inside1 = (
        fee_growth_inside(
            tick_range=managed.range,
            tick=tick,
            global_x128=total,
            lower_outside_x128=low,
            upper_outside_x128=high,
        )
        for total, low, high in (
            (growth[0], lower.fee_growth_outside0_x128, upper.fee_growth_outside0_x128),
            (growth[1], lower.fee_growth_outside1_x128, upper.fee_growth_outside1_x128),
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
