"""One suite for both engines: what the deployed pool says to a sequence of swaps, each says too.

The Python engine swaps one by one. The compiled one takes all swaps up to the next operation of
another kind, or the next revert, in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple, NoReturn

import pytest
from abi_words import signed
from amm_contracts import OWNERS, POOL_WORDS, SPACINGS, Contracts, Look
from evm_backends import fastest_evm
from hypothesis import given, settings
from hypothesis import strategies as st
from pool_cases import REGRESSIONS, read_case
from pool_comparison import different, words
from pool_operations import (
    IncreaseObservations,
    Initialize,
    Mint,
    Operation,
    SetFeeProtocol,
    Step,
    Swap,
    Wait,
)
from random_pools import magnitudes, pools

from lpmanager.amm import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    Pool,
    PoolRevert,
    TickDataMissing,
    sqrt_price_at_tick,
)
from lpmanager.amm.fast import engine as fast_engine
from lpmanager.amm.fast import swap_many
from lpmanager.amm.fast.one_by_one import swap_all
from lpmanager.amm.fast.orders import Orders
from lpmanager.model import MAX_TICK, MIN_TICK, TickRange
from lpmanager.model.tick import max_usable_tick, min_usable_tick

DOWN, UP = True, False
ALICE, BOB = OWNERS
EVERYTHING = 2**255 - 1
DEEP = 10**24


class Row(NamedTuple):
    """What a swap did: raw amounts as the pool sees them, and where it left the pool."""

    amount0: int
    amount1: int
    sqrt_price_x96: int
    liquidity: int
    tick: int


Engine = Callable[[Pool, Sequence[Swap]], list[Row]]


def one_by_one(pool: Pool, swaps: Sequence[Swap]) -> list[Row]:
    done = [
        pool.swap(swap.zero_for_one, swap.amount_specified, swap.sqrt_price_limit_x96)
        for swap in swaps
    ]
    return [Row(*result[:5]) for result in done]


def all_at_once(pool: Pool, swaps: Sequence[Swap]) -> list[Row]:
    names = Row._fields
    done = swap_many(
        pool,
        [swap.zero_for_one for swap in swaps],
        [swap.amount_specified for swap in swaps],
        [swap.sqrt_price_limit_x96 for swap in swaps],
    )
    return [Row(*row) for row in zip(*(getattr(done, name) for name in names), strict=True)]


@pytest.fixture(autouse=True, scope="module")
def _compiled_engine_on_its_own() -> Iterator[None]:
    """What it gives up is left to the Python engine, which must refuse it then."""

    def refuse(pool: Pool, orders: Orders) -> NoReturn:
        swap_all(pool, orders)
        raise AssertionError(f"the compiled engine gave up {orders}, which can be carried out")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_engine, "one_by_one", SimpleNamespace(swap_all=refuse))
        yield


ENGINES: dict[str, Engine] = {"python": one_by_one, "compiled": all_at_once}
every_engine = pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES.keys())


@dataclass(frozen=True)
class Scenario:
    """What is done with a fresh pool."""

    fee_pips: int
    steps: tuple[Step, ...]
    timestamp: int = 1_700_000_000

    @property
    def look(self) -> Look:
        """All that the steps can have touched, and the first observations."""
        operations = [step for step in self.steps if isinstance(step, Operation)]
        ticks = {tick for step in operations for tick in step.edges}
        positions = {position for step in operations for position in step.positions}
        return Look(sorted(ticks), sorted(positions), range(20))


#: What a step gave: of a swap what it did, of any other step nothing, the code where it reverted.
Answer = Row | str | None


class Told(NamedTuple):
    """What the deployed pool said to each step, what it holds in the end, and all else it is."""

    answers: tuple[Answer, ...]
    balances: tuple[int, int]
    found: Sequence[int]


@cache
def contracts() -> Contracts:
    return Contracts(fastest_evm())


@cache
def told_by_the_contract(scenario: Scenario) -> Told:
    pool = contracts().fresh_pool(scenario.fee_pips, scenario.timestamp)
    time, balances = scenario.timestamp, (0, 0)
    answers: list[Answer] = []
    for step in scenario.steps:
        if isinstance(step, Wait):
            time += step.seconds
            pool.set_time(time)
            answers.append(None)
            continue
        caller = int(contracts().owners[step.caller], 16)
        answer = pool.call(step.order(caller), Look(), step.caller)
        if answer.reverts is not None:
            answers.append(answer.reverts)
            continue
        said = step.answered(answer.words)
        moved = step.moved(said)
        balances = balances[0] + moved[0], balances[1] + moved[1]
        answers.append(_row(said, answer.found) if isinstance(step, Swap) else None)
    return Told(tuple(answers), balances, pool.look(scenario.look))


def _row(said: Sequence[int], found: Sequence[int]) -> Row:
    pool = dict(zip(POOL_WORDS, found, strict=True))
    return Row(*said, pool["sqrt_price_x96"], pool["liquidity"], signed(pool["tick"]))


def played(engine: Engine, scenario: Scenario, answers: Sequence[Answer]) -> Pool:
    """Our pool after the same steps; every swap and every revert must be as in `answers`."""
    spacing = SPACINGS[scenario.fee_pips]
    pool = Pool(scenario.fee_pips, spacing, timestamp=scenario.timestamp)
    for is_swaps, group in groupby(
        zip(scenario.steps, answers, strict=True), key=lambda pair: isinstance(pair[1], Row)
    ):
        pairs = list(group)
        if is_swaps:
            rows = engine(pool, [step for step, _ in pairs if isinstance(step, Swap)])
            assert rows == [answer for _, answer in pairs]
            continue
        for step, answer in pairs:
            if isinstance(answer, str):
                with pytest.raises(PoolRevert) as raised:
                    _do(engine, pool, step)
                assert raised.value.code == answer
            else:
                _do(engine, pool, step)
    return pool


def require_conformance(engine: Engine, scenario: Scenario) -> None:
    """Every answer and, in the end, everything the pool is must be the deployed pool's."""
    told = told_by_the_contract(scenario)
    pool = played(engine, scenario, told.answers)
    assert words(pool, told.balances, scenario.look) == list(told.found)


