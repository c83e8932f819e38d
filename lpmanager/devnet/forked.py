"""A pool of another chain on a private copy of it, with a trader who can pay for anything."""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.crypto import keccak

from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.node import Question
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.deploy import created_address
from lpmanager.errors import ChainError
from lpmanager.execution.signer import Signer, signer_from_clear_key
from lpmanager.model import Amounts, PoolKey
from lpmanager.venues.erc20 import balance_of

#: What the trader gets of each token, in raw units: more than any flow can move, and it still fits
#: the 96 bits in which some tokens keep a balance.
_TRADER_RAW = 2**90

#: The manager's key on a fork. The dev accounts have a past on real chains: positions, code.
_MANAGER_KEY = "0x" + keccak(text="lpmanager: a manager on a fork").hex()
_MANAGER_NATIVE_WEI = 10_000 * 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkedPool:
    """A pool on a fork, and the market's trader put beside it."""

    pool: PoolKey
    flow_trader: str


def set_up_trader(backend: Backend, pool: PoolKey) -> ForkedPool:
    """Deploy the market's trader from the first dev account and give it both tokens."""
    controls, deployer = Controls(backend), backend.accounts[0]
    trader = created_address(deployer, controls.nonce(deployer))
    creation = own_artifact("FlowTrader").creation()
    controls.execute(deployer, None, creation, what="deploy FlowTrader")
    deal(backend, trader, pool.amounts(_TRADER_RAW, _TRADER_RAW))
    return ForkedPool(pool=pool, flow_trader=trader)


def fork_manager(backend: Backend) -> Signer:
    """An account without a past, able to pay for gas."""
    signer = signer_from_clear_key(_MANAGER_KEY, devnet=True)
    _cheat(backend, "anvil_setBalance", [signer.address, hex(_MANAGER_NATIVE_WEI)])
    return signer


def deal(backend: Backend, account: str, amounts: Amounts) -> None:
    """Set an account's balances of both tokens, from nothing, as only anvil can.

    Raises ChainError where a token's balance cannot be set that way.
    """
    node = Controls(backend).node
    for amount in (amounts.amount0, amounts.amount1):
        token = amount.token
        _cheat(backend, "anvil_dealERC20", [account, token.address, hex(amount.raw)])
        found = node.call(balance_of(token.address, account), node.head())
        if found != amount.raw:
            raise ChainError(
                f"{token.symbol} ({token.address}): its balances cannot be set on a fork: wanted "
                f"{amount.raw}, found {found}"
            )


def _cheat(backend: Backend, method: str, params: list[str]) -> None:
    Controls(backend).node.ask(Question(method, params, lambda result: result))
