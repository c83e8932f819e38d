"""What may be signed with the owner's key for a campaign, and what a vault's bounds may be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import ACCOUNT, CHAIN_ID, USDC, a_pool

from lpmanager.chain.artifacts import own_artifact
from lpmanager.desk.owner import OwnersList
from lpmanager.desk.vault_bounds import DEFAULT, require_within
from lpmanager.errors import GuardVeto, SigningRefused
from lpmanager.execution.deployment import NewVault, creation_code, deploy_call
from lpmanager.execution.vault_allowed import DeploymentAllowList, OwnerAllowList
from lpmanager.execution.whose import how_to_go_on, how_to_settle, in_words, owners
from lpmanager.model import VaultBounds
from lpmanager.venues import erc20, liquidity_vault

POOL = a_pool()
VAULT = "0x00000000000000000000000000000000000000B2"
OTHER = "0x00000000000000000000000000000000000000B3"
FACTORY = "0x00000000000000000000000000000000000000F1"
ARTIFACT = own_artifact("LiquidityVault")
NEW = NewVault(
    factory=FACTORY, pool=POOL, owner=ACCOUNT, operator=OTHER, guardian=OTHER, bounds=DEFAULT
)


def owners_list(vault: str | None) -> OwnersList:
    orders = None
    if vault is not None:
        orders = OwnerAllowList(
            chain_id=CHAIN_ID,
            account=ACCOUNT,
            vault=vault,
            pool=POOL,
            recipient=ACCOUNT,
            max_fee=9,
        )
    deployment = DeploymentAllowList(
        chain_id=CHAIN_ID,
        account=ACCOUNT,
        creation=ARTIFACT.bytecode,
        factory=FACTORY,
        pool=POOL,
        owner=ACCOUNT,
        max_fee=9,
    )
    return OwnersList(
        chain_id=CHAIN_ID, account=ACCOUNT, max_fee=9, deployment=deployment, orders=orders
    )


def test_the_owner_may_make_a_vault_of_its_own_and_no_other() -> None:
    for vault in (None, VAULT):
        call = deploy_call(creation_code(NEW, ARTIFACT))
        owners_list(vault).require_call(call.to, call.data)
        anothers = deploy_call(creation_code(replace(NEW, owner=OTHER), ARTIFACT))
        with pytest.raises(SigningRefused, match="owner of the vault"):
            owners_list(vault).require_call(anothers.to, anothers.data)


def test_the_owner_orders_one_vault_alone() -> None:
    pause = liquidity_vault.pause()
    owners_list(VAULT).require_call(VAULT, pause)
    for allowed in (owners_list(None), owners_list(OTHER)):
        with pytest.raises(SigningRefused):
            allowed.require_call(VAULT, pause)


def test_tokens_go_to_the_vault_alone() -> None:
    owners_list(VAULT).require_call(USDC.address, erc20.transfer(VAULT, 5))
    with pytest.raises(SigningRefused):
        owners_list(VAULT).require_call(USDC.address, erc20.transfer(OTHER, 5))


@pytest.mark.parametrize(
    ("bounds", "named"),
    [
        (replace(DEFAULT, twap_window_s=59), "--twap-window"),
        (replace(DEFAULT, twap_window_s=2**32), "--twap-window"),
        (replace(DEFAULT, cooldown_s=59), "--cooldown"),
        (replace(DEFAULT, max_deviation_ticks=201), "--max-deviation"),
        (replace(DEFAULT, min_width_ticks=2**24), "--min-width"),
        (replace(DEFAULT, max_move_ticks=-1), "--max-move"),
        (replace(DEFAULT, max_loss_per_day_pips=50_001), "--max-loss-per-day"),
        (replace(DEFAULT, max_loss_per_call_pips=10_001), "--max-loss-per-call"),
    ],
)
def test_a_bound_that_is_too_loose_is_named(bounds: VaultBounds, named: str) -> None:
    with pytest.raises(GuardVeto, match=f": {named}: expected"):
        require_within(bounds)


def test_all_bounds_that_are_too_loose_are_named_at_once() -> None:
    require_within(DEFAULT)
    loose = replace(DEFAULT, twap_window_s=1, cooldown_s=1)
    with pytest.raises(GuardVeto, match=r"--twap-window.*; --cooldown"):
        require_within(loose)


def test_an_owners_orders_are_no_campaigns() -> None:
    name = owners("main")
    assert in_words(name) == "the owner of main"
    assert how_to_settle(name).startswith("the next `lpm vault ... main --live`")
    assert how_to_go_on(name) == "type the command again"
    assert in_words("main") == "campaign main"
    assert how_to_settle("main") == "`lpm run --once --live main` sees it through"
    assert how_to_go_on("main") == "`lpm resume main`"
