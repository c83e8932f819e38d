"""A vault: a contract that holds the tokens and positions of one campaign for its owner."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultBounds:
    """What a vault lets its operator do: the owner's own values, within the contract's maxima.

    Windows and times in seconds, widths and distances in ticks, losses in millionths of all that
    the vault holds.
    """

    #: over so long the pool's price is averaged
    twap_window_s: int
    #: so far the price may be from that average, before a rebalance and after it
    max_deviation_ticks: int
    min_width_ticks: int
    #: so far the centre of the ranges may move at once
    max_move_ticks: int
    #: from one rebalance to the next
    cooldown_s: int
    max_loss_per_call_pips: int
    max_loss_per_day_pips: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultState:
    """A vault at one block: who may do what, and what its bounds still leave. All but its tokens.

    `operator` rebalances, as the owner may; `guardian` and `owner` pause. `seq` is the number of
    the next rebalance: one with any other is refused. `centre` is the tick in the middle of the
    ranges after the last rebalance that left any, or None; `rebalanced_at` is in Unix seconds, 0
    before the first. `budget_left_wad` is what may be lost now, in parts of 1e18 of all that it
    holds.
    """

    address: str
    owner: str
    pending_owner: str | None
    operator: str
    guardian: str
    paused: bool
    seq: int
    rebalanced_at: int
    centre: int | None
    budget_left_wad: int
    bounds: VaultBounds

    @property
    def ready_at(self) -> int:
        """When the cooldown is over, in Unix seconds; 0 before the first rebalance."""
        last = self.rebalanced_at
        return last + self.bounds.cooldown_s if last else 0
