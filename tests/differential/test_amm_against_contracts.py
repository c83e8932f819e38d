"""lpmanager.amm against the deployed contracts: every number equal, after every operation."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from amm_contracts import ContractPool, Slot0, deploy_chain

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    amounts_for_liquidity_down,
    amounts_for_liquidity_up,
    fee_growth_inside,
    liquidity_for_amounts_down,
    sqrt_price_at_tick,
    swap,
    tick_at_sqrt_price,
    uncollected_fees,
)
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Liquidity,
    PoolState,
    Position,
    SqrtPriceX96,
    TickRange,
    TickState,
)
from lpmanager.model.tick import max_usable_tick, min_usable_tick

SPACINGS = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
OPERATIONS = 200
#: Low enough that no tick comes near the most that the contract lets one tick hold.
LIQUIDITY_PER_MINT = 10**30
#: (word, place in the word, ticks above that place): both edges of words, below and above tick 0
STARTS = [(-3, 0, 0), (-1, 255, 1), (0, 0, -1), (1, 255, 0), (5, 0, 3)]


def state_at(sqrt_price_x96: SqrtPriceX96, fee_protocol: tuple[int, int]) -> PoolState:
    return PoolState(
        sqrt_price_x96=sqrt_price_x96,
        tick=tick_at_sqrt_price(sqrt_price_x96),
        liquidity=Liquidity(0),
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        fee_protocol=fee_protocol[0] + (fee_protocol[1] << 4),
        ticks=(),
        known=TickRange(MIN_TICK, MAX_TICK),
    )


def with_liquidity(state: PoolState, tick_range: TickRange, delta: int) -> PoolState:
    """The pool after minting (or, negative, burning) liquidity in a range."""
    ticks = {t.tick: t for t in state.ticks}
    for tick, net in ((tick_range.lower, delta), (tick_range.upper, -delta)):
        old = ticks.get(tick, TickState(tick=tick, liquidity_gross=0, liquidity_net=0))
        ticks[tick] = TickState(
            tick=tick,
            liquidity_gross=old.liquidity_gross + delta,
            liquidity_net=old.liquidity_net + net,
        )
    active = state.liquidity + (delta if state.tick in tick_range else 0)
    left = sorted((t for t in ticks.values() if t.liquidity_gross), key=lambda t: t.tick)
    return replace(state, liquidity=Liquidity(active), ticks=tuple(left))


@dataclass
class Twins:
    """A deployed pool and our model of it, given the same operations."""

    contract: ContractPool
    state: PoolState
    spacing: int
    dice: random.Random
    ranges: dict[int, TickRange] = field(default_factory=dict)

    def require_equal(self) -> None:
        ours = self.state
        growth = ours.fee_growth_global0_x128, ours.fee_growth_global1_x128
        assert self.contract.slot0() == Slot0(
            ours.sqrt_price_x96, ours.tick, ours.liquidity, growth
        )

    def mint(self, tick_range: TickRange, amount0: int, amount1: int) -> None:
        price = self.state.sqrt_price_x96
        try:
            liquidity = liquidity_for_amounts_down(price, tick_range, amount0, amount1)
        except ValueError:
            with pytest.raises(RuntimeError, match="Revert"):
                self.contract.mint(tick_range, amount0, amount1)
            return
        if not 0 < liquidity < LIQUIDITY_PER_MINT or tick_range in self.ranges.values():
            return
        token_id, *got = self.contract.mint(tick_range, amount0, amount1)
        assert tuple(got) == (
            liquidity,
            *amounts_for_liquidity_up(price, tick_range, liquidity),
        )
        self.ranges[token_id] = tick_range
        self.state = with_liquidity(self.state, tick_range, liquidity)

    def swap(self, zero_for_one: bool, amount: int, limit: SqrtPriceX96) -> None:
        ours = swap(
            self.state,
            fee_pips=self.contract.fee_pips,
            tick_spacing=self.spacing,
            zero_for_one=zero_for_one,
            amount_specified=amount,
            sqrt_price_limit_x96=limit,
        )
        if max(ours.amount0, ours.amount1) <= 0:
            # A swap that costs nothing: the router's callback refuses to pay for it.
            with pytest.raises(RuntimeError, match="Revert"):
                self.contract.swap(zero_for_one, amount, limit)
            return
        assert self.contract.swap(zero_for_one, amount, limit) == (ours.amount0, ours.amount1)
        self.state = ours.state

    def position(self, token_id: int) -> Position:
        tick_range = self.ranges[token_id]
        lower = self.contract.outside(tick_range.lower)
        upper = self.contract.outside(tick_range.upper)
        growth = self.state.fee_growth_global0_x128, self.state.fee_growth_global1_x128
        inside0, inside1 = (
            fee_growth_inside(
                tick_range=tick_range,
                tick=self.state.tick,
                global_x128=growth[i],
                lower_outside_x128=lower[i],
                upper_outside_x128=upper[i],
            )
            for i in (0, 1)
        )
        return self.contract.position(token_id, (inside0, inside1))

    def collect(self, token_id: int) -> None:
        owed = uncollected_fees(self.position(token_id))
        if owed != (0, 0):
            # before the burn of anything: collect alone must bring the fees up to date
            assert self.contract.collect(token_id) == owed

    def decrease(self, token_id: int) -> None:
        position = self.position(token_id)
        liquidity = Liquidity(self.dice.choice([position.liquidity, position.liquidity // 3]))
        if liquidity == 0:
            return
        expected = amounts_for_liquidity_down(self.state.sqrt_price_x96, position.range, liquidity)
        fees = uncollected_fees(position)
        assert self.contract.decrease(token_id, liquidity) == expected
        self.state = with_liquidity(self.state, position.range, -liquidity)
        owed = fees[0] + expected[0], fees[1] + expected[1]
        emptied = liquidity == position.liquidity
        if emptied:
            # the edges may be gone now, so their growth can no longer be read
            self.ranges.pop(token_id)
        else:
            assert uncollected_fees(self.position(token_id)) == owed
        if emptied or self.dice.random() < 0.5:
            assert self.contract.collect(token_id) == owed

    def random_range(self) -> TickRange:
        near = self.state.tick // self.spacing
        widths = (1, 2, 10, 200, 600)
        lower = near - self.dice.randint(-2, 1) * self.dice.choice(widths)
        upper = lower + self.dice.choice(widths)
        lowest = min_usable_tick(self.spacing) // self.spacing
        highest = max_usable_tick(self.spacing) // self.spacing
        lower = min(max(lower, lowest), highest - 1)
        upper = min(max(upper, lower + 1), highest)
        return TickRange(lower * self.spacing, upper * self.spacing)

    def random_limit(self, zero_for_one: bool) -> SqrtPriceX96:
        """A few words away at most, on a tick or just off one, ahead of the price."""
        reach = self.dice.choice([1, self.spacing, 40 * self.spacing, 600 * self.spacing])
        aside = self.dice.choice([-1, 0, 1])
        if zero_for_one:
            tick = max(self.state.tick - reach, MIN_TICK)
            limit = min(sqrt_price_at_tick(tick) + aside, self.state.sqrt_price_x96 - 1)
        else:
            tick = min(self.state.tick + 1 + reach, MAX_TICK)
            limit = max(sqrt_price_at_tick(tick) + aside, self.state.sqrt_price_x96 + 1)
        return SqrtPriceX96(min(max(limit, MIN_SQRT_PRICE + 1), MAX_SQRT_PRICE - 1))

    def random_operation(self) -> None:
        kind = self.dice.choices(["swap", "mint", "collect", "decrease"], [8, 3, 2, 1])[0]
        if kind == "mint" or not self.ranges:
            self.mint(self.random_range(), self.random_amount(), self.random_amount())
        elif kind == "swap":
            zero_for_one = self.dice.random() < 0.5
            amount = self.random_amount() * self.dice.choice([1, -1])
            self.swap(zero_for_one, amount, self.random_limit(zero_for_one))
        else:
            token_id = self.dice.choice(sorted(self.ranges))
            getattr(self, kind)(token_id)

    def random_amount(self) -> int:
        return self.dice.randint(1, 10 ** self.dice.randint(1, 27))


@pytest.mark.parametrize("fee_pips", SPACINGS)
@pytest.mark.parametrize("start", STARTS, ids=lambda s: f"word{s[0]}-bit{s[1]}{s[2]:+d}")
@pytest.mark.parametrize("fee_protocol", [(0, 0), (4, 10)], ids=["no-cut", "owner-takes-a-cut"])
def test_every_number_equals_the_contracts_after_every_operation(
    fee_pips: int, start: tuple[int, int, int], fee_protocol: tuple[int, int]
) -> None:
    spacing = SPACINGS[fee_pips]
    word, place, above = start
    price = sqrt_price_at_tick((word * 256 + place) * spacing + above)
    contract = ContractPool(deploy_chain(), fee_pips)
    contract.initialize(price, fee_protocol)
    dice = random.Random(f"{fee_pips} {start} {fee_protocol}")
    twins = Twins(contract, state_at(price, fee_protocol), spacing, dice)
    if place:
        whole = TickRange(min_usable_tick(spacing), max_usable_tick(spacing))
        twins.mint(whole, 10**22, 10**22)
    for _ in range(OPERATIONS):
        twins.random_operation()
        twins.require_equal()
