"""Whole strategies in compiled code, beside their twins acting on the exact pool."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from builders import NO_OUTLOOK, a_market, a_position, a_record, a_snapshot, a_view, an_outlook
from fast_builders import DEEP, MINUTE, START, ExactPool, bars_of, market_of, random_bars
from price_series import a_swap

from lpmanager.amm import liquidity_for_amounts_down, swap_for_deposit
from lpmanager.backtest.fast.columns import CLOSE, FastRows, fast_columns
from lpmanager.backtest.fast.policies import strategy_of
from lpmanager.backtest.fast.strategy import (
    DEPLOYED_S,
    FEES,
    GAS,
    HODL,
    IN_RANGE_S,
    LVR,
    MOVES,
    SWAP_COST,
    VALUE,
    Conditions,
    run_all,
    table_of,
)
from lpmanager.backtest.fast.strategy import (
    START as AT_START,
)
from lpmanager.backtest.fast.volatility import variance_rates
from lpmanager.backtest.markets.market import Bars, Market
from lpmanager.backtest.report.run import Numbers
from lpmanager.model import MAX_TICK, MIN_TICK, Flow, SqrtPriceX96, Target, TickRange
from lpmanager.rebalancer import Policy
from lpmanager.rebalancer.policies import FixedWidth, Passive, VolatilityWidth
from lpmanager.risk import assess
from lpmanager.risk.missing import Missing

DEPOSIT = DEEP // 50, DEEP // 80
HISTORY_S = 45 * MINUTE
NAN = float("nan")
CONDITIONS = Conditions(
    deposit0=float(DEPOSIT[0]),
    deposit1=float(DEPOSIT[1]),
    quote_is_token0=True,
    every_s=3 * MINUTE,
    min_interval_s=0,
    withdraw_gas=0.0,
    swap_gas=0.0,
    mint_gas=0.0,
    native_price=0.0,
)
POLICIES: dict[str, Policy] = {
    "fixed": FixedWidth(half_width_ticks=40),
    "early": FixedWidth(half_width_ticks=95, recentre_at=Fraction(1, 2), deploy=Fraction(3, 4)),
    "passive": Passive(half_width_ticks=50, order_width_ticks=30),
    "volatility": VolatilityWidth(
        multiplier=Fraction(1, 2), horizon_s=600, min_half_width_ticks=20, max_half_width_ticks=90
    ),
}


def run(market: Market, policy: Policy, conditions: Conditions = CONDITIONS) -> Numbers:
    rows = fast_columns(market)
    jobs = np.array([[0, 0, len(rows.time)]])
    table = table_of([strategy_of(policy)])
    return run_all(rows, jobs, table, variance_rates(rows, HISTORY_S), conditions)[0]


@dataclass
class Twin:
    """A policy of the live manager on the exact pool, doing what it wants at once."""

    policy: Policy
    exact: ExactPool
    rates: Numbers
    wallet: tuple[int, int] = DEPOSIT
    fees: tuple[int, int] = (0, 0)
    held: tuple[tuple[TickRange, int], ...] = ()
    moves: int = 0

    def run(self) -> None:
        bars = self.exact.market.rows
        assert isinstance(bars, Bars)
        self._decide(int(bars.open[0]), math.nan)
        for row in range(len(bars) - 1):
            self.exact.replay(row)
            if (row + 1) % 3 == 0:
                self._decide(int(bars.close[row]), float(self.rates[row]))
        self.exact.replay(len(bars) - 1)
        self._withdraw(set())

    def _decide(self, tick: int, rate: float) -> None:
        # The pool's own numbers of fees are what is collected; a look at them needs a copy.
        target = self._target(tick, rate)
        wanted = [weighted.range for weighted in target.ranges]
        if set(wanted) == {span for span, _ in self.held}:
            return
        self.moves += 1
        self._withdraw(set(wanted))
        for weighted in target.ranges:
            if weighted.range in {span for span, _ in self.held}:
                continue
            if target.swap:
                self._swap(weighted.range, weighted.weight)
            offered = tuple(int(raw * weighted.weight) for raw in self.wallet)
            pool = self.exact.pool
            liquidity = liquidity_for_amounts_down(pool.sqrt_price_x96, weighted.range, *offered)
            self._pay(*self.exact.mint(weighted.range, liquidity))
            self.held += ((weighted.range, liquidity),)

    def _target(self, tick: int, rate: float) -> Target:
        owned = Twin(self.policy, self.exact.copy(), self.rates, self.wallet, self.fees, self.held)
        owned._withdraw(set())
        positions = tuple(
            a_position(str(span), token_id=number, liquidity=1)
            for number, (span, _) in enumerate(self.held)
        )
        market = a_market(tick=tick, positions=positions)
        outlook = NO_OUTLOOK if math.isnan(rate) else an_outlook(variance_rate=rate)
        return self.policy.target(a_view(market, a_record(owned.wallet), outlook))

    def _swap(self, span: TickRange, share: Fraction) -> None:
        offered = (int(raw * share) for raw in self.wallet)
        size = swap_for_deposit(self.exact.pool, *offered, span)
        if size.amount_in:
            done = self.exact.pool.swap(size.zero_for_one, size.amount_in)
            self._pay(done.amount0, done.amount1)

    def _withdraw(self, keeping: set[TickRange]) -> None:
        for span, liquidity in self.held:
            if span not in keeping:
                principal, fees = self.exact.withdraw(span, liquidity)
                self._pay(*(-a - b for a, b in zip(principal, fees, strict=True)))
                self.fees = self.fees[0] + fees[0], self.fees[1] + fees[1]
        self.held = tuple(each for each in self.held if each[0] in keeping)

    def _pay(self, raw0: int, raw1: int) -> None:
        self.wallet = self.wallet[0] - raw0, self.wallet[1] - raw1


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("seed", [11, 12])
def test_a_strategy_ends_with_what_its_twin_has_on_the_exact_pool(name: str, seed: int) -> None:
    market = market_of(random_bars(seed, count=90, step=30))
    rows = fast_columns(market)
    exact = ExactPool.of(market)
    exact.before(0)
    twin = Twin(POLICIES[name], exact, variance_rates(rows, HISTORY_S))
    twin.run()
    found = run(market, POLICIES[name])
    price = float(rows.numbers[3, -1]) ** 2
    assert found[MOVES] == twin.moves > 2
    assert found[VALUE] == pytest.approx(twin.wallet[0] + twin.wallet[1] / price, rel=1e-9)
    assert found[FEES] == pytest.approx(twin.fees[0] + twin.fees[1] / price, rel=1e-9)
    assert found[HODL] == pytest.approx(DEPOSIT[0] + DEPOSIT[1] / price, rel=1e-12)


def test_costs_of_gas_are_taken_off_at_the_end() -> None:
    market = market_of(random_bars(11, count=90, step=30))
    free = run(market, POLICIES["fixed"])
    for native_price, price in (
        (2.5, 2.5),
        (NAN, 1 / float(fast_columns(market).numbers[3, -1]) ** 2),
    ):
        paid = CONDITIONS._replace(
            withdraw_gas=1e18, swap_gas=2e18, mint_gas=4e18, native_price=native_price
        )
        found = run(market, POLICIES["fixed"], paid)
        gas = (found[MOVES] * 7e18 - 1e18) * price
        assert found[GAS] == pytest.approx(gas, rel=1e-12)
        assert found[VALUE] == pytest.approx(free[VALUE] - gas, rel=1e-12)


def test_moves_keep_their_pause() -> None:
    market = market_of(random_bars(11, count=90, step=30))
    hasty = run(market, POLICIES["fixed"])[MOVES]
    calm = run(market, POLICIES["fixed"], CONDITIONS._replace(min_interval_s=30 * MINUTE))[MOVES]
    assert 1 < calm <= 90 / 30 + 1 < hasty


def test_both_quotes_tell_the_same_story() -> None:
    market = market_of(random_bars(11, count=90, step=30))
    in0, in1 = (
        run(market, POLICIES["fixed"], CONDITIONS._replace(quote_is_token0=quote_is_token0))
        for quote_is_token0 in (True, False)
    )
    price = float(fast_columns(market).numbers[3, -1]) ** 2
    for column in (VALUE, HODL, FEES):
        assert in0[column] * price == pytest.approx(in1[column], rel=1e-12)
    assert in0[SWAP_COST] == pytest.approx(in1[SWAP_COST], rel=0.05)
    assert in0[LVR] == pytest.approx(in1[LVR], rel=0.05)
    assert in0[AT_START] == pytest.approx(DEPOSIT[0] + DEPOSIT[1], rel=1e-2)


def test_the_time_is_counted_from_the_first_range_on() -> None:
    market = market_of(random_bars(11, count=90, step=30))
    found = run(market, POLICIES["fixed"])
    assert found[DEPLOYED_S] == 90 * MINUTE
    assert 0 < found[IN_RANGE_S] < found[DEPLOYED_S]
    later = run(market, POLICIES["volatility"])
    assert later[DEPLOYED_S] == 90 * MINUTE - 27 * MINUTE


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("tick", [MIN_TICK, MAX_TICK - 1])
def test_at_the_ends_of_the_ticks_nothing_is_placed(name: str, tick: int) -> None:
    """As the live manager holds there."""
    found = run(market_of(bars_of(*[(tick, tick, tick, tick)] * 30)), POLICIES[name])
    assert found[MOVES] == 0
    assert found[VALUE] == pytest.approx(found[HODL], rel=1e-12)


def test_nothing_sees_the_future() -> None:
    """The same past and another future: a run that ends before that is the same to the last bit."""
    past, other = random_bars(11, count=90, step=30), random_bars(12, count=90)
    mixed = Bars(
        **{
            name: np.concatenate((getattr(past, name)[:50], getattr(other, name)[50:]))
            for name in ("time", "open", "low", "high", "close", "in0", "in1", "liquidity")
        },
        step_s=MINUTE,
    )
    table = table_of([strategy_of(policy) for policy in POLICIES.values()])
    jobs = np.array([[number, 0, 50] for number in range(len(POLICIES))])

    def until_then(rows: FastRows) -> Numbers:
        return run_all(rows, jobs, table, variance_rates(rows, HISTORY_S), CONDITIONS)

    one, same = (until_then(fast_columns(market_of(bars))) for bars in (past, mixed))
    assert one.tobytes() == same.tobytes()
    assert int(past.time[0]) == START


def test_volatility_is_what_the_live_manager_would_see() -> None:
    rows = fast_columns(market_of(random_bars(5, count=90)))
    seen = [_as_seen_live(rows, row) for row in range(90)]
    assert variance_rates(rows, HISTORY_S) == pytest.approx(seen, rel=1e-9, nan_ok=True)
    assert [math.isnan(rate) for rate in seen].count(True) == 25


def test_a_quiet_time_counts_for_volatility_as_in_the_live_manager() -> None:
    """Of the time without a row, which is half a window, ever less is in it."""
    bars = random_bars(5, count=90)
    silence = np.where(np.arange(90) < 40, 0, HISTORY_S // 2)
    rows = fast_columns(market_of(replace(bars, time=bars.time + silence)))
    seen = [_as_seen_live(rows, row) for row in range(90)]
    assert variance_rates(rows, HISTORY_S) == pytest.approx(seen, rel=1e-9, nan_ok=True)


def test_a_price_that_stands_still_has_no_volatility() -> None:
    rows = fast_columns(market_of(random_bars(5, count=90)))
    still = rows._replace(numbers=np.ones_like(rows.numbers))
    assert np.isnan(variance_rates(still, HISTORY_S)).all()


def _as_seen_live(rows: FastRows, row: int) -> float:
    """By the flow of a swap a row, in blocks of a second; NaN where there is no Outlook."""
    now = int(rows.time[row])
    since = max(now - HISTORY_S, int(rows.start_time))
    first = int(np.searchsorted(rows.time, since, "right"))
    swaps = tuple(
        a_swap(int(rows.time[at]), 0, sqrt_price_x96=int(rows.numbers[CLOSE, at] * 2**96))
        for at in range(first, row + 1)
    )
    flow = Flow(from_block=since + 1, seconds=now - since, swaps=swaps)
    market = a_snapshot(sqrt_price_x96=SqrtPriceX96(swaps[-1].sqrt_price_x96))
    block = replace(market.block, number=now, timestamp=now)
    seen = assess(replace(market, block=block, flow=flow))
    return math.nan if isinstance(seen, Missing) else seen.variance_rate