def _do(engine: Engine, pool: Pool, step: Step) -> None:
    if isinstance(step, Wait):
        pool.set_time(pool.timestamp + step.seconds)
    elif isinstance(step, Swap):
        engine(pool, [step])
    else:
        step.do(pool)


class Script:
    """Writes down steps, and knows from our own pool where the price is."""

    def __init__(self, fee_pips: int, price: int = 2**96) -> None:
        self.fee_pips = fee_pips
        self.spacing = SPACINGS[fee_pips]
        self.pool = Pool(fee_pips, self.spacing)
        self.steps: list[Step] = []
        self.do(Initialize(price))

    @property
    def scenario(self) -> Scenario:
        return Scenario(self.fee_pips, tuple(self.steps))

    def do(self, *steps: Operation) -> None:
        for step in steps:
            step.do(self.pool)
            self.steps.append(step)

    def refused(self, *swaps: Swap) -> None:
        """Write down what the pool will not do."""
        self.steps += swaps

    def wait(self, seconds: int) -> None:
        self.steps.append(Wait(seconds))

    def mint_everywhere(self, liquidity: int) -> None:
        edges = min_usable_tick(self.spacing), max_usable_tick(self.spacing)
        self.do(Mint(ALICE, *edges, liquidity))

    def swap(self, down: bool, amount: int, limit: int | None = None) -> None:
        self.do(Swap(down, amount, limit))

    def go_to(self, price: int) -> None:
        """Swap as far as a price, whatever it costs."""
        if price != self.pool.sqrt_price_x96:
            self.swap(price < self.pool.sqrt_price_x96, EVERYTHING, price)

    def go_over(self, tick: int, amount: int) -> None:
        """Come to a tick's price from both sides and go on both ways, by a unit and by `amount`."""
        price = sqrt_price_at_tick(tick)
        for size in (1, -1, amount, -amount):
            for start, down in ((price - 1, UP), (price + 1, DOWN), (price, UP), (price, DOWN)):
                self.go_to(start)
                self.swap(down, size)
                self.go_to(price)
                self.swap(down, size)


def word_edges(fee_pips: int) -> Scenario:
    """The first and the last tick of words of the bitmap, with liquidity there and without."""
    script = Script(fee_pips)
    spacing = script.spacing
    script.mint_everywhere(DEEP)
    script.do(
        Mint(BOB, -257 * spacing, 255 * spacing, DEEP),
        Mint(BOB, 0, 256 * spacing, DEEP),
        Mint(BOB, -512 * spacing, -256 * spacing, DEEP),
    )
    for word in (-2, -1, 0, 1):
        for place in (0, 255):
            script.go_over((word * 256 + place) * spacing, 10**20)
    return script.scenario


def negative_ticks() -> Scenario:
    """Below tick 0, where rounding a tick to the spacing goes away from 0."""
    script = Script(3_000, sqrt_price_at_tick(-30_001))
    script.mint_everywhere(10**18)
    script.do(Mint(BOB, -30_060, -30_000, 10**20), Mint(BOB, -30_120, -30_060, 10**19))
    for tick in (-30_001, -30_000, -29_999, -30_059, -30_060, -30_061, -30_119, -30_120, -30_121):
        script.go_over(tick, 10**15)
    return script.scenario


