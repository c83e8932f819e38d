"""Vaults on a devnet, deployed without `lpm`."""

from __future__ import annotations

from dataclasses import replace

from lpmanager.chain.artifacts import own_artifact
from lpmanager.devnet.backend import Backend, Controls
from lpmanager.devnet.deploy import Deployment, created_address
from lpmanager.model import VaultBounds
from lpmanager.venues.liquidity_vault import CONSTRUCTOR, NOBODY, bounds_words

#: Bounds that stop nothing a test does not ask them to stop.
WIDE = VaultBounds(
    twap_window_s=60,
    max_deviation_ticks=200,
    min_width_ticks=10,
    max_move_ticks=100_000,
    cooldown_s=60,
    max_loss_per_call_pips=50_000,
    max_loss_per_day_pips=50_000,
)


def deploy_vault(
    backend: Backend,
    deployment: Deployment,
    *,
    owner: str,
    operator: str,
    guardian: str = NOBODY,
    **bounds: int,
) -> str:
    """The address of a new vault in the deployment's pool. A dev account deploys it."""
    arguments = (
        deployment.factory,
        deployment.pool.address,
        owner,
        operator,
        guardian,
        bounds_words(replace(WIDE, **bounds)),
    )
    controls, sender = Controls(backend), backend.accounts[0]
    address = created_address(sender, controls.nonce(sender))
    creation = own_artifact("LiquidityVault").creation(CONSTRUCTOR, arguments)
    controls.execute(sender, None, creation, what="deploy the vault")
    return address
