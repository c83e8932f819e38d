"""The pools of a configuration, each checked before it is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from lpmanager.chain.node import Node
from lpmanager.chain.pools import find_pool, read_pool
from lpmanager.chain.presets import Chain
from lpmanager.chain.reader import Reader
from lpmanager.chain.sighting import Watch
from lpmanager.chain.token_probe import checked, require_exact, token_probe_question
from lpmanager.chain.vaults import require_of_pool, require_ours
from lpmanager.desk.nodes import open_node
from lpmanager.errors import ConfigError
from lpmanager.ledger.chains import known_genesis
from lpmanager.ledger.store import Ledger
from lpmanager.model import Amounts, PoolKey, Token, amount_from_text_down
from lpmanager.settings import CampaignTable, Settings

#: Blocks whose base fees every node tells at once (eth_feeHistory).
_MOST_FEE_BLOCKS = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A campaign's pool on its chain, checked and ready to be read."""

    chain: Chain
    node: Node
    pool: PoolKey
    quote: Token
    budget: Amounts | None
    #: the vault that holds the campaign's tokens and positions; None where the account does
    vault: str | None
    reader: Reader


def open_market(settings: Settings, name: str, node: Node, clock: Callable[[], int]) -> Market:
    """Find the campaign's pool and make sure it, its tokens, the quote and the vault are what they
    claim.

    Raises ConfigError, WrongChain or TokenRefused, the message beginning with the key to mend.
    """
    table, chain = settings.campaigns[name], settings.chain_of(name)
    key = f"campaigns.{name}"
    node.check_chain()
    pool = configured_pool(table, chain, node)
    head = node.head()
    findings = node.ask(token_probe_question(pool, head))
    for finding in findings:
        require_exact(finding)
    quote = _one_of(pool, table.quote, f"{key}.quote")
    if table.vault is not None:
        _require_our_vault(node, table.vault, pool, f"{key}.vault")
    history_blocks = math.ceil(Fraction(table.limits.history_s) / chain.block_time_s)
    watch = Watch(
        pool=pool,
        quote=quote,
        native=chain.native,
        wrapped_native=chain.wrapped_native,
        native_pool=_native_pool(table, chain, node, pool, f"{key}.native_pool"),
        account=settings.account.address,
        vault=table.vault,
        positions=table.positions,
        twap_window_s=table.limits.twap_window_s,
        history_blocks=history_blocks,
        base_fee_blocks=0
        if table.risk.max_base_fee_to_usual is None
        else min(history_blocks, _MOST_FEE_BLOCKS),
    )
    return Market(
        chain=chain,
        node=node,
        pool=pool,
        quote=quote,
        budget=_budget(pool, table.budget, f"{key}.budget"),
        vault=table.vault,
        reader=Reader(node, chain.uniswap_v3, watch, clock, checked(findings, head)),
    )


def configured_pool(table: CampaignTable, chain: Chain, node: Node) -> PoolKey:
    """The pool a campaign names, checked against the factory. Raises ConfigError."""
    if table.pool is not None:
        return read_pool(node, chain.uniswap_v3, table.pool)
    if table.token0 is None or table.token1 is None or table.fee is None:
        raise ConfigError("give either pool, or all of token0, token1 and fee")
    tokens = (table.token0, table.token1)
    address = find_pool(node, chain.uniswap_v3, tokens, table.fee)
    return read_pool(node, chain.uniswap_v3, address)


class Markets:
    """The markets of a configuration, each looked for once and kept, and a node for each chain.

    What a node has learned of its RPCs outlives a cycle so. What could not be opened is tried again
    when it is asked for again.
    """

    def __init__(self, settings: Settings, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._clock = clock
        self._nodes: dict[str, Node] = {}
        self._markets: dict[str, Market] = {}

    def open(self, name: str, ledger: Ledger) -> Market:
        """A campaign's market, by RPCs of the very chain that the ledger's books are of.

        Raises as `open_node` and `open_market`, WrongChain also where the chain began with another
        block than the ledger says.
        """
        if name not in self._markets:
            chain = self._settings.chain_of(name)
            node = self._nodes.get(chain.name) or self._new_node(chain, ledger)
            self._markets[name] = open_market(self._settings, name, node, self._clock)
            self._nodes[chain.name] = node  # only now: it may have been told a wrong first block
        return self._markets[name]

    def _new_node(self, chain: Chain, ledger: Ledger) -> Node:
        genesis = known_genesis(ledger.engine, chain.chain_id)
        if genesis is None:
            genesis = open_node(self._settings, chain, self._clock).genesis()
        return open_node(self._settings, chain, self._clock, genesis)


def _require_our_vault(node: Node, vault: str, pool: PoolKey, key: str) -> None:
    """The code says what the vault does with an operator, its own word which pool it is for."""
    head = node.head()
    try:
        require_ours(node, vault, head)
        require_of_pool(node, vault, pool, head)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error


def _native_pool(
    table: CampaignTable, chain: Chain, node: Node, pool: PoolKey, key: str
) -> PoolKey | None:
    if table.native_pool is None:
        return None
    pair = read_pool(node, chain.uniswap_v3, table.native_pool)
    sides = {pair.token0.address, pair.token1.address}
    ours = {pool.token0.address, pool.token1.address}
    if chain.wrapped_native not in sides or not ours & sides:
        raise ConfigError(
            f"{key}: {pair} does not price {chain.native_symbol} in a token of {pool}; name a pool "
            f"of {chain.wrapped_native} and one of them"
        )
    return pair


def _one_of(pool: PoolKey, name: str, key: str) -> Token:
    token = pool.token_named(name)
    if token is not None:
        return token
    raise ConfigError(
        f"{key}: {name!r} does not name one token of the pool; choose {pool.token0.symbol} "
        f"({pool.token0.address}) or {pool.token1.symbol} ({pool.token1.address})"
    )


def _budget(pool: PoolKey, table: Mapping[str, str] | None, key: str) -> Amounts | None:
    if table is None:
        return None
    amounts = {pool.token0: 0, pool.token1: 0}
    for name, text in table.items():
        token = _one_of(pool, name, f"{key}.{name}")
        try:
            amounts[token] = amount_from_text_down(token, text).raw
        except ValueError as error:
            raise ConfigError(f"{key}.{name}: {error}") from error
    return pool.amounts(amounts[pool.token0], amounts[pool.token1])
