"""Wires campaigns together: configuration, chain, books, policy and custody."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from sqlalchemy import make_url

from lpmanager.bookkeeping import Bookkeeper, OutsideTransfers
from lpmanager.chain.node import Node
from lpmanager.chain.pools import find_pool, read_pool
from lpmanager.chain.presets import Chain
from lpmanager.chain.reader import Reader, Watch
from lpmanager.chain.token_probe import require_exact, token_probe_question
from lpmanager.chain.transfers import find_transfers, received
from lpmanager.chain.transport import HttpTransport
from lpmanager.config import rpc_url
from lpmanager.cycle import Campaign, Custody
from lpmanager.errors import ConfigError
from lpmanager.execution.executor import Executor
from lpmanager.execution.sender import Sender, SendPolicy
from lpmanager.execution.signer import Signer, signer_from_clear_key, signer_from_keystore
from lpmanager.ledger.journal import TransactionJournal
from lpmanager.ledger.store import Ledger
from lpmanager.model import Amounts, PoolKey, Token, amount_from_text_down
from lpmanager.rebalancer import make_policy
from lpmanager.settings import CampaignTable, Settings

#: How long a sent transaction is waited for, in blocks, and how often it is looked for in a block.
_WAIT_BLOCKS = 60
_POLLS_PER_BLOCK = 4
_LONGEST_POLL_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A campaign's pool on its chain, checked and ready to be read."""

    chain: Chain
    node: Node
    pool: PoolKey
    quote: Token
    budget: Amounts | None
    reader: Reader


def open_node(settings: Settings, chain: Chain) -> Node:
    """The chain by the configured RPC. Raises ConfigError where none is configured."""
    return Node(HttpTransport(rpc_url(settings, chain)), chain.chain_id)


