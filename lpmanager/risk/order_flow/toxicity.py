"""How much of the flow knows more than the pool: the part after which its providers had lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import Markout

MINIMUM_SWAPS = 20

#: After this time a swap counts half as much.
HALF_LIFE_S = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxicity:
    """All as fractions of volume.

    `toxic_share` is the volume of swaps after which the providers had lost more than their fee, at
    the pool's price by then: before fees their markout is below -fee. A swap that moves the price
    for good by more than the fee is one, whoever else trades; one that comes back is none.
    `markout` is what providers made of the flow before fees, on average with the past fading; `fee`
    is what the flow paid them, less what the protocol took.
    """

    toxic_share: float
    markout: float
    fee: float
    swaps: int

    @property
    def is_toxic(self) -> bool:
        """Whether fees, of late, did not pay for what the flow took."""
        return self.markout < -self.fee


def toxicity(found: Sequence[Markout], half_life_s: int = HALF_LIFE_S) -> Toxicity | Missing:
    """The toxicity of the flow that these markouts, oldest first, are of.

    Missing for fewer than 20 swaps, and where nothing was traded.
    """
    if half_life_s <= 0:
        raise ValueError(f"the half-life must be above 0 s, found {half_life_s}")
    if len(found) < MINIMUM_SWAPS:
        return Missing(f"toxicity needs {MINIMUM_SWAPS} swaps, found {len(found)}")
    volume = sum(one.volume for one in found)
    if volume <= 0:
        return Missing(f"toxicity needs volume, found 0 in {len(found)} swaps")
    last = found[-1].time
    weights = [0.5 ** ((last - one.time) / half_life_s) for one in found]
    faded = sum(weight * one.volume for weight, one in zip(weights, found, strict=True))
    before_fees = (
        weight * (one.gain - one.fee) for weight, one in zip(weights, found, strict=True)
    )
    return Toxicity(
        toxic_share=sum(one.volume for one in found if one.gain < 0) / volume,
        markout=sum(before_fees) / faded,
        fee=sum(one.fee for one in found) / volume,
        swaps=len(found),
    )
