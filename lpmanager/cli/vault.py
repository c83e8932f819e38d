"""`lpm vault`: make a campaign's vault, fund it, and order it as its owner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from lpmanager.cli.campaigns import CampaignNames, asking, chosen, wall_clock
from lpmanager.cli.option_groups import spread
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.cli.vault_options import (
    Account,
    AmountTexts,
    CampaignName,
    GivenBounds,
    Guardian,
    How,
    Leave,
    Operator,
    account_from_text,
)
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.desk.owner import Deed
    from lpmanager.desk.vault_calls import Order
    from lpmanager.desk.vaults import VaultDesk
    from lpmanager.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="Make a vault, fund it and order it, as its owner. Without --live nothing is signed: what "
    "would be sent is shown in full, for any wallet to send.",
)


@app.command()
@spread
def deploy(
    campaign: CampaignName,
    operator: Operator = None,
    guardian: Guardian = None,
    *,
    bounds: GivenBounds,
    how: How,
) -> None:
    """Make a vault for a campaign's pool; tell its address, its bounds and the lines to configure.

    The address follows from pool, owner, operator, guardian and bounds: the same ones never make a
    second vault. A bound that is not given is stricter than what the contract takes at most.
    """
    from lpmanager.chain.vaults import require_ours
    from lpmanager.cli.output import note
    from lpmanager.cli.vault_words import print_bounds, print_lines
    from lpmanager.desk.vault_bounds import DEFAULT
    from lpmanager.desk.vault_calls import deployment
    from lpmanager.venues.liquidity_vault import NOBODY

    settings = load_settings(how.config)
    change = bounds.change()
    desk = _desk(settings, campaign)
    made = deployment(
        desk,
        desk.operator if operator is None else account_from_text(operator),
        NOBODY if guardian is None else account_from_text(guardian),
        change(DEFAULT),
    )
    if not made.orders:
        note(f"vault {made.address} stands already")
    if not how.as_json:
        print_bounds(made.bounds)
    told = {"vault": made.address, "bounds": asdict(made.bounds)}
    _act(settings, desk, lambda: made.orders, how, told)
    if how.live:
        require_ours(desk.node, made.address, desk.node.head())
    if not how.as_json:
        print_lines(campaign, made.address)


@app.command()
def status(
    campaigns: CampaignNames = None, config: ConfigPath = DEFAULT_CONFIG, as_json: AsJson = False
) -> None:
    """Who may do what with each vault, what it holds, and what its bounds leave now."""
    from lpmanager.cli.campaigns import for_each
    from lpmanager.cli.output import print_json
    from lpmanager.cli.vault_words import print_status, status_json
    from lpmanager.desk.vaults import look

    settings = load_settings(config)
    names = chosen(settings, campaigns)
    if not campaigns:
        names = [name for name in names if settings.campaigns[name].vault is not None]
    if not names:
        raise UsageError("no campaign has a vault; make one with `lpm vault deploy CAMPAIGN`")
    seen = for_each(names, lambda name: look(_desk(settings, name)))
    if as_json:
        shown = {name: status_json(one) for name, one in seen.done.items()}
        print_json({"vaults": shown, "errors": seen.errors})
    else:
        for name, one in seen.done.items():
            print_status(name, one, settings.account.address)
    seen.exit_if_failed()


@app.command()
@spread
def fund(campaign: CampaignName, amounts: AmountTexts, *, how: How) -> None:
    """Send tokens from the owner's account to the vault."""
    from lpmanager.desk.vault_calls import funding

    _order(campaign, lambda desk: funding(desk, amounts), how)


@app.command()
@spread
def withdraw(campaign: CampaignName, amounts: AmountTexts, *, how: How) -> None:
    """Send tokens that lie in the vault, outside positions, to the owner."""
    from lpmanager.desk.vault_calls import withdrawals

    _order(campaign, lambda desk: withdrawals(desk, amounts), how)


@app.command("exit")
@spread
def leave_vault(campaign: CampaignName, leave: Leave = None, *, how: How) -> None:
    """Close every position and send everything to the owner. Nothing stops it, a pause neither."""
    from lpmanager.desk.vault_calls import leaving

    _order(campaign, lambda desk: leaving(desk, leave), how)


