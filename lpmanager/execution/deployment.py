"""How a vault is made: its creation code, the call that deploys it, and where it will stand. Pure.

It is made by CREATE2, through a deployer without a key or an owner that stands at one address on
nearly every chain. So its address follows from what it is made with, before anything is signed; the
same vault cannot be made twice; and whoever can call a contract, a Safe too, can send the call.
"""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from lpmanager.chain.artifacts import Artifact
from lpmanager.execution.calldata import Call
from lpmanager.model import PoolKey, VaultBounds
from lpmanager.venues.liquidity_vault import CONSTRUCTOR, bounds_words

#: The deterministic deployment proxy, https://github.com/Arachnid/deterministic-deployment-proxy
DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
#: All its code: it creates what follows the salt, and reverts where that fails.
DEPLOYER_CODE = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe036016000816020823780"
    "35828234f58015156039578182fd5b8082525050506014600cf3"
)
#: Always the same, so that a vault is told apart by what it is made with alone.
SALT = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVault:
    """What a vault is made with. `operator` and `guardian` may be the zero address: nobody."""

    factory: str
    pool: PoolKey
    owner: str
    operator: str
    guardian: str
    bounds: VaultBounds


def creation_code(vault: NewVault, artifact: Artifact) -> bytes:
    """The vault's code with its constructor's arguments."""
    arguments = (
        vault.factory,
        vault.pool.address,
        vault.owner,
        vault.operator,
        vault.guardian,
        bounds_words(vault.bounds),
    )
    return artifact.creation(CONSTRUCTOR, arguments)


def deploy_call(creation: bytes) -> Call:
    """The call that deploys what `creation_code` made."""
    what = f"deploy vault {vault_address(creation)}"
    return Call(what=what, to=DEPLOYER, data=SALT + creation)


def vault_address(creation: bytes) -> str:
    """Where the vault will stand, by EIP-1014."""
    deployer = bytes.fromhex(DEPLOYER.removeprefix("0x"))
    digest = keccak(b"\xff" + deployer + SALT + keccak(creation))
    return to_checksum_address(digest[-20:])
