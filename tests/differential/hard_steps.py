"""Steps for a pair of pools, aimed at where engines go wrong.

That is the walk over ticks more than the arithmetic of one step: the first and last bit of a word
of the bitmap, the outermost ticks, ticks below zero, stretches without liquidity, amounts of one
unit and amounts that reach a tick exactly or miss it by one, limits on a tick's price, more output
than there is, and arguments that the contract refuses.
"""

from __future__ import annotations

from random import Random

from amm_contracts import OWNERS
from pool_operations import (
    Burn,
    Collect,
    CollectProtocol,
    CumulativesInside,
    Flash,
    IncreaseObservations,
    Initialize,
    Mint,
    Observe,
    SetFeeProtocol,
    Swap,
    Wait,
)
from pool_twins import Twins

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    PoolRevert,
    mul_div_up,
    sqrt_price_at_tick,
)
from lpmanager.model import MAX_TICK, MIN_TICK
from lpmanager.model.tick import max_usable_tick, min_usable_tick

#: Ticks, in units of the spacing, to one word of the contract's bitmap.
WORD = 256
INT24 = 2**23
UINT32, UINT128, UINT160 = 2**32, 2**128, 2**160
INT128, INT256 = 2**127, 2**255
#: Block times: a plain one, the first, and just before the contract's 32 bits wrap once and twice.
TIMESTAMPS = (1_700_000_000, 0, UINT32 - 90, 2 * UINT32 - 1)
PIPS = 1_000_000


