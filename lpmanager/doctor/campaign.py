"""What a campaign needs: its pool, tokens that behave, an oracle, its vault, funds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import partial

from lpmanager.bookkeeping import Bookkeeper
from lpmanager.chain.node import Node
from lpmanager.chain.token_probe import require_exact, token_probe_question
from lpmanager.desk.campaigns import open_books
from lpmanager.desk.markets import Market, configured_pool, open_market
from lpmanager.doctor.check import Check, attempt
from lpmanager.doctor.machine import at_work
from lpmanager.doctor.vault import look_at_vault
from lpmanager.errors import ChainError, GuardVeto, LpmError, MaybeSent
from lpmanager.ledger.store import Ledger
from lpmanager.model import Amount, Snapshot
from lpmanager.rebalancer.economics import gas_units
from lpmanager.risk import assess
from lpmanager.risk.guards import market_gates
from lpmanager.settings import Settings
from lpmanager.venues import uniswap_v3

#: What a change of range consists of.
_RERANGE = ("withdraw", "swap", "mint")


def look_at_campaign(
    settings: Settings, name: str, node: Node, clock: Callable[[], int], copy: Ledger | None
) -> Iterator[Check]:
    """The pool, its tokens, and what can be read; each only where the one before it is right.

    New books are opened in `copy`, one of the store's that is forgotten afterwards; None where the
    store does not open.
    """
    for what, look in (("pool", _pool), ("tokens", _tokens), ("oracle", _oracle)):
        check = attempt(name, what, partial(look, settings, name, node))
        yield check
        if not check.passed and what != "oracle":
            return
    vault = settings.campaigns[name].vault
    if vault is not None:
        yield from look_at_vault(settings, name, node, vault)
    try:
        market = open_market(settings, name, node, clock)
        snapshot = market.reader.read()
    except LpmError as error:
        yield Check(subject=name, name="snapshot", passed=False, found=str(error))
        return
    limits = settings.campaigns[name].limits_for(market.chain, market.quote)
    for gate in market_gates(snapshot, assess(snapshot), limits):
        found = f"{gate.measured}, limit {gate.limit}: {gate.reason}"
        yield Check(subject=name, name=gate.name, passed=gate.passed, found=found)
    books = None
    if copy is not None and copy.campaign(name) is None:
        books = open_books(settings, name, market, copy)
    yield attempt(name, "funds", partial(_funds, snapshot, books))
    yield attempt(name, "gas money", partial(_gas_money, snapshot))
    yield attempt(name, "allowances", partial(_allowances, settings, market, snapshot))


def _pool(settings: Settings, name: str, node: Node) -> str:
    pool = configured_pool(settings.campaigns[name], settings.chain_of(name), node)
    return f"{pool} at {pool.address}, made by the factory"


def _tokens(settings: Settings, name: str, node: Node) -> str:
    pool = configured_pool(settings.campaigns[name], settings.chain_of(name), node)
    for finding in node.ask(token_probe_question(pool, node.head())):
        require_exact(finding)
    return f"{pool.token0.symbol} and {pool.token1.symbol} deliver what is sent"


def _oracle(settings: Settings, name: str, node: Node) -> str:
    """How far back the pool's own prices reach, at the least and now."""
    table, chain = settings.campaigns[name], settings.chain_of(name)
    pool, window = configured_pool(table, chain, node), table.limits.twap_window_s
    head = node.head()
    slots = node.call(uniswap_v3.oracle_slots(pool.address), head)
    needed = math.ceil(Fraction(window) / chain.block_time_s) + 1
    grow = (
        f"at {pool.address} call increaseObservationCardinalityNext({needed}), or shorten "
        "limits.twap_window_s"
    )
    try:
        node.call(uniswap_v3.observe(pool.address, window), head)
    except ChainError as error:
        raise GuardVeto(
            f"expected prices of the last {window} s, and {slots} kept do not reach back as far; "
            f"{grow}, and wait"
        ) from error
    if slots < needed:
        return f"{slots} prices reach back {window} s now, not when every block has a swap; {grow}"
    return f"{slots} prices reach back {window} s at any time"


def _funds(snapshot: Snapshot, new: Bookkeeper | None) -> str:
    """What there is; of a campaign whose books are `new`, whether they can be opened with it."""
    wallet, positions = snapshot.wallet, len(snapshot.positions)
    if not positions and wallet.balances.is_zero:
        raise GuardVeto(f"nothing; send some of the pool's tokens to {wallet.address}")
    if new is not None:
        with suppress(MaybeSent):  # until that has ended no books are opened
            new.bring_up_to(snapshot)
    where = "the wallet" if snapshot.vault is None else "the vault"
    return f"{wallet.balances} in {where}, {positions} positions"


def _gas_money(snapshot: Snapshot) -> str:
    wallet = snapshot.wallet
    units = gas_units(snapshot.vault).of_up(_RERANGE)
    needed = Amount(wallet.native.token, 2 * units * snapshot.gas_price)
    found = f"{wallet.native}, two changes of range take {needed}"
    if wallet.native < needed:
        raise GuardVeto(f"{found}; send some to {wallet.signer}")
    return found


def _allowances(settings: Settings, market: Market, snapshot: Snapshot) -> str:
    wallet = snapshot.wallet
    left = "; ".join(f"{raw} raw of {t} to {spender}" for t, spender, raw in wallet.allowances)
    if not left:
        return "none left over"
    other = at_work(settings, market.chain, wallet.signer)
    if other is not None:
        return f"{left}; {other}, uses it and takes it back"
    raise GuardVeto(f"left over: {left}; revoke by approving 0")
