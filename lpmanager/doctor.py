"""Everything that must be right before money moves, looked at one by one."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import make_url

from lpmanager.chain.node import Node, code_question
from lpmanager.chain.presets import Chain
from lpmanager.chain.token_probe import require_exact, token_probe_question
from lpmanager.desk import configured_pool, lock_path, open_market, open_node
from lpmanager.errors import ChainError, ConfigError, LpmError, StoreError
from lpmanager.ledger.store import Ledger
from lpmanager.model import Amount, Snapshot
from lpmanager.rebalancer import Limits
from lpmanager.rebalancer.economics import GAS_UNITS
from lpmanager.risk import assess
from lpmanager.risk.guards import market_gates
from lpmanager.scheduler import only_one
from lpmanager.settings import Settings

#: What one change of range takes, and as much again in reserve.
_GAS_RESERVE = 2 * (GAS_UNITS["withdraw"] + GAS_UNITS["swap"] + GAS_UNITS["mint"])

_NOT_OWNER = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One precondition of `subject`: a campaign, a chain or a part of the configuration.

    `found` says what was seen and, where it failed, how to mend it.
    """

    subject: str
    name: str
    passed: bool
    found: str


def examine(settings: Settings, names: Sequence[str], clock: Callable[[], int]) -> list[Check]:
    """Look at the machine, then the chains, then the campaigns. Nothing is written or signed."""
    chains = {settings.chain_of(name).name: settings.chain_of(name) for name in names}
    checks = [*_own(settings, list(chains.values()))]
    reached: dict[str, Node] = {}
    for chain in chains.values():
        found = list(_chain(settings, chain))
        checks += found
        if found[0].passed:
            reached[chain.name] = open_node(settings, chain)
    for name in names:
        node = reached.get(settings.chain_of(name).name)
        if node is not None:
            checks += _campaign(settings, name, node, clock)
    return checks


def _own(settings: Settings, chains: Sequence[Chain]) -> Iterator[Check]:
    """What lies on this machine."""
    yield _attempt("store", "database", lambda: _database(settings.store))
    yield _attempt("account", "signing key", lambda: _key(settings, chains))
    for chain in chains:
        path = lock_path(settings, chain)
        yield _attempt("account", f"lock on {chain.name}", partial(_lock, path))


def _database(store: str) -> str:
    address = make_url(store)
    if address.get_backend_name() != "sqlite" or not address.database:
        Ledger.open(store)
        return f"{address.get_backend_name()} opens"
    Ledger.read(store)
    path = Path(address.database)
    place = path if path.exists() else path.parent
    if not os.access(place, os.W_OK):
        raise StoreError(f"{place}: is not writable; correct its rights, or name another store")
    return f"{path} opens" if path.exists() else f"{path} will be made by the first live run"


