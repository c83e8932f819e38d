"""What a vault's operator may sign, and what its owner may. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lpmanager.abi import Function
from lpmanager.execution.allowed import (
    MOST_GAS,
    arguments_of,
    expect,
    expect_account,
    function_of,
    refuse,
)
from lpmanager.model import PoolKey

_BOUNDS = "(uint32,uint24,uint24,uint24,uint32,uint24,uint24)"
_REBALANCE = Function(
    "rebalance(uint256,(uint256,uint256,uint256,(bool,uint128,uint160,uint256),"
    "(int24,int24,uint256,uint256,uint256,uint256)[]),uint256)"
)
_COLLECT_FEES = Function("collectFees()")
_WITHDRAW = Function("withdraw(address,uint256,address)")
_EXIT = Function("exit(address,bool,bool)")
_OWNERS = (
    _WITHDRAW,
    _EXIT,
    Function("proposeOwner(address)"),
    Function("acceptOwner()"),
    Function("setOperator(address)"),
    Function("setGuardian(address)"),
    Function(f"setBounds({_BOUNDS})"),
    Function("pause()"),
    Function("unpause()"),
)
_TRANSFER = Function("transfer(address,uint256)")
_CONSTRUCTOR = Function(f"constructor(address,address,address,address,address,{_BOUNDS})")


#: The deployer without a key or an owner (EIP-1014 by a salt), and what its calldata begins with.
_DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
_SALT_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAllowList:
    """What the operator of one vault may sign: to rebalance it and to collect its fees, both of
    which the vault itself binds. `max_fee` is the most it offers, in wei per gas."""

    chain_id: int
    account: str
    vault: str
    max_fee: int
    max_gas: int = MOST_GAS

    def require_call(self, to: str, data: bytes) -> None:
        """As AllowList."""
        expect("contract", f"vault {self.vault}", to, to == self.vault)
        arguments_of(function_of(data, (_REBALANCE, _COLLECT_FEES), "the vault"), data)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerAllowList:
    """What the owner of one vault may sign: the owner's functions on it, and transfers of the
    pool's tokens to it. What is taken out goes to `recipient`, as the owner asked for.

    `max_fee` is the most it offers, in wei per gas.
    """

    chain_id: int
    account: str
    vault: str
    pool: PoolKey
    recipient: str
    max_fee: int
    max_gas: int = MOST_GAS

    def require_call(self, to: str, data: bytes) -> None:
        """As AllowList."""
        if to == self.vault:
            self._require_owners_call(data)
        elif to in (self.pool.token0.address, self.pool.token1.address):
            arguments = arguments_of(function_of(data, (_TRANSFER,), "a token"), data)
            expect_account("recipient of the transfer", self.vault, arguments[0])
        else:
            refuse("contract", f"vault {self.vault} or the pool's tokens", to)

    def _require_owners_call(self, data: bytes) -> None:
        function = function_of(data, _OWNERS, "the vault")
        arguments = arguments_of(function, data)
        if function is _WITHDRAW:
            expect_account("recipient of the withdrawal", self.recipient, arguments[2])
        elif function is _EXIT:
            expect_account("recipient of the exit", self.recipient, arguments[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentAllowList:
    """What may be signed to deploy a vault by the deterministic deployer: its very creation code,
    for this pool of this factory and this owner.

    `max_fee` is the most it offers, in wei per gas.
    """

    chain_id: int
    account: str
    creation: bytes
    factory: str
    pool: PoolKey
    owner: str
    max_fee: int
    max_gas: int = MOST_GAS

    def require_call(self, to: str, data: bytes) -> None:
        """As AllowList."""
        expect("contract", f"deployer {_DEPLOYER}", to, to == _DEPLOYER)
        start, end = _SALT_SIZE, _SALT_SIZE + len(self.creation)
        expect("creation code", "the vault's", "another", data[start:end] == self.creation)
        factory, pool, owner, *_ = _constructor_arguments(data[end:])
        expect_account("factory of the vault", self.factory, factory)
        expect_account("pool of the vault", self.pool.address, pool)
        expect_account("owner of the vault", self.owner, owner)


def _constructor_arguments(data: bytes) -> tuple[Any, ...]:
    # As calldata they would begin with a selector, which a creation has not.
    return arguments_of(_CONSTRUCTOR, _CONSTRUCTOR.selector + data)
