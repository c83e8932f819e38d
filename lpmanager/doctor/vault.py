"""What a campaign needs of its vault: that it is ours, runs for our account, and may act now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from functools import partial

from lpmanager.chain.node import Node
from lpmanager.chain.vaults import read_vault, require_of_pool, require_ours
from lpmanager.desk.markets import configured_pool
from lpmanager.doctor.check import Check, attempt
from lpmanager.errors import ChainError, GuardVeto, LpmError
from lpmanager.model import Block, VaultState
from lpmanager.settings import Settings
from lpmanager.venues import liquidity_vault, uniswap_v3

_WAD = 10**18


def look_at_vault(settings: Settings, name: str, node: Node, vault: str) -> Iterator[Check]:
    """The code first: what another contract says of itself proves nothing."""
    code = attempt(name, "vault code", partial(_code, node, vault), needed=True)
    yield code
    if not code.passed:
        return
    try:
        head = node.head()
        state = read_vault(node, vault, head)
    except LpmError as error:
        yield Check(subject=name, name="vault state", passed=False, found=str(error))
        return
    looks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("vault pool", partial(_pool, settings, name, node, vault, head)),
        ("vault owner", partial(_owner, settings, state)),
        ("vault operator", partial(_operator, settings, name, state)),
        ("vault pause", partial(_pause, name, state)),
        ("vault oracle", partial(_oracle, node, state, head)),
        ("vault budget", partial(_budget, state)),
        ("vault cooldown", partial(_cooldown, state, head)),
    )
    for what, look in looks:
        yield attempt(name, what, look)


def _code(node: Node, vault: str) -> str:
    require_ours(node, vault, node.head())
    return f"{vault} has this version's code, byte for byte"


def _pool(settings: Settings, name: str, node: Node, vault: str, head: Block) -> str:
    pool = configured_pool(settings.campaigns[name], settings.chain_of(name), node)
    require_of_pool(node, vault, pool, head)
    return f"{pool.address}, the campaign's"


def _owner(settings: Settings, state: VaultState) -> str:
    if settings.owner is None:
        return f"{state.owner}, who is not configured here"
    if settings.owner.address != state.owner:
        raise GuardVeto(
            f"the vault is owned by {state.owner}, owner.address is {settings.owner.address}; "
            "correct it, or no `lpm vault` command is this owner's"
        )
    return f"{state.owner}, as owner.address says"


def _operator(settings: Settings, name: str, state: VaultState) -> str:
    account = settings.account.address
    if state.operator != account:
        raise GuardVeto(
            f"the vault is run by {state.operator}, account.address is {account}; its owner mends "
            f"it by `lpm vault set-operator {name} {account}`"
        )
    return f"{account}, the account"


def _pause(name: str, state: VaultState) -> str:
    if state.paused:
        raise GuardVeto(f"paused; its owner ends that by `lpm vault unpause {name}`")
    return "not paused"


def _oracle(node: Node, state: VaultState, head: Block) -> str:
    window = state.bounds.twap_window_s
    pool = node.call(liquidity_vault.pool(state.address), head)
    try:
        node.call(uniswap_v3.observe(pool, window), head)
    except ChainError as error:
        raise GuardVeto(
            f"the vault averages the price over {window} s, and the pool's oracle does not reach "
            f"back as far; at {pool} call increaseObservationCardinalityNext, and wait"
        ) from error
    return f"the pool's oracle reaches back the vault's {window} s"


def _budget(state: VaultState) -> str:
    left = f"{float(Fraction(state.budget_left_wad, _WAD)):.4%} may be lost now"
    if state.budget_left_wad == 0:
        raise GuardVeto(f"{left}: the day's losses are used up, and come back within a day")
    return left


def _cooldown(state: VaultState, head: Block) -> str:
    if state.ready_at <= head.timestamp:
        return "over"
    return f"until {datetime.fromtimestamp(state.ready_at, UTC):%Y-%m-%d %H:%M:%S} UTC"