def outermost_ticks(fee_pips: int) -> Scenario:
    """Both ends of all prices, with a position that ends there."""
    script = Script(fee_pips)
    script.mint_everywhere(10**9)
    for limit in (MIN_SQRT_PRICE + 1, MAX_SQRT_PRICE - 1):
        script.go_to(limit)
        down = limit < 2**96
        script.refused(Swap(down, 1, None))
        script.swap(not down, 1)
        script.swap(not down, 10**6)
        script.swap(down, -1)
        script.go_to(limit)
    for tick in (min_usable_tick(script.spacing), MIN_TICK + 1):
        script.go_over(tick, 10**6)
    for tick in (max_usable_tick(script.spacing), MAX_TICK - 1):
        script.go_over(tick, 10**6)
    return script.scenario


def empty_stretches() -> Scenario:
    """Words of nothing between two positions, and no liquidity at the price to begin with."""
    script = Script(3_000)
    script.do(Mint(ALICE, 46_080, 46_140, 10**20), Mint(BOB, -61_440, -46_080, 10**20))
    script.swap(UP, 1)
    script.go_over(46_080, 10**18)
    script.swap(DOWN, 10**22, sqrt_price_at_tick(-60_000))
    script.swap(UP, -(10**22), sqrt_price_at_tick(46_200))
    script.go_over(-46_080, 10**18)
    script.swap(UP, -(10**24))
    return script.scenario


def no_liquidity() -> Scenario:
    script = Script(500)
    script.swap(UP, 1, 2**97)
    script.swap(DOWN, -1, 2**96)
    script.swap(DOWN, EVERYTHING, 2**95)
    return script.scenario


def one_unit(fee_pips: int) -> Scenario:
    """Amounts so small that rounding is all there is, where liquidity is scarce and where not."""
    script = Script(fee_pips)
    for liquidity in (1, 1_000, 10**15, 10**27):
        script.mint_everywhere(liquidity)
        for amount in (1, 2, -1, -2, 3):
            script.go_to(2**96)
            script.swap(UP, amount, 2**98)
            script.swap(DOWN, amount, 2**94)
            script.swap(DOWN, amount, 2**93)
    return script.scenario


def limits_on_ticks() -> Scenario:
    """Limits that are a tick's price, one below it and one above, crossed or only reached."""
    script = Script(10_000)
    script.mint_everywhere(10**20)
    script.do(Mint(BOB, -200, 200, 10**21), Mint(BOB, 400, 600, 10**21))
    for tick in (200, 400, 600, 500, 200, -200, -400, 0):
        price = sqrt_price_at_tick(tick)
        for limit in (price - 1, price, price + 1, price, price - 1, price):
            script.go_to(limit)
    return script.scenario


def beyond_the_depth() -> Scenario:
    """More output than there is, in one direction and then in the other."""
    script = Script(3_000)
    script.do(Mint(ALICE, -600, 600, 10**20), Mint(BOB, -120, 1_200, 10**20))
    script.swap(DOWN, -(10**30), sqrt_price_at_tick(-6_000))
    script.swap(UP, -(2**255), sqrt_price_at_tick(6_000))
    script.swap(DOWN, -(10**30))
    return script.scenario


def owners_share() -> Scenario:
    """The owner's part of either token's fees, also of fees too small to be parted."""
    script = Script(3_000)
    script.mint_everywhere(10**20)
    for share0, share1 in ((4, 10), (0, 7), (10, 0), (5, 5)):
        script.do(SetFeeProtocol(share0, share1))
        for amount in (1, 10**17, 10**21, -(10**17), -1):
            script.swap(DOWN, amount)
            script.swap(UP, amount)
    return script.scenario


def huge_amounts() -> Scenario:
    """As much liquidity as a tick takes, and amounts that fill an int256 and its products."""
    script = Script(10_000)
    most = script.pool.max_liquidity_per_tick
    script.do(Mint(ALICE, -887_200, 887_200, most), Mint(BOB, -887_000, 887_000, most))
    for price in (2**140, 2**150, 2**100, 2**60, 2**40, 2**96):
        script.go_to(price)
        for amount in (2**90, 2**106, 2**127, -(2**90), -(2**106), -(2**127)):
            script.swap(DOWN, amount)
            script.swap(UP, amount)
    return script.scenario


def blocks() -> Scenario:
    """Ticks crossed to and fro within a block and later, where the oracle notes what was before."""
    script = Script(500)
    script.mint_everywhere(10**18)
    script.do(Mint(BOB, -10, 10, 10**20), Mint(BOB, 20, 30, 10**20), IncreaseObservations(3))
    for seconds in (0, 1, 12, 0, 3_600, 12):
        script.wait(seconds)
        script.swap(UP, 10)
        for tick in (25, -15, 5, 35, 5):
            script.go_to(sqrt_price_at_tick(tick))
            script.swap(DOWN, 1)
    return script.scenario


