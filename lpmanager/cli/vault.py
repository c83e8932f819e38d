"""`lpm vault`: make a campaign's vault, fund it, and order it as its owner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lpmanager.cli.campaigns import (
    CampaignNames,
    Live,
    Wait,
    asking,
    chosen,
    wall_clock,
)
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.desk.owner import Deed
    from lpmanager.desk.vault_calls import Order
    from lpmanager.desk.vaults import VaultDesk
    from lpmanager.model import VaultBounds
    from lpmanager.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="Make a vault, fund it and order it, as its owner. Without --live nothing is signed: what "
    "would be sent is shown in full, for any wallet to send.",
)

CampaignName = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Whose vault.")]
AmountTexts = Annotated[
    list[str],
    typer.Argument(metavar='"AMOUNT TOKEN"...', help='In whole tokens, as "100 USDC"; "all USDC".'),
]
Account = Annotated[str, typer.Argument(metavar="ADDRESS", help="The zero address is nobody.")]
Guardian = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Who may pause it besides the owner.")
]
Operator = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Who may rebalance it; account.address unless given."),
]
Leave = Annotated[
    str | None, typer.Option(metavar="TOKEN", help="Leave this token, as its transfers are frozen.")
]
Window = Annotated[
    str | None, typer.Option(metavar="TIME", help="Over which the price is averaged; at least 60s.")
]
Deviation = Annotated[
    int | None, typer.Option(metavar="TICKS", help="Of the price from that average; at most 200.")
]
Width = Annotated[int | None, typer.Option(metavar="TICKS", help="Of a range, at the least.")]
Move = Annotated[
    int | None, typer.Option(metavar="TICKS", help="Of the centre of all ranges, at once.")
]
Cooldown = Annotated[
    str | None, typer.Option(metavar="TIME", help="Between two rebalances; at least 60s.")
]
LossPerCall = Annotated[
    str | None, typer.Option(metavar="PERCENT", help="Of the vault's worth, in one rebalance.")
]
LossPerDay = Annotated[
    str | None, typer.Option(metavar="PERCENT", help="In any 24 hours; at most 5%.")
]


@app.command()
def deploy(
    campaign: CampaignName,
    operator: Operator = None,
    guardian: Guardian = None,
    twap_window: Window = None,
    max_deviation: Deviation = None,
    min_width: Width = None,
    max_move: Move = None,
    cooldown: Cooldown = None,
    max_loss_per_call: LossPerCall = None,
    max_loss_per_day: LossPerDay = None,
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
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

    settings = load_settings(config)
    change = _change(
        twap_window,
        max_deviation,
        min_width,
        max_move,
        cooldown,
        max_loss_per_call,
        max_loss_per_day,
    )
    desk = _desk(settings, campaign)
    made = deployment(
        desk,
        desk.operator if operator is None else _address(operator),
        NOBODY if guardian is None else _address(guardian),
        change(DEFAULT),
    )
    if not made.orders:
        note(f"vault {made.address} stands already")
    if not as_json:
        print_bounds(made.bounds)
    told = {"vault": made.address, "bounds": asdict(made.bounds)}
    _act(settings, desk, lambda: made.orders, live, wait, as_json, told)
    if live:
        require_ours(desk.node, made.address, desk.node.head())
    if not as_json:
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
def fund(
    campaign: CampaignName,
    amounts: AmountTexts,
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Send tokens from the owner's account to the vault."""
    from lpmanager.desk.vault_calls import funding

    _order(config, campaign, lambda desk: funding(desk, amounts), live, wait, as_json)


