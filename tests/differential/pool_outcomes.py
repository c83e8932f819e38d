"""What a pool of ours makes of an operation, and of a swap in every way there is to ask for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from pool_operations import Said, Swap

from lpmanager.amm import Pool, PoolRevert, SwapResult, TickDataMissing, sqrt_price_at_tick
from lpmanager.errors import LpmError
from lpmanager.model import MAX_TICK, MIN_TICK, TickRange
from lpmanager.model.tick import ceil_to_spacing

#: How far a pool is known that was read only in part: a little more than a word of the bitmap.
_KNOWN_SPACINGS = 300


class Mismatch(AssertionError):
    """Our Pool is not the deployed one."""


class Outcome(NamedTuple):
    """What a pool said to a call; or nothing, and the code it reverted with."""

    said: Said
    reverts: str | None


def outcome(call: Callable[[], Said]) -> Outcome:
    """What comes of a call of our pool. Raises Mismatch where it neither answers nor reverts."""
    try:
        return Outcome(call(), None)
    except PoolRevert as error:
        return Outcome((), error.code)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, LpmError) as error:
        raise Mismatch(f"ours fell over with {type(error).__name__}: {error}") from error


def swapped(pool: Pool, swap: Swap) -> Outcome:
    """Swap on `pool`; `said` is the whole SwapResult.

    Raises Mismatch where a quote beforehand said something else, or the steps do not add up.
    """
    tick = pool.tick
    quoted = outcome(partial(pool.quote, *_arguments(swap)))
    done = outcome(partial(pool.swap, *_arguments(swap)))
    _require(quoted == done, f"{swap}: {done} after the quote {quoted}")
    if isinstance(done.said, SwapResult):
        _require_sum_of_steps(swap, done.said, pool, tick)
    return done


def require_likenesses_to_agree(before: Pool, swap: Swap, done: Outcome) -> None:
    """Pools read from what `before` tells of itself must swap as that pool did.

    One of them is read whole. The other is read only around the price, and must raise
    TickDataMissing where the swap leaves that, and nowhere else.
    """
    if not before.sqrt_price_x96:
        return
    state, terms = before.state(), (before.fee_pips, before.tick_spacing)
    whole = outcome(partial(Pool.from_state(state, *terms).swap, *_arguments(swap)))
    _require(whole == done, f"{swap}: {done}, but {whole} on the pool as it is read")
    known = _around(state.tick, before.tick_spacing)
    ticks = tuple(tick for tick in state.ticks if tick.tick in known)
    part = Pool.from_state(replace(state, known=known, ticks=ticks), *terms)
    found = _if_known(partial(part.swap, *_arguments(swap)))
    if found is not None:
        _require(found == done, f"{swap}: {done}, but {found} where {known} is known")
        _require(not _leaves(known, before, done), f"{swap}: {found}, but it leaves {known}")
        return
    # The last unit may round to a price inside what is known, and yet be what the end of it takes.
    more = _arguments(replace(swap, amount_specified=_slightly_more(swap.amount_specified)))
    further = outcome(partial(before.quote, *more))
    _require(_leaves(known, before, further), f"{swap}: {known} is enough, yet ticks are missing")


def _arguments(swap: Swap) -> tuple[bool, int, int | None]:
    return swap.zero_for_one, swap.amount_specified, swap.sqrt_price_limit_x96


def _require_sum_of_steps(swap: Swap, done: SwapResult, after: Pool, tick_before: int) -> None:
    taken = sum(step.amount_in + step.fee for step in done.steps)
    given = -sum(step.amount_out for step in done.steps)
    amounts = (taken, given) if swap.zero_for_one else (given, taken)
    _require(amounts == done[:2], f"{swap}: the steps add up to {amounts}, not to {done[:2]}")
    _require(done.steps[-1].sqrt_price_x96 == done.sqrt_price_x96, f"{swap}: ends elsewhere")
    low, high = sorted((tick_before, done.tick))
    passed = sorted((t for t in after.ticks if low < t <= high), reverse=swap.zero_for_one)
    crossed = [step.crossed for step in done.steps if step.crossed is not None]
    _require(crossed == passed, f"{swap}: the steps cross {crossed}, the price {passed}")


def _around(tick: int, spacing: int) -> TickRange:
    reach = _KNOWN_SPACINGS * spacing
    return TickRange(max(tick - reach, MIN_TICK), min(tick + reach, MAX_TICK))


def _slightly_more(amount_specified: int) -> int:
    """Two units further from 0: one more is not always one more after the fee."""
    if abs(amount_specified) >= 2**255 - 2:
        return amount_specified
    return amount_specified + (2 if amount_specified > 0 else -2)


def _leaves(known: TickRange, before: Pool, done: Outcome) -> bool:
    """Whether a swap went from `before` to the first usable tick outside `known`."""
    if done.reverts is not None:
        return False
    price, spacing = done.said[2], before.tick_spacing
    if price < before.sqrt_price_x96:
        below = ceil_to_spacing(known.lower, spacing) - spacing
        return below >= MIN_TICK and price <= sqrt_price_at_tick(below)
    above = ceil_to_spacing(known.upper, spacing)
    return above < MAX_TICK and price >= sqrt_price_at_tick(above)


def _if_known(call: Callable[[], Said]) -> Outcome | None:
    try:
        return Outcome(call(), None)
    except PoolRevert as error:
        return Outcome((), error.code)
    except TickDataMissing:
        return None


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise Mismatch(message)