def refusals() -> Scenario:
    """What reverts leaves no trace on what follows."""
    script = Script(3_000)
    script.mint_everywhere(10**20)
    price = script.pool.sqrt_price_x96
    script.refused(
        Swap(DOWN, 0, None),
        Swap(DOWN, 1, price),
        Swap(DOWN, 1, MIN_SQRT_PRICE),
        Swap(UP, -1, price),
        Swap(UP, -1, MAX_SQRT_PRICE),
        Swap(UP, 1, 0),
    )
    script.swap(DOWN, 10**19)
    script.refused(Swap(DOWN, 1, price), Swap(UP, 0, 0))
    script.swap(UP, 10**19)
    return script.scenario


SCENARIOS: dict[str, Callable[[], Scenario]] = {
    **{f"word-edges-{fee}": partial(word_edges, fee) for fee in SPACINGS},
    **{f"outermost-ticks-{fee}": partial(outermost_ticks, fee) for fee in (3_000, 10_000)},
    **{f"one-unit-{fee}": partial(one_unit, fee) for fee in SPACINGS},
    "negative-ticks": negative_ticks,
    "empty-stretches": empty_stretches,
    "no-liquidity": no_liquidity,
    "limits-on-ticks": limits_on_ticks,
    "beyond-the-depth": beyond_the_depth,
    "owners-share": owners_share,
    "huge-amounts": huge_amounts,
    "blocks": blocks,
    "refusals": refusals,
}


@every_engine
@pytest.mark.parametrize("name", SCENARIOS)
def test_an_engine_swaps_as_the_deployed_pool_does(engine: Engine, name: str) -> None:
    require_conformance(engine, SCENARIOS[name]())


@every_engine
@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*.json")), ids=lambda path: path.stem)
def test_an_engine_goes_through_every_sequence_known_to_be_hard(engine: Engine, path: Path) -> None:
    case = read_case(path)
    require_conformance(engine, Scenario(case.fee_pips, case.steps, case.timestamp))


@st.composite
def a_batch(draw: st.DrawFn, pool: Pool) -> list[Swap]:
    """Swaps that the pool takes, one after another, however far and however large."""
    pool, swaps = pool.copy(), list[Swap]()
    for _ in range(draw(st.integers(1, 12))):
        down, amount = draw(st.booleans()), draw(magnitudes(255)) or 1
        near = magnitudes(pool.sqrt_price_x96.bit_length() - 3)
        distance = draw(st.none() | near)
        limit = None
        if distance is not None:
            limit = pool.sqrt_price_x96 + (-1 - distance if down else 1 + distance)
            limit = min(max(limit, MIN_SQRT_PRICE + 1), MAX_SQRT_PRICE - 1)
        swap = Swap(down, min(draw(st.sampled_from([amount, -amount])), EVERYTHING), limit)
        try:
            swap.do(pool)
        except (PoolRevert, TickDataMissing):
            continue
        swaps.append(swap)
    return swaps


@st.composite
def known_in_part(draw: st.DrawFn, pool: Pool) -> Pool:
    """The pool as read around its price alone."""
    reach = draw(st.integers(1, 600)) * pool.tick_spacing
    known = TickRange(max(pool.tick - reach, MIN_TICK), min(pool.tick + reach, MAX_TICK))
    ticks = tuple(tick for tick in pool.state().ticks if tick.tick in known)
    state = replace(pool.state(), known=known, ticks=ticks)
    return Pool.from_state(state, pool.fee_pips, pool.tick_spacing, timestamp=pool.timestamp)


@settings(max_examples=100)
@given(data=st.data())
def test_both_engines_leave_any_pool_the_same(data: st.DataObject) -> None:
    pool = data.draw(pools(liquidity_bits=110))
    pool.set_fee_protocol(*data.draw(st.sampled_from([(0, 0), (4, 10), (7, 0)])))
    if data.draw(st.booleans()):
        pool = data.draw(known_in_part(pool))
    pool.increase_observation_cardinality_next(data.draw(st.integers(0, 4)))
    for _ in range(data.draw(st.integers(1, 3))):
        pool.set_time(pool.timestamp + data.draw(st.sampled_from([0, 1, 12, 2**32 - 1])))
        twin, swaps = pool.copy(), data.draw(a_batch(pool))
        assert all_at_once(pool, swaps) == one_by_one(twin, swaps)
        assert different(pool, twin) == ""
