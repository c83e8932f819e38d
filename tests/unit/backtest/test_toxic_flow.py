"""Toxic volume of a recorded market, hour by hour."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import BLOCK_TIME_S, a_market
from market_builders import (
    a_minute,
    a_recorded_market,
    events_of,
    minute_file,
)
from order_flow_builders import a_swap, after

from lpmanager.amm.fast.packing import to_limbs
from lpmanager.backtest.markets.amounts import signed_floats
from lpmanager.backtest.markets.market import MINT, Events
from lpmanager.backtest.markets.minutes import read_minutes
from lpmanager.backtest.markets.toxic_flow import toxic_periods
from lpmanager.risk.learned.toxic_share import FlowPeriods
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import markouts

HOUR = 3_600
#: A fair price at tick 0, the fee and a bit more: 1,001 in for 1,000 out.
PAID, GOT = 1_001, -1_000


def periods_of(rows: Events) -> FlowPeriods:
    found = toxic_periods(a_recorded_market(rows))
    assert isinstance(found, FlowPeriods)
    return found


def hours(*swaps: tuple[int, int, int, int], until: int) -> Events:
    """These swaps, from an hour before on and until so many hours."""
    return events_of((-1, 0, 1, 0), *swaps, (until * HOUR + 400, swaps[-1][1], 1, 0))


def test_a_swap_before_a_move_of_its_way_is_toxic_and_before_none_is_not() -> None:
    # token0 bought: worth more once the price of token0 is up by a hundred ticks
    rows = hours((600, 0, GOT, PAID), (650, 100, -1, 2), (1_800, 100, 3_000, -2_000), until=1)
    found = periods_of(rows)
    before, after_it = PAID, 3_000 * 1.0001**100
    assert found.volumes == (pytest.approx(before + 2 + after_it, rel=1e-3),)
    assert found.toxic_shares == (pytest.approx(before / (before + 2 + after_it), rel=1e-2),)


def test_a_move_after_the_horizon_says_nothing_of_the_swap() -> None:
    rows = hours((600, 0, GOT, PAID), (901, 100, -1, 2), until=1)
    assert periods_of(rows).toxic_shares[0] < 0.01


def test_variance_is_of_five_minutes_and_an_hour_without_swaps_has_no_volume() -> None:
    rows = hours((600, 100, GOT, PAID), (1_200, 0, PAID, GOT), (8_000, 0, GOT, PAID), until=3)
    found = periods_of(rows)
    assert len(found.volumes) == 3
    step = (100 * math.log(1.0001)) ** 2
    assert found.variances == (pytest.approx(2 * step), 0.0, 0.0)
    assert (found.volumes[1], found.toxic_shares[1]) == (0.0, 0.0)
    assert found.unknown == 1
    assert (found.period_s, found.ends) == (HOUR, 3 * HOUR + 100)


@pytest.mark.parametrize(("fee_protocol", "toxic"), [(0, 0), (0x44, 1), (0x40, 1), (0x04, 0)])
def test_the_protocols_share_of_the_fee_is_no_gain_of_the_providers(
    fee_protocol: int, toxic: int
) -> None:
    """Five ten-thousandths are paid as token1, and four and a half of them are lost in time."""
    rows = hours((600, 0, -(10**9), 10**9 + 500_000), (700, 0, -1, 2), until=1)
    moved = replace(rows, sqrt_price=to_limbs([round(2**96 * 1.000225)] * len(rows), 3))
    start = replace(a_market().state, fee_protocol=fee_protocol)
    found = toxic_periods(a_recorded_market(moved, start))
    assert isinstance(found, FlowPeriods)
    assert found.toxic_shares == (pytest.approx(toxic, abs=1e-6),)


def test_a_swap_that_got_nothing_is_no_flow() -> None:
    """As a snapshot sees it: dust costs providers nothing, and says nothing of the others."""
    plain = hours((600, 0, GOT, PAID), until=1)
    dust = hours((600, 0, GOT, PAID), (660, 0, 1, 0), (670, 0, 0, 1), (680, 0, 0, 0), until=1)
    assert periods_of(dust).volumes == periods_of(plain).volumes


def test_a_record_that_tells_only_one_amount_tells_no_toxic_flow() -> None:
    one_sided = toxic_periods(a_recorded_market(hours((600, 0, 0, PAID), until=1)))
    assert isinstance(one_sided, Missing)
    assert "only one" in one_sided.reason


def test_a_swap_that_paid_nothing_for_what_it_got_is_not_believed() -> None:
    told = toxic_periods(a_recorded_market(hours((600, 0, GOT, PAID), (700, 0, GOT, 0), until=1)))
    assert isinstance(told, Missing)
    assert "paid nothing" in told.reason


def test_what_is_minted_is_no_flow() -> None:
    rows = hours((600, 0, GOT, PAID), (700, 0, 10**9, 10**9), until=1)
    minted = replace(rows, kind=np.array([0, 0, MINT, 0], np.uint8))
    assert periods_of(minted).volumes == (pytest.approx(PAID),)


def test_a_market_says_of_its_swaps_what_a_snapshot_says() -> None:
    """Volumes and what is toxic, of the same swaps."""
    swaps = [a_swap(n * 20, tick=40 * (n % 3), bought=10**9 * (-1) ** n) for n in range(1, 99)]
    seen = markouts(after(swaps, last_block=98 * 20))
    assert not isinstance(seen, Missing)
    rows = events_of(
        *((s.block_number * BLOCK_TIME_S, s.tick, s.amount0, s.amount1) for s in swaps)
    )
    found = periods_of(rows)
    begin = found.ends - HOUR * len(found)
    counted = [m for m in seen if begin <= m.time < found.ends]
    assert sum(found.volumes) == pytest.approx(sum(m.volume for m in counted), rel=1e-9)
    toxic = sum(s * v for s, v in zip(found.toxic_shares, found.volumes, strict=True))
    assert toxic == pytest.approx(sum(m.volume for m in counted if m.gain < 0), rel=1e-9)
    assert 0 < toxic < sum(found.volumes)


def test_bars_and_a_market_of_minutes_tell_none(tmp_path: Path) -> None:
    bars, _ = read_minutes([minute_file(tmp_path, a_minute())])
    missing = toxic_periods(a_recorded_market(bars))
    assert isinstance(missing, Missing)
    assert "bars" in missing.reason
    short = toxic_periods(a_recorded_market(events_of((0, 0, 1, -1), (60, 0, 1, -1))))
    assert isinstance(short, Missing)
    assert "found none" in short.reason


def test_signed_limbs_are_the_floats_of_their_integers() -> None:
    values = [0, 1, -1, 2**80, -(2**80), 2**127 - 1, -(2**127)]
    assert signed_floats(to_limbs(values, 2, signed=True)).tolist() == list(map(float, values))
