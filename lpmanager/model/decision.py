"""What should change: Target, Actions, Plan or Hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from lpmanager.model.snapshot import Block
from lpmanager.model.tick import Liquidity, SqrtPriceX96, TickRange
from lpmanager.model.token import Amount, Amounts


@dataclass(frozen=True, slots=True)
class WeightedRange:
    """A range and the share of the deployed value it should hold."""

    range: TickRange
    weight: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a policy wants.

    `ranges` may be empty (hold no position). `swap` says whether the policy wants the tokens
    brought into the ranges' own ratio by a swap, or the ranges filled with what is there.
    `reason` is one line for people. `forgoes`, in [0, 1], is the share of what the held ranges
    would earn that the policy gives up for less risk: payback weighs the change against the rest.
    """

    ranges: tuple[WeightedRange, ...]
    swap: bool
    reason: str
    forgoes: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One condition a plan must meet, with the number that opened or closed it."""

    name: str
    passed: bool
    measured: str
    limit: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.measured}, limit {self.limit} ({self.reason})"


class SwapPurpose(StrEnum):
    """Why a swap is made; the result of each purpose is reported apart."""

    RERANGE = "rerange"
    HEDGE = "hedge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take all liquidity and fees out of a position and burn its NFT."""

    token_id: int
    liquidity: Liquidity
    minimum: Amounts
    expected: Amounts
    kind: Literal["withdraw"] = "withdraw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """Take the uncollected fees out of a position."""

    token_id: int
    expected: Amounts
    kind: Literal["collect"] = "collect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Sell exactly `amount_in` for at least `minimum_out`, never past the price limit."""

    purpose: SwapPurpose
    amount_in: Amount
    expected_out: Amount
    minimum_out: Amount
    sqrt_price_limit_x96: SqrtPriceX96
    kind: Literal["swap"] = "swap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mint:
    """Open a position with at most `desired` and at least `minimum` of each token."""

    range: TickRange
    desired: Amounts
    minimum: Amounts
    kind: Literal["mint"] = "mint"


Action = Withdraw | Collect | Swap | Mint


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a plan is expected to cost and to earn, in raw quote units. Estimates, not promises."""

    gas: Fraction
    swap_cost: Fraction
    fees_gained: Fraction
    horizon_s: int
    #: the worst the plan can cost inside its own minimums and price bounds
    worst_case: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultTurn:
    """A vault, and the one of its numbered rebalances that a plan is for: none happens twice."""

    address: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Ordered actions, the block they were decided at, and the bounds within which they hold.

    `account` signs it, and had `nonce` transactions mined at that block. `vault` is None where that
    account itself holds what the plan moves.
    """

    campaign: str
    chain_id: int
    account: str
    nonce: int
    vault: VaultTurn | None
    pool: str
    block: Block
    expires_at: int
    sqrt_price_min_x96: SqrtPriceX96
    sqrt_price_max_x96: SqrtPriceX96
    actions: tuple[Action, ...]
    target: Target
    estimate: Estimate
    gates: tuple[Gate, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The decision to do nothing, with every gate and its number."""

    campaign: str
    block: Block
    reason: str
    gates: tuple[Gate, ...]


Decision = Plan | Hold
