"""Chain presets: complete, checksummed, and at the addresses the contracts really have."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import pytest
from eth_abi.abi import encode
from eth_utils.address import is_checksum_address, to_checksum_address
from eth_utils.crypto import keccak

from lpmanager.chain.presets import Chain, presets
from lpmanager.model import NATIVE

CHAIN_IDS = {
    "ethereum": 1,
    "optimism": 10,
    "bnb": 56,
    "polygon": 137,
    "base": 8453,
    "arbitrum": 42161,
    "sepolia": 11155111,
}
#: Hash of the pool's creation code, the same wherever v3-core 1.0.0 made the factory.
POOL_INIT_CODE_HASH = "e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"
#: Well-known pools of 0.05 %: (chain, token0, token1, pool).
KNOWN_POOLS = [
    (
        "ethereum",
        "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
        "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
        "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640",
    ),
    (
        "base",
        "0x4200000000000000000000000000000000000006",
        "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
        "0xd0b53D9277642d899DF5C87A3966A349A798F224",
    ),
    (
        "arbitrum",
        "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1",
        "0xaf88d065e77c8cC2239327C5EDb3A432268e5831",
        "0xC6962004f452bE9203591991D15f6b388e09E8D0",
    ),
]
#: Who deployed Uniswap v3 on Sepolia; contract addresses follow from it and its nonces.
SEPOLIA_DEPLOYER = "3344bbdceb8f6fb52de759c127e4a44efb40432a"
SEPOLIA_NONCES = {
    "factory": 1,
    "tick_lens": 5,
    "position_manager": 9,
    "quoter": 13,
    "swap_router": 14,
}

every_chain = pytest.mark.parametrize("chain", presets().values(), ids=presets().keys())


def create2_pool(factory: str, token0: str, token1: str, fee_pips: int) -> str:
    salt = keccak(encode(["address", "address", "uint24"], [token0, token1, fee_pips]))
    preimage = b"\xff" + bytes.fromhex(factory[2:]) + salt + bytes.fromhex(POOL_INIT_CODE_HASH)
    return to_checksum_address("0x" + keccak(preimage)[12:].hex())


def created_by(deployer: str, nonce: int) -> str:
    """The address of the contract a deployer creates with a nonce below 128."""
    rlp_list = bytes([0xC0 + 22, 0x80 + 20]) + bytes.fromhex(deployer) + bytes([nonce])
    return to_checksum_address("0x" + keccak(rlp_list)[12:].hex())


def test_the_seven_chains_are_there_with_their_ids() -> None:
    assert {name: chain.chain_id for name, chain in presets().items()} == CHAIN_IDS


@every_chain
def test_every_address_is_checksummed(chain: Chain) -> None:
    venue = dataclasses.asdict(chain.uniswap_v3)
    addresses = [chain.wrapped_native, *(v for v in venue.values() if isinstance(v, str))]
    assert len(addresses) == 6
    assert all(is_checksum_address(address) for address in addresses)


@every_chain
def test_no_preset_is_a_devnet_and_all_have_an_explorer(chain: Chain) -> None:
    assert not chain.devnet
    assert chain.explorer is not None
    assert chain.explorer.startswith("https://")


@every_chain
def test_the_native_coin_is_no_contract(chain: Chain) -> None:
    assert (chain.native.address, chain.native.decimals) == (NATIVE, 18)
    assert chain.native.chain_id == chain.chain_id


@every_chain
def test_the_first_swap_router_is_used_exactly_where_uniswap_deployed_it(chain: Chain) -> None:
    first_router = "0xE592427A0AEce92De3Edee1F18E0157C05861564"
    venue = chain.uniswap_v3
    assert venue.swap_router_has_deadline == (venue.swap_router == first_router)
    without = {name for name, c in presets().items() if not c.uniswap_v3.swap_router_has_deadline}
    assert without == {"base", "bnb", "sepolia"}


def test_block_times_are_exact_fractions() -> None:
    assert presets()["arbitrum"].block_time_s == Fraction(1, 4)
    assert presets()["bnb"].block_time_s == Fraction(9, 20)


@pytest.mark.parametrize(("name", "token0", "token1", "pool"), KNOWN_POOLS)
def test_a_known_pool_follows_from_the_factory(
    name: str, token0: str, token1: str, pool: str
) -> None:
    assert create2_pool(presets()[name].uniswap_v3.factory, token0, token1, 500) == pool


@pytest.mark.parametrize(("contract", "nonce"), SEPOLIA_NONCES.items())
def test_sepolia_s_addresses_follow_from_their_deployer(contract: str, nonce: int) -> None:
    found = getattr(presets()["sepolia"].uniswap_v3, contract)
    assert found == created_by(SEPOLIA_DEPLOYER, nonce)
