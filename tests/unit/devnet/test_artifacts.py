"""Compiled contracts are found, or their absence is explained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_abi.abi import encode

from lpmanager.chain.artifacts import own_artifact, read_artifact
from lpmanager.devnet.npm import anvil_binary, core_artifact, periphery_artifact
from lpmanager.errors import ConfigError

#: EIP-170: what a chain accepts as a contract's code.
MAX_CODE = 24_576


def test_creation_code_carries_the_constructor_arguments() -> None:
    artifact = own_artifact("TestToken")
    values = ("USD Coin", "USDC", 6)
    types = ("string", "string", "uint8")
    assert artifact.creation(types, values) == artifact.bytecode + encode(types, values)


@pytest.mark.parametrize(
    "name",
    ["TokenProbe", "LiquidityVault", "FlowTrader", "WrappedNative", "TestToken", "NoReturnToken"],
)
def test_our_contracts_fit_on_a_chain(name: str) -> None:
    assert 0 < len(own_artifact(name).bytecode) < MAX_CODE


def test_the_published_uniswap_contracts_are_there() -> None:
    assert core_artifact("UniswapV3Factory").bytecode
    assert periphery_artifact("QuoterV2", "lens/").bytecode
    assert anvil_binary().is_file()


def test_an_unknown_contract_says_how_to_get_it() -> None:
    with pytest.raises(ConfigError, match="Nothing is not installed; reinstall lpmanager"):
        own_artifact("Nothing")
    with pytest.raises(ConfigError, match=r"Nothing\.json is missing; run `make setup`"):
        core_artifact("Nothing")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"bytecode": 5}', json.dumps({"bytecode": "0x60__$unlinked$__00"})],
)
def test_a_file_that_is_no_linked_contract_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Broken.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"Broken\.json: expected a compiled contract"):
        read_artifact(path)