def _key(settings: Settings, chains: Sequence[Chain]) -> str:
    if settings.private_key is not None:
        for chain in chains:
            if not chain.devnet:
                raise ConfigError(
                    f"LPM_PRIVATE_KEY: a key in clear text is refused on {chain.name}; put it "
                    "into a keystore and set account.keystore"
                )
        return "in clear text, which a devnet accepts"
    path = settings.account.keystore
    if path is None:
        return "none, so dry runs only"
    try:
        mode, keystore = path.stat().st_mode, json.loads(path.read_text())
    except OSError as error:
        raise ConfigError(f"account.keystore: cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"account.keystore: {path} is no keystore v3 file") from error
    if mode & _NOT_OWNER:
        raise ConfigError(f"account.keystore: others may read {path}; run `chmod 600 {path}`")
    if not isinstance(keystore, dict) or "crypto" not in {key.lower() for key in keystore}:
        raise ConfigError(f"account.keystore: {path} is no keystore v3 file")
    return f"{path}, for its owner alone"


def _lock(path: Path) -> str:
    if path.exists():
        with only_one(path):
            return "free"
    return "free"


def _chain(settings: Settings, chain: Chain) -> Iterator[Check]:
    """The RPC first: where it fails, nothing else is asked."""
    right = _attempt(chain.name, "RPC and chain id", lambda: _right_chain(settings, chain))
    yield right
    if right.passed:
        node = open_node(settings, chain)
        yield _attempt(chain.name, "venue contracts", lambda: _venue(node, chain))


def _right_chain(settings: Settings, chain: Chain) -> str:
    open_node(settings, chain).check_chain()
    return f"answers for chain {chain.chain_id}"


def _venue(node: Node, chain: Chain) -> str:
    venue = chain.uniswap_v3
    named = {
        "factory": venue.factory,
        "position_manager": venue.position_manager,
        "swap_router": venue.swap_router,
        "quoter": venue.quoter,
        "tick_lens": venue.tick_lens,
        "wrapped native coin": chain.wrapped_native,
    }
    at = node.head()
    codes = node.ask_many([code_question(address, at) for address in named.values()])
    missing = [f"{n} {a}" for (n, a), code in zip(named.items(), codes, strict=True) if not code]
    if missing:
        raise ChainError(f"no contract at {', '.join(missing)}; correct the chain's addresses")
    return f"all {len(named)} have code"


def _campaign(
    settings: Settings, name: str, node: Node, clock: Callable[[], int]
) -> Iterator[Check]:
    """The pool, its tokens, and what can be read; each only where the one before it is right."""
    for what, look in (
        ("pool", lambda: _pool(settings, name, node)),
        ("tokens", lambda: _tokens(settings, name, node)),
    ):
        check = _attempt(name, what, look)
        yield check
        if not check.passed:
            return
    try:
        market = open_market(settings, name, node, clock)
        snapshot = market.reader.read()
    except LpmError as error:
        yield Check(subject=name, name="snapshot", passed=False, found=str(error))
        return
    limits = settings.campaigns[name].limits_for(market.chain, market.quote)
    yield from _snapshot(name, snapshot, limits)


def _pool(settings: Settings, name: str, node: Node) -> str:
    pool = configured_pool(settings.campaigns[name], settings.chain_of(name), node)
    return f"{pool} at {pool.address}, made by the factory"


def _tokens(settings: Settings, name: str, node: Node) -> str:
    pool = configured_pool(settings.campaigns[name], settings.chain_of(name), node)
    for finding in node.ask(token_probe_question(pool, node.head())):
        require_exact(finding)
    return f"{pool.token0.symbol} and {pool.token1.symbol} deliver what is sent"


def _snapshot(name: str, snapshot: Snapshot, limits: Limits) -> Iterator[Check]:
    for gate in market_gates(snapshot, assess(snapshot), limits):
        found = f"{gate.measured}, limit {gate.limit}: {gate.reason}"
        yield Check(subject=name, name=gate.name, passed=gate.passed, found=found)
    wallet, positions = snapshot.wallet, len(snapshot.positions)
    yield Check(
        subject=name,
        name="funds",
        passed=positions > 0 or not wallet.balances.is_zero,
        found=f"{wallet.balances} in the wallet, {positions} positions"
        if positions or not wallet.balances.is_zero
        else f"nothing; send some of the pool's tokens to {wallet.address}",
    )
    needed = Amount(wallet.native.token, _GAS_RESERVE * snapshot.gas_price)
    paid = needed <= wallet.native
    advice = "" if paid else f"; send some to {wallet.address}"
    yield Check(
        subject=name,
        name="gas money",
        passed=paid,
        found=f"{wallet.native}, two changes of range take {needed}{advice}",
    )
    left = [f"{raw} raw of {token} to {spender}" for token, spender, raw in wallet.allowances]
    yield Check(
        subject=name,
        name="allowances",
        passed=not left,
        found=f"left over: {'; '.join(left)}; revoke by approving 0" if left else "none left over",
    )


def _attempt(subject: str, name: str, look: Callable[[], str]) -> Check:
    """What `look` found, or the error that tells how to mend it."""
    try:
        return Check(subject=subject, name=name, passed=True, found=look())
    except LpmError as error:
        return Check(subject=subject, name=name, passed=False, found=str(error))
