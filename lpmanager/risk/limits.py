"""The limits a campaign is run within. They bound what one mistake can cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from lpmanager.risk.appetite import Appetite


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Written risk limits of a campaign. Raw fields are in the token's smallest unit."""

    #: how far price and amounts may move between deciding and mining, in hundredths of a percent
    slippage_bps: int
    twap_window_s: int
    max_twap_deviation_ticks: int
    #: how long a plan stays valid after its block
    plan_ttl_s: int
    #: how old the newest block may be by our clock
    max_head_age_s: int
    #: pause between two moves
    min_interval_s: int
    max_moves_per_day: int
    #: in wei
    max_gas_per_day_raw: int
    #: in raw quote units
    max_swap_cost_per_day_raw: int
    #: as a share of what the campaign is worth; beyond it the campaign halts
    max_loss_per_day: Fraction
    #: largest share of the pool's active liquidity that may be ours
    max_pool_share: Fraction
    #: how far one move may shift the centre of the range
    max_step_ticks: int
    #: a move must earn its cost back within this time
    payback_horizon_s: int
    #: how far back flow and volatility are measured
    history_s: int
    #: imbalance, in [0, 1], beyond which the inventory is hedged by a swap
    hedge_band: Fraction
    #: wanted value share of the base token, in [0, 1]
    target_weight: Fraction
    #: what is asked of estimates of risk; by default nothing
    appetite: Appetite = field(default_factory=Appetite)
