"""The state of a vault, out of what its views answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lpmanager.abi import ContractCall
from lpmanager.model import VaultState
from lpmanager.venues import liquidity_vault


def vault_calls(vault: str) -> tuple[ContractCall[Any], ...]:
    """The calls whose answers, in this order, `vault_state` makes a state of."""
    return (
        liquidity_vault.owner(vault),
        liquidity_vault.pending_owner(vault),
        liquidity_vault.operator(vault),
        liquidity_vault.guardian(vault),
        liquidity_vault.paused(vault),
        liquidity_vault.turns(vault),
        liquidity_vault.bounds(vault),
        liquidity_vault.budget_left(vault),
    )


def vault_state(vault: str, answers: Sequence[Any]) -> VaultState:
    """A vault's state, out of the answers to `vault_calls` at one block."""
    owner, pending_owner, operator, guardian, paused, turns, bounds, budget_left = answers
    return VaultState(
        address=vault,
        owner=owner,
        pending_owner=pending_owner,
        operator=operator,
        guardian=guardian,
        paused=paused,
        seq=turns.seq,
        rebalanced_at=turns.rebalanced_at,
        centre=turns.centre,
        budget_left_wad=budget_left,
        bounds=bounds,
    )
