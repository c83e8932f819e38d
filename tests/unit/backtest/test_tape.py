"""What a market's rows do to a pool: the way of a bar, and the way of a swap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from builders import a_limits, a_pool
from market_builders import MAINNET_EVENTS, MAINNET_MINUTES, needs_data
from replay_builders import BLOCK_S, a_walk, a_world_of

from lpmanager.amm.fast.legs import TO
from lpmanager.amm.fast.packing import from_limbs, to_limbs
from lpmanager.backtest.markets.bars import in_bars
from lpmanager.backtest.markets.market import Bars, Events, Market
from lpmanager.backtest.markets.reading import read_market
from lpmanager.backtest.markets.senders import Senders
from lpmanager.backtest.replay.bar_ways import bar_ways
from lpmanager.backtest.replay.meter import roots_of
from lpmanager.backtest.replay.tape import tape_of
from lpmanager.backtest.replay.world import World
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import markouts

Q128 = 2**128


def some_bars(*ticks: tuple[int, int, int, int], in0: int = 0, in1: int = 0) -> Bars:
    """Each with its open, low, high and close, and the same volumes."""
    opened, low, high, close = (np.array(column, np.int32) for column in zip(*ticks, strict=True))
    count = len(ticks)
    return Bars(
        time=np.arange(count, dtype=np.int64) * 60,
        open=opened,
        low=low,
        high=high,
        close=close,
        in0=to_limbs([in0] * count, 2),
        in1=to_limbs([in1] * count, 2),
        liquidity=to_limbs([10**18] * count, 2),
        step_s=60,
    )


def market_of(bars: Bars) -> Market:
    return Market(name="bars", chain_id=1, pool=a_pool(), rows=bars, start=None, notes=())


def growth_of(market: Market) -> tuple[float, float]:
    """What a unit of liquidity earned of each token, in raw units."""
    world = a_world_of(market)
    for _ in world.pass_time(market.end):
        pass
    pool = world.pool
    return pool.fee_growth_global0_x128 / Q128, pool.fee_growth_global1_x128 / Q128


def test_a_bar_goes_to_both_extremes_the_low_first_where_it_rose() -> None:
    tape = tape_of(market_of(some_bars((100, 90, 130, 120), (120, 80, 125, 85))), BLOCK_S)
    legs = tape.legs(0, 2)
    towards = [round(2 * np.log(root) / np.log(1.0001)) for root in roots_of(legs.prices)]
    stops = [tick for tick, kind in zip(towards, legs.kinds, strict=True) if kind == TO]
    assert stops == [100, 90, 130, 120, 120, 120, 125, 80, 85, 85]


def test_volume_beyond_the_way_is_traded_at_the_close_and_the_price_stays() -> None:
    quiet = market_of(some_bars((100, 100, 100, 100), in0=10**9, in1=10**9))
    world = a_world_of(quiet)
    (stretch,) = world.pass_time(60)
    assert world.pool.tick == 100
    assert [raw for raw in from_limbs(stretch.went.amounts0, signed=True) if raw > 0] == [10**9]
    assert from_limbs(stretch.went.amounts1, signed=True)[5] == 10**9


def test_what_a_way_took_too_much_is_not_traded_again_later() -> None:
    """Of two bars the first moves more than its volume, the second less: together, what their
    volumes say."""
    moving, quiet = (100, 40, 160, 100), (100, 100, 100, 100)
    volume = 5 * 10**15
    alone = bar_ways(some_bars(quiet, in0=volume, in1=volume), 500)
    after = bar_ways(some_bars(moving, quiet, in0=volume, in1=volume), 500)
    assert alone.left0[0] == volume
    assert after.left0[0] == 0
    assert 0 < after.left0[1] < volume


def test_events_and_their_own_bars_end_at_the_same_price() -> None:
    market = a_walk(steps=120)
    ends = []
    for told in (market, in_bars(market, 300)):
        world = a_world_of(told)
        for _ in world.pass_time(told.end):
            pass
        ends.append(world.pool.tick)
    assert ends[0] == ends[1]


def test_a_recorded_sale_is_its_senders_and_who_follows_the_market_is_unknown() -> None:
    """Twice the liquidity leaves the price behind the recorded one: an arbitrageur follows."""
    market = a_walk(steps=20)
    assert isinstance(market.rows, Events)
    told = [f"0x{row}" for row in range(len(market.rows))]
    market = replace(market, rows=replace(market.rows, senders=Senders.of(told)))
    alone, deeper = (a_world_of(market, limits=a_limits(history_s=3_600)) for _ in range(2))
    deeper.pool.mint("us", -887_220, 887_220, int(deeper.pool.liquidity))
    later = int(np.searchsorted(market.rows.time, market.first, "right"))
    assert by_whom(alone, market.end) == told[later:]
    assert by_whom(deeper, market.end) == [one for sender in told[later:] for one in (sender, "")]


def by_whom(world: World, end: int) -> list[str]:
    """The senders of the flow at the market's end."""
    for _ in world.pass_time(end):
        pass
    flow = world.snapshot().flow
    assert flow is not None
    return [swap.sender for swap in flow.swaps]


@pytest.mark.parametrize("came_in", [1, 10**12])
def test_bars_tell_no_markout_however_little_came_in(came_in: int) -> None:
    """They tell what came in and never what went out for it: no swap of theirs is dust."""
    ticks = [(tick, tick, tick, tick) for tick in range(30)]
    market = market_of(some_bars(*ticks, in0=came_in, in1=came_in))
    world = a_world_of(market)
    for _ in world.pass_time(market.end):
        pass
    told = markouts(world.snapshot())
    assert isinstance(told, Missing)
    assert "only one, as bars do" in told.reason


@needs_data
@pytest.mark.realdata
def test_the_minutes_of_a_mainnet_day_earn_what_its_events_do() -> None:
    """Within a twentieth: bars know neither the order inside a minute nor its liquidity."""
    events = growth_of(read_market(MAINNET_EVENTS, a_pool(), 1))
    minutes = growth_of(read_market(MAINNET_MINUTES, a_pool(), 1))
    assert minutes == pytest.approx(events, rel=0.05)
