"""Volume-synchronised probability of informed trading (Easley, Lopez de Prado and O'Hara 2012).

A pool tells exactly which way each swap went, so nothing has to be guessed from prices. Warning:
it rises with volume and volatility alone (Andersen and Bondarenko 2014); markouts say more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lpmanager.model import Flow
from lpmanager.risk.missing import Missing
from lpmanager.risk.plain import require_above_0, require_finite

#: As many buckets as the authors take.
BUCKETS = 50

#: Fewer swaps than buckets leave whole buckets to one swap, which has but one side.
MINIMUM_SWAPS = BUCKETS

Bucket = tuple[float, float]


def signed_volumes(flow: Flow) -> tuple[float, ...]:
    """Each swap's volume in raw token1 at the price it left: positive where token0 was bought."""
    volumes = []
    for swap in flow.swaps:
        price = (swap.sqrt_price_x96 / 2**96) ** 2
        size = max(abs(swap.amount0) * price, float(abs(swap.amount1)))
        bought = swap.amount0 < 0 or (swap.amount0 == 0 and swap.amount1 > 0)
        volumes.append(size if bought else -size)
    return tuple(volumes)


def volume_buckets(volumes: Iterable[float], bucket_volume: float) -> tuple[Bucket, ...]:
    """Volume bought and sold in buckets of one size, in order; a swap may fill several, and what
    has not filled a bucket yet is left out."""
    require_above_0(bucket_volume=bucket_volume)
    full: list[Bucket] = []
    bought = sold = 0.0
    for volume in volumes:
        require_finite(volume=volume)
        left = abs(volume)
        while left > 0:
            part = min(left, bucket_volume - bought - sold)
            left -= part
            bought, sold = (bought + part, sold) if volume > 0 else (bought, sold + part)
            if left > 0 or bought + sold >= bucket_volume:
                full.append((bought, sold))
                bought = sold = 0.0
    return tuple(full)


def imbalance_of(buckets: Sequence[Bucket]) -> float | Missing:
    """The sum of |bought - sold| over all that was traded in the buckets, in [0, 1]."""
    traded = sum(bought + sold for bought, sold in buckets)
    if traded <= 0:
        return Missing("VPIN needs volume, found 0")
    return sum(abs(bought - sold) for bought, sold in buckets) / traded


def vpin(volumes: Iterable[float], bucket_volume: float, buckets: int = BUCKETS) -> float | Missing:
    """VPIN of the newest full buckets: 0 where each saw as much bought as sold, 1 where each saw
    one side alone."""
    if buckets < 1:
        raise ValueError(f"VPIN needs at least 1 bucket, found {buckets}")
    full = volume_buckets(volumes, bucket_volume)
    if len(full) < buckets:
        return Missing(f"VPIN needs {buckets} buckets of volume, found {len(full)} full ones")
    return imbalance_of(full[-buckets:])