@app.command()
def withdraw(
    campaign: CampaignName,
    amounts: AmountTexts,
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Send tokens that lie in the vault, outside positions, to the owner."""
    from lpmanager.desk.vault_calls import withdrawals

    _order(config, campaign, lambda desk: withdrawals(desk, amounts), live, wait, as_json)


@app.command("exit")
def leave_vault(
    campaign: CampaignName,
    leave: Leave = None,
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Close every position and send everything to the owner. Nothing stops it, a pause neither."""
    from lpmanager.desk.vault_calls import leaving

    _order(config, campaign, lambda desk: leaving(desk, leave), live, wait, as_json)


@app.command()
def pause(
    campaign: CampaignName,
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Stop the operator, on chain. The guardian may too, with its account as owner.address."""
    from lpmanager.desk.vault_calls import pausing

    _order(config, campaign, pausing, live, wait, as_json)


@app.command()
def unpause(
    campaign: CampaignName,
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Let the operator go on."""
    from lpmanager.desk.vault_calls import unpausing

    _order(config, campaign, unpausing, live, wait, as_json)


@app.command("set-operator")
def set_operator(
    campaign: CampaignName,
    operator: Account,
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Name who may rebalance the vault: where a key was lost, another account or nobody."""
    from lpmanager.desk.vault_calls import setting_operator

    account = _address(operator)
    _order(config, campaign, lambda desk: setting_operator(desk, account), live, wait, as_json)


@app.command("set-bounds")
def set_bounds(
    campaign: CampaignName,
    twap_window: Window = None,
    max_deviation: Deviation = None,
    min_width: Width = None,
    max_move: Move = None,
    cooldown: Cooldown = None,
    max_loss_per_call: LossPerCall = None,
    max_loss_per_day: LossPerDay = None,
    config: ConfigPath = DEFAULT_CONFIG,
    live: Live = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Set what the operator may do. A bound that is not given stays as it is."""
    from lpmanager.desk.vault_calls import setting_bounds

    change = _change(
        twap_window,
        max_deviation,
        min_width,
        max_move,
        cooldown,
        max_loss_per_call,
        max_loss_per_day,
    )
    _order(config, campaign, lambda desk: setting_bounds(desk, change), live, wait, as_json)


def _order(
    config: Path,
    campaign: str,
    make: Callable[[VaultDesk], Sequence[Order]],
    live: bool,
    wait_s: float,
    as_json: bool,
) -> None:
    settings = load_settings(config)
    desk = _desk(settings, campaign)
    vault = desk.require_vault()
    _act(settings, desk, lambda: make(desk), live, wait_s, as_json, {"vault": vault})


def _act(
    settings: Settings,
    desk: VaultDesk,
    make: Callable[[], Sequence[Order]],
    live: bool,
    wait_s: float,
    as_json: bool,
    also: dict[str, Any],
) -> None:
    """Show what would be sent or, where `live`, send it once what was left open is settled."""
    from lpmanager.cli.output import note, print_json
    from lpmanager.cli.vault_words import deed_json, print_orders, transaction_json
    from lpmanager.desk.vault_calls import rehearse

    if live:
        deeds = _sign(settings, desk, make, wait_s, told_now=not as_json)
        if as_json:
            shown = [deed_json(deed, desk) for deed in deeds]
            print_json({"campaign": desk.campaign, "live": True, **also, "done": shown})
        return
    orders = make()
    rehearse(desk, orders)
    if as_json:
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
    from lpmanager.desk.signing import load_signer, lock_paths
    from lpmanager.ledger.store import Ledger

    who = settings.owner_signatory()
    say = typer.echo if told_now else note
    with ExitStack() as held:
        paths = lock_paths(settings, desk.chain, who.table.address)
        held.enter_context(only_one(paths, wait_s, tell=note))
        signer = load_signer(who, desk.chain, asking("owner"))
        ledger = Ledger.open(settings.store)
        held.callback(ledger.engine.dispose)
        hand = owners_hand(settings, desk, signer, ledger, lambda deed: say(deed_text(deed, desk)))
        settled = hand.settle()
        return [*settled, *hand.do(make(), settled)]


def _desk(settings: Settings, campaign: str) -> VaultDesk:
    from lpmanager.desk.vaults import open_vault_desk

    (name,) = chosen(settings, [campaign])
    return open_vault_desk(settings, name, wall_clock)


def _change(
    twap_window: str | None,
    max_deviation: int | None,
    min_width: int | None,
    max_move: int | None,
    cooldown: str | None,
    max_loss_per_call: str | None,
    max_loss_per_day: str | None,
) -> Callable[[VaultBounds], VaultBounds]:
    """What puts the bounds that are given in place of others. Raises UsageError."""
    given = {
        "twap_window_s": _read("--twap-window", twap_window, _seconds),
        "max_deviation_ticks": max_deviation,
        "min_width_ticks": min_width,
        "max_move_ticks": max_move,
        "cooldown_s": _read("--cooldown", cooldown, _seconds),
        "max_loss_per_call_pips": _read("--max-loss-per-call", max_loss_per_call, _pips),
        "max_loss_per_day_pips": _read("--max-loss-per-day", max_loss_per_day, _pips),
    }
    return lambda bounds: replace(bounds, **{k: v for k, v in given.items() if v is not None})


def _seconds(text: str) -> int:
    from lpmanager.setting_types import seconds_from_text

    return seconds_from_text(int(text) if text.isdecimal() else text)


def _pips(text: str) -> int:
    from lpmanager.setting_types import share_pips_from

    return share_pips_from(text)


def _read(option: str, text: str | None, read: Callable[[str], int]) -> int | None:
    try:
        return None if text is None else read(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}; found {text!r}") from error


def _address(text: str) -> str:
    """An account that a person names, by its checksummed address; the zero address is nobody."""
    from lpmanager.setting_types import address_from
    from lpmanager.venues.liquidity_vault import NOBODY

    try:
        return NOBODY if text == NOBODY else address_from(text)
    except ValueError as error:
        raise UsageError(f"{error}; found {text!r}") from error