@app.command()
@spread
def pause(campaign: CampaignName, *, how: How) -> None:
    """Stop the operator, on chain. The guardian may too, with its account as owner.address."""
    from lpmanager.desk.vault_calls import pausing

    _order(campaign, pausing, how)


@app.command()
@spread
def unpause(campaign: CampaignName, *, how: How) -> None:
    """Let the operator go on."""
    from lpmanager.desk.vault_calls import unpausing

    _order(campaign, unpausing, how)


@app.command("set-operator")
@spread
def set_operator(campaign: CampaignName, operator: Account, *, how: How) -> None:
    """Name who may rebalance the vault: where a key was lost, another account or nobody."""
    from lpmanager.desk.vault_calls import setting_operator

    account = account_from_text(operator)
    _order(campaign, lambda desk: setting_operator(desk, account), how)


@app.command("set-bounds")
@spread
def set_bounds(campaign: CampaignName, *, bounds: GivenBounds, how: How) -> None:
    """Set what the operator may do. A bound that is not given stays as it is."""
    from lpmanager.desk.vault_calls import setting_bounds

    change = bounds.change()
    _order(campaign, lambda desk: setting_bounds(desk, change), how)


def _order(campaign: str, make: Callable[[VaultDesk], Sequence[Order]], how: How) -> None:
    settings = load_settings(how.config)
    desk = _desk(settings, campaign)
    vault = desk.require_vault()
    _act(settings, desk, lambda: make(desk), how, {"vault": vault})


def _act(
    settings: Settings,
    desk: VaultDesk,
    make: Callable[[], Sequence[Order]],
    how: How,
    also: dict[str, Any],
) -> None:
    """Show what would be sent or, where it is live, send it once what was left open is settled."""
    from lpmanager.cli.output import note, print_json
    from lpmanager.cli.vault_words import deed_json, print_orders, transaction_json
    from lpmanager.desk.vault_calls import rehearse

    if how.live:
        deeds = _sign(settings, desk, make, how.wait, told_now=not how.as_json)
        if how.as_json:
            shown = [deed_json(deed, desk) for deed in deeds]
            print_json({"campaign": desk.campaign, "live": True, **also, "done": shown})
        return
    orders = make()
    rehearse(desk, orders)
    if how.as_json:
        told = [transaction_json(order, desk.owner) for order in orders]
        print_json({"campaign": desk.campaign, "live": False, **also, "transactions": told})
    else:
        print_orders(orders, desk.owner)
    if orders:
        note(
            "dry run: nothing was signed; --live signs with the key under [owner], or send it from "
            f"{desk.owner} by any other wallet"
        )


def _sign(
    settings: Settings,
    desk: VaultDesk,
    make: Callable[[], Sequence[Order]],
    wait_s: float,
    *,
    told_now: bool,
) -> list[Deed]:
    """All that was settled and done, under the locks of the owner's account; each is told at once,
    on stdout or else on stderr."""
    from lpmanager.account_lock import only_one
    from lpmanager.cli.output import note
    from lpmanager.cli.vault_words import deed_text
    from lpmanager.desk.owner import owners_hand
    from lpmanager.desk.signing import LockedSigner, load_signer, lock_paths
    from lpmanager.ledger.store import Ledger

    who = settings.owner_signatory()
    say = typer.echo if told_now else note
    with ExitStack() as held:
        paths = lock_paths(settings, desk.chain, who.table.address)
        require_held = held.enter_context(only_one(paths, wait_s, tell=note))
        signer = LockedSigner(load_signer(who, desk.chain, asking("owner")), require_held)
        ledger = Ledger.open(settings.store)
        held.callback(ledger.engine.dispose)
        hand = owners_hand(settings, desk, signer, ledger, lambda deed: say(deed_text(deed, desk)))
        settled = hand.settle()
        return [*settled, *hand.do(make, settled)]


def _desk(settings: Settings, campaign: str) -> VaultDesk:
    from lpmanager.desk.vaults import open_vault_desk

    (name,) = chosen(settings, [campaign])
    return open_vault_desk(settings, name, wall_clock)
