"""The bounds of a vault: what a new one gets, and what the contract takes at most."""

from __future__ import annotations

from collections.abc import Iterator

from lpmanager.errors import GuardVeto
from lpmanager.model import VaultBounds

#: Stricter than the contract's own maxima wherever it has one.
DEFAULT = VaultBounds(
    twap_window_s=600,
    max_deviation_ticks=50,
    min_width_ticks=200,
    max_move_ticks=2_000,
    cooldown_s=600,
    max_loss_per_call_pips=2_500,
    max_loss_per_day_pips=10_000,
)

#: As the contract's constants of like names.
LEAST_TWAP_WINDOW_S = 60
LEAST_COOLDOWN_S = 60
MOST_DEVIATION_TICKS = 200
MOST_LOSS_PER_DAY_PIPS = 50_000

_MOST_TICKS = 2**24 - 1
_MOST_SECONDS = 2**32 - 1


def require_within(bounds: VaultBounds) -> None:
    """Raise GuardVeto, naming every bound that is looser than the contract takes."""
    mistakes = list(_mistakes(bounds))
    if mistakes:
        raise GuardVeto("the vault would refuse these bounds: " + "; ".join(mistakes))


def _mistakes(bounds: VaultBounds) -> Iterator[str]:
    for name, least, found, most in (
        ("--twap-window", LEAST_TWAP_WINDOW_S, bounds.twap_window_s, _MOST_SECONDS),
        ("--max-deviation", 0, bounds.max_deviation_ticks, MOST_DEVIATION_TICKS),
        ("--min-width", 0, bounds.min_width_ticks, _MOST_TICKS),
        ("--max-move", 0, bounds.max_move_ticks, _MOST_TICKS),
        ("--cooldown", LEAST_COOLDOWN_S, bounds.cooldown_s, _MOST_SECONDS),
        ("--max-loss-per-day", 0, bounds.max_loss_per_day_pips, MOST_LOSS_PER_DAY_PIPS),
    ):
        if not least <= found <= most:
            yield f"{name}: expected from {least} to {most}, found {found}"
    if bounds.max_loss_per_call_pips > bounds.max_loss_per_day_pips:
        yield (
            f"--max-loss-per-call: expected at most --max-loss-per-day "
            f"({bounds.max_loss_per_day_pips}), found {bounds.max_loss_per_call_pips}"
        )
