"""What the verbs of `lpm vault` are told: options, and how their words are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from lpmanager.cli.campaigns import Live, Wait
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.model import VaultBounds

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


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How an order is carried out: by which configuration, signed or only shown, and as what."""

    config: ConfigPath = DEFAULT_CONFIG
    live: Live = False
    wait: Wait = 0.0
    as_json: AsJson = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBounds:
    """Bounds in a person's words; None for one that is not given."""

    twap_window: Window = None
    max_deviation: Deviation = None
    min_width: Width = None
    max_move: Move = None
    cooldown: Cooldown = None
    max_loss_per_call: LossPerCall = None
    max_loss_per_day: LossPerDay = None

    def change(self) -> Callable[[VaultBounds], VaultBounds]:
        """What puts the bounds that are given in place of others. Raises UsageError."""
        given = {
            "twap_window_s": _read("--twap-window", self.twap_window, _seconds),
            "max_deviation_ticks": self.max_deviation,
            "min_width_ticks": self.min_width,
            "max_move_ticks": self.max_move,
            "cooldown_s": _read("--cooldown", self.cooldown, _seconds),
            "max_loss_per_call_pips": _read("--max-loss-per-call", self.max_loss_per_call, _pips),
            "max_loss_per_day_pips": _read("--max-loss-per-day", self.max_loss_per_day, _pips),
        }
        return lambda bounds: replace(bounds, **{k: v for k, v in given.items() if v is not None})


def account_from_text(text: str) -> str:
    """An account that a person names, by its checksummed address; the zero address is nobody.

    Raises UsageError.
    """
    from lpmanager.setting_types import address_from
    from lpmanager.venues.liquidity_vault import NOBODY

    try:
        return NOBODY if text == NOBODY else address_from(text)
    except ValueError as error:
        raise UsageError(f"{error}; found {text!r}") from error


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
