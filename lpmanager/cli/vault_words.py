"""Vaults, and what their owner orders, in the words of a person and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import typer

from lpmanager.cli.output import print_table
from lpmanager.cli.words import both_text, exact_amount, exact_both, moment, money, percent
from lpmanager.desk.owner import Deed
from lpmanager.desk.vault_calls import Order
from lpmanager.desk.vaults import VaultDesk, VaultStatus
from lpmanager.execution.intent import Status
from lpmanager.model import Amount, VaultBounds, VaultState
from lpmanager.venues.liquidity_vault import NOBODY

_PIPS = 10**6
_WAD = 10**18


def print_orders(orders: Sequence[Order], sender: str) -> None:
    """Every transaction in full, line by line, so that it can be copied into another wallet."""
    for order in orders:
        call = order.call
        typer.echo(call.what)
        typer.echo(f"  from   {sender}")
        typer.echo(f"  to     {call.to}")
        typer.echo("  value  0")
        typer.echo(f"  data   0x{call.data.hex()}")


def transaction_json(order: Order, sender: str) -> dict[str, str]:
    """A transaction that is not sent."""
    call = order.call
    return {
        "what": call.what,
        "from": sender,
        "to": call.to,
        "value": "0",
        "data": "0x" + call.data.hex(),
    }


def deed_text(deed: Deed, desk: VaultDesk) -> str:
    """What became of a transaction, in a line."""
    end = "done" if deed.status is Status.FINAL else deed.status.upper()
    when = " by an earlier command" if deed.earlier else ""
    gas = money(Fraction(deed.gas_paid), desk.chain.native)
    return (
        f"{deed.call.what}: {end}{when} in block {deed.block_number:,}, {deed.tx_hash}, gas {gas}"
    )


def deed_json(deed: Deed, desk: VaultDesk) -> dict[str, Any]:
    """The same for programs."""
    return {
        "what": deed.call.what,
        "status": str(deed.status),
        "earlier": deed.earlier,
        "tx_hash": deed.tx_hash,
        "block": deed.block_number,
        "gas_paid": exact_amount(Amount(desk.chain.native, deed.gas_paid)),
    }


def print_bounds(bounds: VaultBounds) -> None:
    """What the operator may do."""
    print_table("bounds of the vault", ("", ""), _bounds_rows(bounds))


def print_lines(campaign: str, vault: str) -> None:
    """What to add to the configuration."""
    typer.echo(f'[campaigns.{campaign}]\ncustody = "vault"\nvault = "{vault}"')


def print_status(name: str, seen: VaultStatus, account: str) -> None:
    """A vault for a person; `account` is the one that the configuration lets sign."""
    state, block = seen.state, seen.block
    ranges = ", ".join(str(held) for held in seen.ranges)
    rows = [
        ("state", "PAUSED" if state.paused else "not paused"),
        ("owner", state.owner),
        *([("proposed owner", state.pending_owner)] if state.pending_owner else []),
        ("operator", _operator(state, account)),
        ("guardian", _anybody(state.guardian)),
        ("ranges", ranges or "none"),
        ("idle", both_text(seen.idle)),
        ("next turn", str(state.seq)),
        ("ready", _ready(seen)),
        ("may lose now", percent(Fraction(state.budget_left_wad, _WAD))),
        ("owner holds", f"{both_text(seen.owners)}, {money(*_native(seen))}"),
    ]
    title = f"{name}: vault {state.address} at block {block.number:,}, {moment(block.timestamp)}"
    print_table(title, ("", ""), [*rows, *_bounds_rows(state.bounds)])


def status_json(seen: VaultStatus) -> dict[str, Any]:
    """A vault for programs: ticks, seconds, pips, and whole tokens as exact decimals."""
    state = asdict(seen.state)
    return {
        "block": {
            "number": seen.block.number,
            "hash": seen.block.hash,
            "timestamp": seen.block.timestamp,
        },
        **{name: value for name, value in state.items() if name != "budget_left_wad"},
        "budget_left_wad": str(seen.state.budget_left_wad),
        "ready_at": seen.state.ready_at,
        "ranges": [[held.lower, held.upper] for held in seen.ranges],
        "idle": exact_both(seen.idle),
        "owner_holds": exact_both(seen.owners),
        "owner_native": exact_amount(seen.native),
    }


def _native(seen: VaultStatus) -> tuple[Fraction, Any]:
    return Fraction(seen.native.raw), seen.native.token


def _operator(state: VaultState, account: str) -> str:
    if state.operator == account:
        return f"{account}, the configured account"
    return f"{_anybody(state.operator)}; NOT the configured account {account}"


def _anybody(account: str) -> str:
    return "nobody" if account == NOBODY else account


def _ready(seen: VaultStatus) -> str:
    if seen.state.ready_at <= seen.block.timestamp:
        return "now"
    return f"{moment(seen.state.ready_at)}, when the cooldown is over"


def _bounds_rows(bounds: VaultBounds) -> list[tuple[str, str]]:
    return [
        ("price averaged over", f"{bounds.twap_window_s} s"),
        ("price from average", f"at most {bounds.max_deviation_ticks} ticks"),
        ("width of a range", f"at least {bounds.min_width_ticks} ticks"),
        ("move of the centre", f"at most {bounds.max_move_ticks} ticks at once"),
        ("cooldown", f"{bounds.cooldown_s} s"),
        ("loss per rebalance", f"at most {_share(bounds.max_loss_per_call_pips)}"),
        ("loss per day", f"at most {_share(bounds.max_loss_per_day_pips)}"),
    ]


def _share(pips: int) -> str:
    return percent(Fraction(pips, _PIPS))
