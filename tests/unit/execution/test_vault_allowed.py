"""A vault's operator signs two functions of that vault, its owner the owner's, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from builders import ACCOUNT, CHAIN_ID, USDC, WETH, a_pool, a_range, amounts
from signing_requests import GWEI, a_transaction

from lpmanager.abi import Function
from lpmanager.chain.artifacts import own_artifact
from lpmanager.errors import SigningRefused
from lpmanager.execution.allowed import AllowList, require_allowed
from lpmanager.execution.vault_allowed import (
    DeploymentAllowList,
    OperatorAllowList,
    OwnerAllowList,
)
from lpmanager.model import Amount, Mint, SqrtPriceX96, Swap, SwapPurpose, VaultBounds
from lpmanager.venues import erc20, liquidity_vault
from lpmanager.venues.liquidity_vault import NOBODY, UINT256_MAX, Rebalance

VAULT = "0x00000000000000000000000000000000000000D1"
OTHER_VAULT = "0x00000000000000000000000000000000000000D2"
FACTORY = "0x00000000000000000000000000000000000000F1"
OWNER = "0x00000000000000000000000000000000000000B1"
SAFE = "0x00000000000000000000000000000000000000B2"
STRANGER = "0x00000000000000000000000000000000000000E1"
DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
ORDER = Rebalance(
    keep=1,
    burn_minimum=amounts(1, 2),
    swap=Swap(
        purpose=SwapPurpose.RERANGE,
        amount_in=Amount(USDC, 10),
        expected_out=Amount(WETH, 9),
        minimum_out=Amount(WETH, 8),
        sqrt_price_limit_x96=SqrtPriceX96(2**95),
    ),
    mints=(Mint(range=a_range("[-10, 10)"), desired=amounts(7, 8), minimum=amounts(5, 6)),),
)
REBALANCE = liquidity_vault.rebalance(3, ORDER, 2**40)
BOUNDS = VaultBounds(
    twap_window_s=600,
    max_deviation_ticks=100,
    min_width_ticks=100,
    max_move_ticks=1_000,
    cooldown_s=600,
    max_loss_per_call_pips=1_000,
    max_loss_per_day_pips=10_000,
)
TRANSFER = Function("transfer(address,uint256)")
OPERATORS_CALLS = {"rebalance": REBALANCE, "collectFees": liquidity_vault.collect_fees()}
OWNERS_CALLS = {
    "withdraw": liquidity_vault.withdraw(USDC.address, UINT256_MAX, SAFE),
    "exit": liquidity_vault.exit_all(SAFE),
    "proposeOwner": liquidity_vault.propose_owner(STRANGER),
    "acceptOwner": liquidity_vault.accept_owner(),
    "setOperator": liquidity_vault.set_operator(NOBODY),
    "setGuardian": liquidity_vault.set_guardian(STRANGER),
    "setBounds": liquidity_vault.set_bounds(BOUNDS),
    "pause": liquidity_vault.pause(),
    "unpause": liquidity_vault.unpause(),
}
CREATION = own_artifact("LiquidityVault").bytecode
POOL = a_pool()


def operators() -> OperatorAllowList:
    return OperatorAllowList(chain_id=CHAIN_ID, account=ACCOUNT, vault=VAULT, max_fee=100 * GWEI)


def owners() -> OwnerAllowList:
    return OwnerAllowList(
        chain_id=CHAIN_ID,
        account=OWNER,
        vault=VAULT,
        pool=POOL,
        recipient=SAFE,
        max_fee=100 * GWEI,
    )


def deployers() -> DeploymentAllowList:
    return DeploymentAllowList(
        chain_id=CHAIN_ID,
        account=OWNER,
        creation=CREATION,
        factory=FACTORY,
        pool=POOL,
        owner=OWNER,
        max_fee=100 * GWEI,
    )


def creation(
    *, code: bytes = CREATION, factory: str = FACTORY, pool: str = POOL.address, owner: str = OWNER
) -> bytes:
    shape = f"creation({','.join(liquidity_vault.CONSTRUCTOR)})"
    words = liquidity_vault.bounds_words(BOUNDS)
    arguments = Function(shape).encode(factory, pool, owner, ACCOUNT, NOBODY, words)[4:]
    return bytes(32) + code + arguments


def allow(allowed: AllowList, to: str, data: bytes = b"", **changes: Any) -> None:
    require_allowed(a_transaction(to, data, **changes), allowed)


def refusal(allowed: AllowList, to: str, data: bytes = b"", **changes: Any) -> str:
    with pytest.raises(SigningRefused) as caught:
        allow(allowed, to, data, **changes)
    return str(caught.value)


@pytest.mark.parametrize("name", OPERATORS_CALLS)
def test_an_operator_rebalances_the_vault_and_collects_its_fees(name: str) -> None:
    allow(operators(), VAULT, OPERATORS_CALLS[name])


@pytest.mark.parametrize("name", OWNERS_CALLS)
def test_an_operator_signs_nothing_that_is_the_owners(name: str) -> None:
    assert "function of the vault: expected rebalance, collectFees" in refusal(
        operators(), VAULT, OWNERS_CALLS[name]
    )


@pytest.mark.parametrize(
    ("to", "data"),
    [
        (OTHER_VAULT, REBALANCE),
        (POOL.address, REBALANCE),
        (USDC.address, erc20.approve(VAULT, 1)),
        (USDC.address, TRANSFER.encode(VAULT, 1)),
        (STRANGER, b""),
        (DEPLOYER, creation()),
    ],
    ids=["another vault", "the pool", "an allowance", "a transfer", "nothing", "a deployment"],
)
def test_an_operator_calls_no_other_contract_and_allows_and_transfers_nothing(
    to: str, data: bytes
) -> None:
    assert f"contract: expected vault {VAULT}" in refusal(operators(), to, data)


@pytest.mark.parametrize("name", OPERATORS_CALLS)
def test_what_an_operator_signs_holds_its_arguments_alone(name: str) -> None:
    data = OPERATORS_CALLS[name]
    assert "refused to sign" in refusal(operators(), VAULT, data + b"\0")
    assert "refused to sign" in refusal(operators(), VAULT, data + bytes(32))
    assert "refused to sign" in refusal(operators(), VAULT, data[:-1])


@pytest.mark.parametrize("name", OWNERS_CALLS)
def test_an_owner_signs_every_function_of_the_owner(name: str) -> None:
    allow(owners(), VAULT, OWNERS_CALLS[name])


@pytest.mark.parametrize("name", OPERATORS_CALLS)
def test_an_owners_key_is_not_used_to_rebalance(name: str) -> None:
    assert "function of the vault" in refusal(owners(), VAULT, OPERATORS_CALLS[name])
    assert "function of the vault" in refusal(owners(), VAULT, b"")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (liquidity_vault.withdraw(USDC.address, 1, STRANGER), "recipient of the withdrawal"),
        (liquidity_vault.exit_all(STRANGER), "recipient of the exit"),
    ],
    ids=["withdraw", "exit"],
)
def test_what_an_owner_takes_out_goes_where_the_owner_said(data: bytes, what: str) -> None:
    assert f"{what}: expected {SAFE}" in refusal(owners(), VAULT, data)


@pytest.mark.parametrize("token", [USDC, WETH])
def test_an_owner_funds_the_vault_with_the_pools_tokens_and_nobody_else(token: Any) -> None:
    allow(owners(), token.address, TRANSFER.encode(VAULT, 7))
    theft = TRANSFER.encode(STRANGER, 7)
    assert f"recipient of the transfer: expected {VAULT}" in refusal(owners(), token.address, theft)
    allowance = erc20.approve(VAULT, 7)
    assert "function of a token: expected transfer" in refusal(owners(), token.address, allowance)


@pytest.mark.parametrize("to", [OTHER_VAULT, POOL.address, STRANGER, DEPLOYER])
def test_an_owner_calls_no_other_contract(to: str) -> None:
    assert "contract: expected vault" in refusal(owners(), to, liquidity_vault.pause())


def test_a_deployment_is_the_vaults_code_for_the_pool_and_the_owner() -> None:
    allow(deployers(), DEPLOYER, creation(), gas=6_000_000)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (creation(code=CREATION[:-1] + bytes([CREATION[-1] ^ 1])), "creation code"),
        (creation(code=b""), "creation code"),
        (creation(factory=STRANGER), "factory of the vault"),
        (creation(pool=STRANGER), "pool of the vault"),
        (creation(owner=STRANGER), "owner of the vault"),
        (creation() + b"\0", "its arguments alone"),
        (creation()[:-32], "found 352 bytes that do not decode"),
    ],
    ids=["a bit", "no code", "factory", "pool", "owner", "a byte more", "a word less"],
)
def test_no_other_contract_is_deployed(data: bytes, what: str) -> None:
    assert what in refusal(deployers(), DEPLOYER, data)


def test_who_deploys_calls_nothing() -> None:
    assert f"contract: expected deployer {DEPLOYER}" in refusal(deployers(), VAULT, creation())


@pytest.mark.parametrize("allowed", [operators(), owners(), deployers()])
def test_fees_value_and_cancellations_are_bound_as_for_a_wallet(allowed: AllowList) -> None:
    allow(allowed, allowed.account)
    assert "data of a cancellation" in refusal(allowed, allowed.account, b"\0")
    assert "maxFeePerGas: expected at most" in refusal(
        allowed, allowed.account, maxFeePerGas=100 * GWEI + 1
    )
    assert "value: expected 0" in refusal(allowed, allowed.account, value=1)
    assert "chainId: expected 31337" in refusal(allowed, allowed.account, chainId=1)
