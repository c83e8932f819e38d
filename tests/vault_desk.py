"""Desks of users whose campaign is to be held by a vault: one key runs it, another owns it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from live_desk import ETHER, START, Desk, Devnet, new_desk

from lpmanager.abi import Function
from lpmanager.devnet.deploy import fund
from lpmanager.devnet.orders import AddLiquidity
from lpmanager.model import Liquidity, TickRange
from lpmanager.venues import erc20

USDC = 10**6
CREATE_POOL = Function("createPool(address,address,uint24)")
GET_POOL = Function("getPool(address,address,uint24)", "(address)")
INITIALIZE = Function("initialize(uint160)")


@dataclass(frozen=True)
class VaultDesk(Desk):
    """A desk with an owner besides the account, who holds the tokens."""

    owner: str
    owner_key: str

    def json_of(self, *arguments: str) -> Any:
        return self.json("vault", *arguments)

    def deployed(self, *options: str) -> str:
        """Deploy a vault and configure it; its address."""
        vault = str(self.json_of("deploy", "main", *options, "--live")["vault"])
        self.edit("[campaigns.main]\n", f'[campaigns.main]\ncustody = "vault"\nvault = "{vault}"\n')
        return vault

    def balances(self, account: str) -> tuple[int, int]:
        """USDC and WETH of an account, in raw units."""
        node, pool = self.devnet.controls.node, self.devnet.deployment.pool
        tokens = (pool.token0.address, pool.token1.address)
        raw0, raw1 = node.call_many([erc20.balance_of(t, account) for t in tokens], node.head())
        return raw0, raw1


def a_vault_desk(devnet: Devnet, folder: Path, name: str) -> VaultDesk:
    """A desk whose owner has 50,000 USDC and 22 WETH; both accounts have native coin for gas."""
    made = new_desk(devnet, folder, name)
    key = keccak(text=f"owner of {name}")
    owner = str(Account.from_key(key).address)
    desk = VaultDesk(devnet, folder, made.account, made.key, owner, "0x" + key.hex())
    desk.edit("[schedule]", f'[owner]\naddress = "{owner}"\n\n[schedule]')
    with (folder / ".env").open("a") as env:
        env.write(f"LPM_OWNER_PRIVATE_KEY={desk.owner_key}\n")
    for account in (desk.account, owner):
        devnet.give_native(account, 10 * ETHER)
    deployment = devnet.deployment
    fund(devnet.backend, deployment, owner, deployment.pool.amounts(50_000 * USDC, 22 * ETHER))
    return desk


def another_pool(devnet: Devnet) -> str:
    """A pool of the same tokens with another fee, in which others provide liquidity."""
    deployment, controls = devnet.deployment, devnet.controls
    pool, somebody = deployment.pool, devnet.backend.accounts[1]
    tokens = (pool.token0.address, pool.token1.address)
    creation = CREATE_POOL.encode(*tokens, 3_000)
    controls.execute(somebody, deployment.factory, creation, what="create the pool")
    made = controls.node.call(
        GET_POOL.call(deployment.factory, *tokens, 3_000, read=to_checksum_address),
        controls.node.head(),
    )
    controls.execute(somebody, made, INITIALIZE.encode(START), what="initialize")
    order = AddLiquidity(range=TickRange(-887_220, 887_220), liquidity=Liquidity(ETHER))
    controls.execute(somebody, deployment.flow_trader, order.calldata(made), what="provide")
    return str(made)