def open_market(settings: Settings, name: str, node: Node, clock: Callable[[], int]) -> Market:
    """Find the campaign's pool and make sure it, its tokens and the quote are what they claim.

    Raises ConfigError, WrongChain or TokenRefused, the message beginning with the key to mend.
    """
    table, chain = settings.campaigns[name], settings.chain_of(name)
    key = f"campaigns.{name}"
    node.check_chain()
    pool = configured_pool(table, chain, node)
    for finding in node.ask(token_probe_question(pool, node.head())):
        require_exact(finding)
    quote = _one_of(pool, table.quote, f"{key}.quote")
    watch = Watch(
        pool=pool,
        quote=quote,
        native=chain.native,
        wrapped_native=chain.wrapped_native,
        native_pool=_native_pool(table, chain, node, pool, f"{key}.native_pool"),
        account=settings.account.address,
        positions=table.positions,
        twap_window_s=table.limits.twap_window_s,
        history_blocks=math.ceil(Fraction(table.limits.history_s) / chain.block_time_s),
    )
    return Market(
        chain=chain,
        node=node,
        pool=pool,
        quote=quote,
        budget=_budget(pool, table.budget, f"{key}.budget"),
        reader=Reader(node, chain.uniswap_v3, watch, clock),
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
    """The pool's token of that symbol or address."""
    matches = [
        token
        for token in (pool.token0, pool.token1)
        if name.lower() in (token.symbol.lower(), token.address.lower())
    ]
    if len(matches) == 1:
        return matches[0]
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


def open_campaign(
    settings: Settings, name: str, market: Market, ledger: Ledger, custody: Custody | None
) -> Campaign:
    """The campaign wired up. Without `custody` it is a dry run: nothing is sent, and the books it
    keeps are a copy in memory."""
    table = settings.campaigns[name]
    try:
        policy = make_policy(table.policy, table.options)
    except ConfigError as error:
        raise ConfigError(f"campaigns.{name}.{error}") from error
    books = Bookkeeper(
        name,
        ledger if custody is not None else ledger.rehearsal(),
        market.budget,
        _outside_transfers(market, settings.account.address),
    )
    return Campaign(
        name=name,
        read=lambda: market.reader.read(books.open_positions(market.pool)),
        policy=policy,
        limits=table.limits_for(market.chain, market.quote),
        books=books,
        custody=custody,
    )


def find_market(settings: Settings, name: str, clock: Callable[[], int]) -> Market:
    """The campaign's market by the configured RPC. Raises as `open_node` and `open_market`."""
    return open_market(settings, name, open_node(settings, settings.chain_of(name)), clock)


def dry_campaign(settings: Settings, name: str, clock: Callable[[], int]) -> Campaign:
    """The campaign by its RPC, with its books copied to memory: nothing is written or signed."""
    market = find_market(settings, name, clock)
    return open_campaign(settings, name, market, Ledger.read(settings.store), custody=None)


def live_campaign(
    settings: Settings,
    name: str,
    ledger: Ledger,
    signer: Signer,
    stop_asked: Callable[[], bool],
    clock: Callable[[], int],
) -> Campaign:
    """The campaign by its RPC, able to sign. Hold the lock at `lock_path` while it lives."""
    market = find_market(settings, name, clock)
    custody = wallet_custody(market, ledger, signer, stop_asked)
    return open_campaign(settings, name, market, ledger, custody)


def lock_path(settings: Settings, chain: Chain) -> Path:
    """The file whose lock keeps two programs from signing for one account of a chain: beside a
    SQLite store, else in the user's state folder."""
    name = f"lpmanager-{chain.chain_id}-{settings.account.address}.lock"
    store = make_url(settings.store)
    if store.get_backend_name() == "sqlite" and store.database:
        return Path(store.database).parent / name
    return Path.home() / ".local" / "state" / "lpmanager" / name


def wallet_custody(
    market: Market, ledger: Ledger, signer: Signer, stop_asked: Callable[[], bool]
) -> Executor:
    """Custody by the account that signs."""
    block_time = float(market.chain.block_time_s)
    policy = SendPolicy(
        timeout_s=max(30.0, _WAIT_BLOCKS * block_time),
        poll_s=min(block_time / _POLLS_PER_BLOCK, _LONGEST_POLL_S),
    )
    journal = TransactionJournal(ledger.engine, market.chain.chain_id)
    sender = Sender(market.node, signer, journal, policy)
    return Executor(
        market.node,
        market.chain.uniswap_v3,
        market.pool,
        market.chain.native,
        sender,
        stop_asked,
    )


def load_signer(settings: Settings, chain: Chain, ask_password: Callable[[], str]) -> Signer:
    """Who signs for the configured account. Raises ConfigError where the key is another's."""
    account = settings.account
    if settings.private_key is not None:
        key = settings.private_key.get_secret_value()
        signer: Signer = signer_from_clear_key(key, devnet=chain.devnet)
    elif account.keystore is not None:
        signer = signer_from_keystore(account.keystore, _password(settings, ask_password))
    else:
        raise ConfigError("account.keystore: missing; signing needs an encrypted keystore")
    if signer.address != account.address:
        raise ConfigError(
            f"account.address: is {account.address}, but the key signs for {signer.address}"
        )
    return signer


def _password(settings: Settings, ask: Callable[[], str]) -> str:
    if settings.keystore_password is not None:
        return settings.keystore_password.get_secret_value()
    path = settings.account.password_file
    if path is None:
        return ask()
    try:
        return path.read_text().rstrip("\n")
    except OSError as error:
        raise ConfigError(f"account.password_file: cannot read {path}: {error.strerror}") from error


def _outside_transfers(market: Market, account: str) -> OutsideTransfers:
    tokens = [market.pool.token0.address, market.pool.token1.address]

    def moved(first_block: int, last_block: int, ours: frozenset[str]) -> Amounts:
        found = find_transfers(market.node, tokens, account, first_block, last_block)
        outside = [transfer for transfer in found if transfer.tx_hash not in ours]
        return market.pool.amounts(*(received(outside, token, account) for token in tokens))

    return moved
