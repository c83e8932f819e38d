"""A campaign's vault as its owner meets it: where it is, what it is told and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lpmanager.chain.node import Node, balance_question
from lpmanager.chain.presets import Chain
from lpmanager.chain.vaults import read_vault, require_of_pool
from lpmanager.desk.markets import configured_pool
from lpmanager.desk.nodes import booked_genesis, open_node
from lpmanager.errors import ConfigError, UsageError
from lpmanager.model import Amount, Amounts, Block, PoolKey, TickRange, VaultState
from lpmanager.settings import Settings
from lpmanager.venues import erc20, liquidity_vault


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultDesk:
    """What the owner of a campaign's vault works with. `vault` is None where the configuration
    names none yet; `operator` is the configured account."""

    campaign: str
    chain: Chain
    node: Node
    pool: PoolKey
    owner: str
    operator: str
    vault: str | None

    def require_vault(self) -> str:
        """The vault's address. Raises UsageError before one is configured."""
        if self.vault is None:
            raise UsageError(
                f"campaign {self.campaign} has no vault; make one with `lpm vault deploy "
                f"{self.campaign}` and put the lines that it tells into the configuration"
            )
        return self.vault


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultStatus:
    """A vault and its owner's account at a block. `idle` lies in the vault outside positions,
    `owners` and `native` in the owner's account."""

    block: Block
    state: VaultState
    ranges: tuple[TickRange, ...]
    idle: Amounts
    owners: Amounts
    native: Amount


def open_vault_desk(settings: Settings, name: str, clock: Callable[[], int]) -> VaultDesk:
    """The desk of a campaign's vault. Raises ConfigError where no owner is configured, and as
    `open_node` and `configured_pool`."""
    owner = settings.owner_signatory().table.address
    chain, table = settings.chain_of(name), settings.campaigns[name]
    node = open_node(settings, chain, clock, booked_genesis(settings, chain))
    node.check_chain()
    return VaultDesk(
        campaign=name,
        chain=chain,
        node=node,
        pool=configured_pool(table, chain, node),
        owner=owner,
        operator=settings.account.address,
        vault=table.vault,
    )


def look(desk: VaultDesk) -> VaultStatus:
    """The vault at the newest block. Raises ConfigError where it is of another pool.

    Its code need not be ours: what is in a vault of another version must come out too.
    """
    vault, head = desk.require_vault(), desk.node.head()
    try:
        require_of_pool(desk.node, vault, desk.pool, head)
    except ConfigError as error:
        raise ConfigError(f"campaigns.{desk.campaign}.vault: {error}") from error
    return VaultStatus(
        block=head,
        state=read_vault(desk.node, vault, head),
        ranges=desk.node.call(liquidity_vault.ranges(vault), head),
        idle=_balances(desk, vault, head),
        owners=_balances(desk, desk.owner, head),
        native=Amount(desk.chain.native, desk.node.ask(balance_question(desk.owner, head))),
    )


def _balances(desk: VaultDesk, account: str, at: Block) -> Amounts:
    tokens = (desk.pool.token0.address, desk.pool.token1.address)
    raw0, raw1 = desk.node.call_many([erc20.balance_of(t, account) for t in tokens], at)
    return desk.pool.amounts(raw0, raw1)
