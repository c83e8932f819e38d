"""A vault as the chain has it: whether its code is ours, and what it says of itself."""

from __future__ import annotations

import re
from functools import lru_cache

from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.node import Node, code_question
from lpmanager.chain.vault_views import vault_calls, vault_state
from lpmanager.errors import ConfigError
from lpmanager.model import Block, PoolKey, VaultState
from lpmanager.venues import liquidity_vault

#: How the constructor ends: it returns so many bytes (PUSH2, PUSH0, RETURN, INVALID), which follow.
_END = re.compile(rb"\x61(..)\x5f\xf3\xfe", re.DOTALL)
#: Where the compiler leaves room for an immutable: a PUSH32 of zeros.
_ROOM = re.compile(rb"(?<=\x7f)\x00{32}")


def require_ours(node: Node, vault: str, at: Block) -> None:
    """Raise ConfigError unless the code at an address is this project's vault, immutables aside."""
    code = node.ask(code_question(vault, at))
    if not code:
        raise ConfigError(
            f"vault {vault}: there is no contract at this address on chain {node.chain_id}; check "
            "`vault` and `chain`, or make one with `lpm vault deploy`"
        )
    if not is_ours(code):
        raise ConfigError(
            f"vault {vault}: the contract there is not this version's vault; move no money there "
            "before you know what it is, and take what it holds out with the version that made it"
        )


def require_of_pool(node: Node, vault: str, pool: PoolKey, at: Block) -> None:
    """Raise ConfigError unless a vault says that it is for the campaign's pool."""
    found = node.call(liquidity_vault.pool(vault), at)
    if found != pool.address:
        raise ConfigError(
            f"vault {vault} is for pool {found}, the campaign for {pool} ({pool.address}); "
            "name that pool, or the vault that was made for this one"
        )


def is_ours(code: bytes) -> bool:
    """Whether deployed code is that of our vault in every byte but the values of immutables."""
    template = _template(own_artifact("LiquidityVault").bytecode)
    if len(code) != len(template):
        return False
    told = bytearray(code)
    for room in _ROOM.finditer(template):
        told[slice(*room.span())] = bytes(32)
    return bytes(told) == template


def read_vault(node: Node, vault: str, at: Block) -> VaultState:
    """All that a vault says of itself at a block."""
    return vault_state(vault, node.call_many(vault_calls(vault), at))


@lru_cache(maxsize=1)
def _template(creation: bytes) -> bytes:
    """The code that a creation leaves on chain, with zeros for the immutables."""
    end = _END.search(creation)
    if end is None:
        raise ConfigError("the compiled contract LiquidityVault is damaged; reinstall lpmanager")
    length = int.from_bytes(end[1])
    return creation[end.end() : end.end() + length]
