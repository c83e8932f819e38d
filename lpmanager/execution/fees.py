"""What a transaction offers for gas, and what a replacement must offer. Wei per gas; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

#: A node takes a replacement only for a tenth more of both fields; an eighth leaves room.
_BUMP = (9, 8)


class Fees(NamedTuple):
    """`maxFeePerGas` and `maxPriorityFeePerGas` of an EIP-1559 transaction."""

    max_fee: int
    tip: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePolicy:
    """`cap` is the most ever offered; the first offer leaves room for `base_fee_multiple` times
    the present base fee."""

    cap: int
    base_fee_multiple: int = 2

    @property
    def call_cap(self) -> int:
        """The most a call is offered: whatever was offered for it, its cancellation can be offered
        an eighth more."""
        above, below = _BUMP
        return self.cap * below // above


def first_fees(base_fee: int, tip: int, policy: FeePolicy) -> Fees | None:
    """A call's first offer; None where even the present base fee is above what a call may cost."""
    if base_fee + tip > policy.call_cap:
        return None
    return Fees(min(base_fee * policy.base_fee_multiple + tip, policy.call_cap), tip)


def bumped_up(last: Fees, base_fee: int, tip: int, policy: FeePolicy, most: int) -> Fees | None:
    """A replacement's offer: at least an eighth more of both fields, rounded up, and what the
    chain asks for now. None where that is above `most`: `call_cap`, or `cap` to cancel."""
    least = Fees(_eighth_more_up(last.max_fee), _eighth_more_up(last.tip))
    if least.max_fee > most:
        return None
    tip = max(least.tip, tip)
    wanted = max(least.max_fee, base_fee * policy.base_fee_multiple + tip)
    max_fee = min(wanted, most)
    return Fees(max_fee, min(tip, max_fee))


def _eighth_more_up(fee: int) -> int:
    above, below = _BUMP
    # Something above nothing: a fee of 0 would stay 0 for ever.
    return max(-(-fee * above // below), fee + 1)
