"""What the chain says happened, to the wei."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lpmanager.model.decision import SwapPurpose
from lpmanager.model.snapshot import Block
from lpmanager.model.tick import Liquidity, SqrtPriceX96, TickRange
from lpmanager.model.token import Amount, Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Minted:
    """A position was opened. `principal` is what its liquidity is worth at the pool's price of
    that instant, rounded down as a burn would pay it; `paid` minus it stays with the pool."""

    token_id: int
    range: TickRange
    liquidity: Liquidity
    paid: Amounts
    principal: Amounts
    sqrt_price_x96: SqrtPriceX96


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Liquidity `principal` and `fees` left a position for the wallet; its NFT was burned."""

    token_id: int
    principal: Amounts
    fees: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """Fees left a position for the wallet; the position lives on."""

    token_id: int
    fees: Amounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """`delta` is what the wallet gained (positive) and paid (negative); the price is the pool's
    just before."""

    purpose: SwapPurpose
    delta: Amounts
    sqrt_price_before_x96: SqrtPriceX96


Fact = Minted | Withdrawn | Collected | Swapped


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One mined transaction of ours, and all that it did, in order: nothing where it moved no
    tokens (an approval), several things where a vault carried out a whole plan."""

    what: str
    tx_hash: str
    block: Block
    gas_paid: Amount
    facts: tuple[Fact, ...]


class StopKind(StrEnum):
    """Why a plan ended early: somebody asked (by a signal or a halt), the world moved on, the chain
    could not be asked or paid just then, something failed, or nothing may be signed until a person
    has looked."""

    ASKED = "asked"
    OVERTAKEN = "overtaken"
    INTERRUPTED = "interrupted"
    ERROR = "error"
    HALT = "halt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The reason a plan ended early, in a sentence."""

    kind: StopKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All transactions one plan led to that the chain has decided for good, in order.

    `stop` says why it ended early, or None.
    """

    steps: tuple[Step, ...]
    stop: Stop | None

    @property
    def stopped(self) -> str | None:
        """The sentence that says why it ended early, or None."""
        return None if self.stop is None else self.stop.reason