class HardSteps:
    """Picks steps for `twins` with `dice`, by the state that the twins are in.

    A swap without a near limit walks at most `words` words of the bitmap: what an EVM can afford.
    """

    def __init__(self, twins: Twins, dice: Random, words: int) -> None:
        self._twins = twins
        self._dice = dice
        self._words = words
        self._spacing = twins.spacing
        self._lowest = min_usable_tick(twins.spacing)
        self._highest = max_usable_tick(twins.spacing)

    # ---- the first price ----

    def initialize(self) -> Initialize:
        tick = self._dice.choice([self._edge_of_any_word, self._outermost_tick, self._any_tick])()
        return Initialize(_within_prices(self._price_near(tick)))

    def initialize_out_of_bounds(self) -> Initialize:
        prices = (0, 1, MIN_SQRT_PRICE - 1, MAX_SQRT_PRICE, MAX_SQRT_PRICE + 1, UINT160 - 1)
        return Initialize(self._dice.choice(prices))

    # ---- liquidity ----

    def mint(self) -> Mint:
        lower, upper = self._range()
        return Mint(self._owner(), lower, upper, self._liquidity(lower, upper))

    def mint_across_everything(self) -> Mint:
        liquidity = self._dice.choice([1, 10**6, 10**18, 10**24])
        return Mint(self._owner(), self._lowest, self._highest, liquidity)

    def mint_as_much_as_a_tick_takes(self) -> Mint:
        """All that is left of what a tick may hold, or one more."""
        lower, upper = self._range()
        ticks = self._twins.ours.ticks
        held = max(ticks[t].liquidity_gross if t in ticks else 0 for t in (lower, upper))
        left = self._twins.ours.max_liquidity_per_tick - held
        return Mint(self._owner(), lower, upper, max(left + self._dice.choice([0, 1]), 1))

    def mint_nonsense(self) -> Mint:
        liquidity = self._dice.choice([0, 1, 10**9, INT128 - 1, INT128, UINT128 - 1])
        return Mint(self._owner(), *self._any_two_ticks(), liquidity)

    def burn(self) -> Burn:
        """Some, all or none of a position's liquidity; none brings its fees up to date."""
        owner, lower, upper = self._position()
        held = self._held(owner, lower, upper)
        share = self._dice.choice([0, held, held // 3, min(1, held)])
        return Burn(owner, lower, upper, share)

    def burn_more_than_is_held(self) -> Burn:
        owner, lower, upper = self._position()
        held = self._held(owner, lower, upper)
        return Burn(owner, lower, upper, min(held + self._dice.choice([1, 10**20]), UINT128 - 1))

    def burn_nonsense(self) -> Burn:
        liquidity = self._dice.choice([0, 1, INT128 - 1, INT128, UINT128 - 1])
        return Burn(self._owner(), *self._any_two_ticks(), liquidity)

    def collect(self) -> Collect:
        positions = self._twins.ours.positions
        owed = [key for key in sorted(positions) if any(positions[key][3:])]
        owner, lower, upper = self._dice.choice(owed) if owed else self._position()
        return Collect(owner, lower, upper, self._requested(), self._requested())

    def collect_nonsense(self) -> Collect:
        requested = self._requested(), self._requested()
        return Collect(self._owner(), *self._any_two_ticks(), *requested)

    # ---- swaps ----

    def swap(self) -> Swap:
        zero_for_one = self._direction()
        amount = self._amount() * self._dice.choice([1, -1])
        return Swap(zero_for_one, amount, self._near_limit(zero_for_one))

    def swap_one_unit(self) -> Swap:
        zero_for_one = self._direction()
        amount = self._dice.choice([1, -1, 2, -2])
        return Swap(zero_for_one, amount, self._near_limit(zero_for_one))

    def swap_to_a_limit(self) -> Swap:
        """With more than enough, so that the price stops exactly at the limit."""
        zero_for_one = self._direction()
        amount = self._dice.choice([INT256 - 1, -INT256, 10**45, -(10**45)])
        return Swap(zero_for_one, amount, self._near_limit(zero_for_one))

    def swap_that_just_reaches(self) -> Swap:
        """With the very amount that brings the price to a limit, or one unit more or less."""
        zero_for_one = self._direction()
        far, exact_input = self._near_limit(zero_for_one), self._either()
        try:
            done = self._twins.ours.quote(zero_for_one, INT256 - 1, far)
        except PoolRevert:
            return Swap(zero_for_one, 1, far)
        taken, given = (done.amount0, done.amount1)[:: 1 if zero_for_one else -1]
        amount = (taken if exact_input else given) + self._dice.choice([-1, 0, 1])
        return Swap(zero_for_one, amount, self._affordable_limit(zero_for_one))

    def swap_beyond_the_depth(self) -> Swap:
        """For more output than the pool has, or with input that it cannot use up."""
        zero_for_one = self._direction()
        amount = self._dice.choice([-1, 1]) * self._dice.choice([10**40, UINT128, INT256 - 1])
        return Swap(zero_for_one, amount, self._affordable_limit(zero_for_one))

    def swap_nonsense(self) -> Swap:
        """No amount, or a limit behind the price or out of bounds; or just within bounds."""
        zero_for_one = self._either()
        price = self._twins.ours.sqrt_price_x96
        limits = [0, 1, MIN_SQRT_PRICE, MAX_SQRT_PRICE, UINT160 - 1, price]
        limits += [max(price - 1, 0), price + 1, self._near_limit(not zero_for_one)]
        amount = self._dice.choice([0, 1, -1, 10**18, INT256 - 1, -INT256])
        return Swap(zero_for_one, amount, self._dice.choice(limits))

    # ---- the rest ----

    def flash(self) -> Flash:
        """Any loan that the pool can give, for the fee and sometimes a gift."""
        lent = [self._dice.choice([0, b // 2, b, min(b, 1)]) for b in self._twins.balances]
        due = [mul_div_up(amount, self._twins.fee_pips, PIPS) for amount in lent]
        gift = [self._dice.choice([0, 0, 1, 10**18, 10**40, 2**200]) for _ in due]
        return Flash(lent[0], lent[1], due[0] + gift[0], due[1] + gift[1])

    def set_fee_protocol(self) -> SetFeeProtocol:
        shares = (4, 5, 10, 0)
        return SetFeeProtocol(self._dice.choice(shares), self._dice.choice(shares))

    def set_fee_protocol_nonsense(self) -> SetFeeProtocol:
        shares = (0, 1, 3, 4, 10, 11, 15, 16, 255)
        return SetFeeProtocol(self._dice.choice(shares), self._dice.choice(shares))

    def collect_protocol(self) -> CollectProtocol:
        return CollectProtocol(self._requested(), self._requested())

    def increase_observations(self) -> IncreaseObservations:
        present = self._twins.ours.observation_cardinality_next
        wanted = self._dice.choice([present + 3, present + 1, present, 12, 30, 0])
        return IncreaseObservations(wanted)

    def observe(self) -> Observe:
        """At every observation that there is, beside it and between two; sometimes before all."""
        now = self._twins.ours.timestamp % UINT32
        ages = [0, 1]
        for observation in self._twins.ours.observations:
            age = (now - observation.time) % UINT32
            ages += [age, max(age - 1, 0), age // 2, age - age // 3]
        if not self._dice.randrange(6):
            ages += [max(ages) + 1, UINT32 - 1, self._dice.randrange(UINT32)]
        some = range(self._dice.randrange(4))
        return Observe(tuple(self._dice.choice(ages) % UINT32 for _ in some))

    def cumulatives_inside(self) -> CumulativesInside:
        _, lower, upper = self._position()
        return CumulativesInside(lower, upper)

    def cumulatives_inside_nonsense(self) -> CumulativesInside:
        return CumulativesInside(*self._any_two_ticks())

    def wait(self) -> Wait:
        return Wait(self._dice.choice([12, 1, 12, 3_600, 30 * 86_400, UINT32 - 1, UINT32]))

    # ---- numbers ----

    def _either(self) -> bool:
        return self._dice.choice([True, False])

    def _direction(self) -> bool:
        """Either way; never on beyond the last price, and out of an empty stretch mostly back."""
        pool = self._twins.ours
        if pool.sqrt_price_x96 <= MIN_SQRT_PRICE + 1:
            return False
        if pool.sqrt_price_x96 >= MAX_SQRT_PRICE - 1:
            return True
        if pool.liquidity == 0 and pool.ticks and self._dice.randrange(8):
            return self._dice.choice(sorted(pool.ticks)) <= pool.tick
        return self._either()

    def _owner(self) -> str:
        return self._dice.choice(OWNERS)

    def _position(self) -> tuple[str, int, int]:
        """A position that was named before, mostly one that has liquidity."""
        known = sorted(self._twins.positions)
        held = [key for key in known if self._held(*key)]
        keys = held if held and self._dice.randrange(8) else known
        return self._dice.choice(keys) if keys else (self._owner(), *self._range())

    def _held(self, owner: str, lower: int, upper: int) -> int:
        position = self._twins.ours.positions.get((owner, lower, upper))
        return position.liquidity if position else 0

    def _liquidity(self, lower: int, upper: int) -> int:
        power = self._dice.randrange(26)
        return self._dice.choice([1, 10**power, 3 * 10**power, self._dice.randrange(1, 10**24)])

    def _amount(self) -> int:
        power = self._dice.randrange(28)
        return self._dice.choice([10**power, self._dice.randrange(1, 10 ** (power + 1))])

    def _requested(self) -> int:
        return self._dice.choice([UINT128 - 1, UINT128 - 1, 0, 1, 10**15])

    def _range(self) -> tuple[int, int]:
        lower, upper = sorted((self._usable_tick(), self._usable_tick()))
        if lower < upper:
            return lower, upper
        if upper < self._highest:
            return lower, upper + self._spacing
        return lower - self._spacing, upper

    def _usable_tick(self) -> int:
        """A tick a position may use: near the price, at a word's edge, in use, or anywhere."""
        here = self._twins.ours.tick // self._spacing
        near = here + self._dice.choice([-600, -100, -3, -2, -1, 0, 1, 2, 3, 100, 600])
        word = here // WORD + self._dice.choice([-1, 0, 0, 1])
        edge = word * WORD + self._dice.choice([0, WORD - 1])
        candidates = [near, near, edge, edge, self._any_tick() // self._spacing]
        candidates += [self._dice.choice([self._lowest, self._highest]) // self._spacing]
        in_use = sorted(self._twins.ours.ticks)
        if in_use:
            candidates.append(self._dice.choice(in_use) // self._spacing)
        chosen = self._dice.choice(candidates) * self._spacing
        return min(max(chosen, self._lowest), self._highest)

    def _any_two_ticks(self) -> tuple[int, int]:
        """Perhaps equal, in the wrong order, between usable ticks or out of bounds."""
        ticks = [self._usable_tick(), self._usable_tick(), self._any_tick(), self._outermost_tick()]
        ticks += [MIN_TICK - 1, MAX_TICK + 1, MIN_TICK, MAX_TICK, -INT24, INT24 - 1]
        return self._dice.choice(ticks), self._dice.choice(ticks)

    def _any_tick(self) -> int:
        reach = self._dice.choice([10, 1_000, 100_000, MAX_TICK - 1])
        return self._dice.randrange(-reach, reach + 1)

    def _outermost_tick(self) -> int:
        inside = self._dice.choice([300 * self._spacing, self._spacing, 2, 1, 0])
        ends = (MIN_TICK + inside, self._lowest + inside, MAX_TICK - inside, self._highest - inside)
        return self._dice.choice(ends)

    def _edge_of_any_word(self) -> int:
        last = self._highest // self._spacing // WORD
        word = self._dice.choice([0, -1, 1, -3, 5, -last, last, -last - 1])
        place = self._dice.choice([0, WORD - 1])
        aside = self._dice.choice([-1, 0, 0, 1, self._spacing - 1])
        return _within_ticks((word * WORD + place) * self._spacing + aside)

    def _price_near(self, tick: int) -> int:
        """A tick's own price, the next one to it, or one somewhere before the next tick's."""
        price = sqrt_price_at_tick(_within_ticks(tick))
        beyond = sqrt_price_at_tick(_within_ticks(tick + 1))
        somewhere = self._dice.randrange(price, beyond + 1)
        return self._dice.choice([price, price, price - 1, price + 1, somewhere])

    def _near_limit(self, zero_for_one: bool) -> int:
        """Ahead of the price, not far: on a tick that matters or just off one."""
        return self._ahead(zero_for_one, self._price_near(self._tick_ahead(zero_for_one)))

    def _tick_ahead(self, zero_for_one: bool) -> int:
        here = self._twins.ours.tick
        way = -1 if zero_for_one else 1
        reach = min(3, self._words) * WORD * self._spacing
        ticks = [here + way * self._dice.choice([0, 1, self._spacing, 40 * self._spacing, reach])]
        word = here // self._spacing // WORD + way * self._dice.choice([0, 1])
        ticks += [(word * WORD + place) * self._spacing for place in (0, WORD - 1)]
        ticks += [t for t in sorted(self._twins.ours.ticks) if 0 <= (t - here) * way <= reach]
        return self._dice.choice(ticks)

    def _affordable_limit(self, zero_for_one: bool) -> int | None:
        """As far as the EVM can afford to walk; None, no limit, where that is everything."""
        here = self._twins.ours.tick
        reach = self._words * WORD * self._spacing
        end = here - reach if zero_for_one else here + reach
        if end <= MIN_TICK or end >= MAX_TICK:
            return None
        return self._ahead(zero_for_one, sqrt_price_at_tick(end))

    def _ahead(self, zero_for_one: bool, limit: int) -> int:
        price = self._twins.ours.sqrt_price_x96
        if zero_for_one:
            return max(min(limit, price - 1), MIN_SQRT_PRICE + 1)
        return min(max(limit, price + 1), MAX_SQRT_PRICE - 1)


def _within_ticks(tick: int) -> int:
    return min(max(tick, MIN_TICK), MAX_TICK)


def _within_prices(price: int) -> int:
    return min(max(price, MIN_SQRT_PRICE), MAX_SQRT_PRICE - 1)


#: Every kind of step, as often as it should come up; each is a method of HardSteps.
KINDS = (
    *("swap", "swap_that_just_reaches", "swap_to_a_limit") * 5,
    *("swap_one_unit", "swap_beyond_the_depth", "swap_nonsense") * 2,
    *("wait",) * 12,
    *("mint", "burn") * 4,
    *("observe", "collect") * 3,
    *("mint_as_much_as_a_tick_takes", "cumulatives_inside", "flash") * 2,
    *("set_fee_protocol", "collect_protocol", "increase_observations") * 2,
    *("mint_nonsense", "burn_nonsense", "collect_nonsense", "set_fee_protocol_nonsense"),
    *("mint_across_everything", "burn_more_than_is_held", "cumulatives_inside_nonsense"),
    *("initialize", "initialize_out_of_bounds"),
)
#: Those that do not give a pool its first price.
KINDS_BEFORE_THE_PRICE = tuple(kind for kind in KINDS if kind != "initialize")
