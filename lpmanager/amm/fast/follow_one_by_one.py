"""A market's legs one after another by the Python engine: where the compiled one cannot be had, and
to say why a leg cannot be carried out."""

from __future__ import annotations

from lpmanager.amm.fast.legs import SELL0, TO, UNLIMITED, Followed, Legs, followed, room_for
from lpmanager.amm.fast.packing import from_limbs, to_limbs
from lpmanager.amm.pool import Pool
from lpmanager.amm.swap import SwapResult
from lpmanager.errors import LpmError
from lpmanager.model import Liquidity

_MAX_LIQUIDITY = 2**128 - 1


def follow_all(pool: Pool, legs: Legs, lowest: int, highest: int) -> Followed:
    """Carry the legs out up to the end of the first row with a tick outside [lowest, highest).

    Raises what `Pool.swap` does, and ValueError where liquidity would be no uint128; then the pool
    is unchanged.
    """
    worked_on, batch, count = pool.copy(), room_for(legs), len(legs.rows)
    amounts, prices = from_limbs(legs.amounts), from_limbs(legs.prices)
    gained = from_limbs(legs.gained, signed=True)
    done = count
    for number in range(count):
        try:
            _gain(worked_on, gained[number])
            result = _swap(worked_on, int(legs.kinds[number]), amounts[number], prices[number])
        except (LpmError, ValueError) as refusal:
            refusal.args = (f"row {legs.rows[number]} of the market: {refusal}",)
            raise
        if result is not None:
            batch.amounts0[number], batch.amounts1[number] = to_limbs(result[:2], 4, signed=True)
        batch.prices[number] = to_limbs([worked_on.sqrt_price_x96], 3)[0]
        batch.liquidities[number] = to_limbs([worked_on.liquidity], 2)[0]
        batch.ticks[number] = worked_on.tick
        ends_row = number + 1 == count or legs.rows[number + 1] != legs.rows[number]
        if ends_row and not lowest <= worked_on.tick < highest:
            done = number + 1
            break
    pool.become(worked_on)
    return followed(batch, done)


def _gain(pool: Pool, gained: int) -> None:
    liquidity = pool.liquidity + gained
    if not 0 <= liquidity <= _MAX_LIQUIDITY:
        raise ValueError(f"active liquidity {pool.liquidity} cannot change by {gained}")
    pool.liquidity = Liquidity(liquidity)


def _swap(pool: Pool, kind: int, amount: int, end: int) -> SwapResult | None:
    """What a leg swaps, or None for nothing."""
    price = pool.sqrt_price_x96
    if kind == TO:
        return None if price == end else pool.swap(end < price, UNLIMITED, end)
    zero_for_one = kind == SELL0
    is_ahead = end < price if zero_for_one else end > price
    return pool.swap(zero_for_one, amount, end) if amount and is_ahead else None
