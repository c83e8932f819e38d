"""What a backtest comes to in numbers, and what is said where one cannot be told."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from backtest_runs import DAY, HOUR, START, a_curve, a_held, a_move, a_result, a_run

from lpmanager.backtest.report.benchmarks import Way, standings
from lpmanager.backtest.report.statistics import (
    LEAST_DAYS,
    Drawdown,
    Unknown,
    cvar,
    daily_returns,
    largest_drawdown,
    statistics,
)
from lpmanager.risk.lookback import hindsight_price


def test_the_drawdown_is_from_the_highest_value_before_it() -> None:
    curve = a_curve([100, 120, 90, 130, 110])
    assert largest_drawdown(curve.time, curve.value) == Drawdown(
        share=0.25, peak_time=START + DAY, trough_time=START + 2 * DAY
    )


def test_a_value_that_only_rises_has_no_drawdown() -> None:
    curve = a_curve([100, 101, 102])
    fall = largest_drawdown(curve.time, curve.value)
    assert isinstance(fall, Drawdown)
    assert fall.share == 0


def test_a_drawdown_of_nothing_is_unknown() -> None:
    curve = a_curve([0, 0])
    assert isinstance(largest_drawdown(curve.time, curve.value), Unknown)


def test_the_cvar_of_a_sample_is_the_mean_of_its_worst_part() -> None:
    returns = np.array([-0.1, -0.05, 0, 0.02, 0.03, 0.04, 0.01, 0.02, 0, 0.01])
    assert cvar(-returns, 0.8) == pytest.approx(0.075, abs=1e-15)


def test_a_part_that_is_no_whole_number_of_losses_takes_the_last_in_part() -> None:
    assert cvar(np.array([4.0, 2.0, 0.0]), 0.5) == pytest.approx((4 + 0.5 * 2) / 1.5)


@pytest.mark.parametrize(
    ("level", "expected"), [(0.95, 2.06271281), (0.975, 2.33780279), (0.99, 2.66521422)]
)
def test_the_cvar_of_a_normal_loss_is_the_known_one(level: float, expected: float) -> None:
    count = 200_000
    losses = np.array([NormalDist().inv_cdf((i + 0.5) / count) for i in range(count)])
    assert cvar(losses, level) == pytest.approx(expected, abs=2e-4)


def test_a_day_ends_with_the_last_sample_in_it_and_the_rest_is_left_out() -> None:
    curve = a_curve([100, 105, 110, 99, 104], step_s=16 * HOUR)  # 0, 16, 32, 48, 64 h
    assert daily_returns(curve.time, curve.value) == pytest.approx([0.05, 99 / 105 - 1])


def test_a_window_of_less_than_a_day_has_no_daily_returns() -> None:
    curve = a_curve([100, 105], step_s=DAY - 1)
    assert daily_returns(curve.time, curve.value) == Unknown("the window is shorter than a day")


def test_days_without_a_sample_have_no_returns() -> None:
    curve = a_curve([100, 105], step_s=3 * DAY)
    assert daily_returns(curve.time, curve.value) == Unknown("on some day no decision fell")


def test_sharpe_is_mean_over_deviation_of_daily_returns_times_the_root_of_365() -> None:
    returns = np.tile([0.02, -0.01], LEAST_DAYS // 2)
    told = statistics(a_run(a_curve(100 * np.cumprod(np.concatenate([[1], 1 + returns])))))
    daily = returns.mean() / returns.std(ddof=1)
    assert told.return_days == LEAST_DAYS
    assert told.sharpe_per_year == pytest.approx(daily * math.sqrt(365))
    assert told.sharpe_error_per_year == pytest.approx(
        math.sqrt(365 * (1 + daily**2 / 2) / LEAST_DAYS)
    )
    assert told.cvar95_daily_share == pytest.approx(0.01)


def test_sharpe_and_cvar_of_too_few_days_are_unknown_and_say_how_many_there_were() -> None:
    told = statistics(a_run(a_curve([100.0 + i % 2 for i in range(LEAST_DAYS)])))
    assert told.return_days == LEAST_DAYS - 1
    for figure in (told.sharpe_per_year, told.sharpe_error_per_year, told.cvar95_daily_share):
        assert isinstance(figure, Unknown)
        assert f"has {LEAST_DAYS - 1}" in figure.why


def test_a_value_that_never_moves_has_no_sharpe_ratio() -> None:
    told = statistics(a_run(a_curve([100.0] * (LEAST_DAYS + 1))))
    assert told.sharpe_per_year == Unknown("the value never moved")


def test_the_first_placing_and_a_hedge_are_no_rebalances() -> None:
    moves = (
        a_move("[0, 600)"),
        a_move("[0, 600)", day=0.5),
        a_move("[600, 1200)", day=1),
        a_move("[600, 1200)", "[1200, 1300)", day=1.5),
    )
    told = statistics(a_run(moves=moves))
    assert (told.rebalances, told.rebalances_per_day) == (2, 1.0)


def test_time_deployed_counts_every_second_with_a_position_once() -> None:
    held = (
        a_held(closed=START + DAY),
        a_held(opened=START + DAY // 2, closed=START + DAY),
        a_held(opened=START + 3 * DAY // 2),
    )
    assert statistics(a_run(held=held)).deployed_share == 0.75


def test_costs_and_losses_are_set_against_fees() -> None:
    curve = a_curve([1_000, 1_000, 1_000], fees=[0, 2, 4], lvr=[0, 4, 8], in_range=[1, 1, 0.5])
    told = statistics(a_run(curve, result=a_result(fees="5", gas="2")))
    assert told.gas_per_fees == 0.4
    assert told.fees_per_lvr == 0.5
    assert told.in_range_share == 0.5
    assert told.fee_apr_share == pytest.approx(4 / 1_000 * 365 / 2)


def test_the_fee_apr_is_of_the_mean_value_over_time() -> None:
    curve = replace(
        a_curve([1_000, 3_000, 3_000], fees=[0, 0, 10]), time=START + DAY * np.array([0, 1, 4])
    )
    assert statistics(a_run(curve)).fee_apr_share == pytest.approx(10 / 2_750 * 365 / 4)


def test_what_never_happened_is_unknown_and_not_zero() -> None:
    curve = a_curve([1_000, 1_000], in_range=[math.nan, math.nan], untouched=[math.nan] * 2)
    run = a_run(curve, held=(), moves=())
    told = statistics(run)
    assert told.in_range_share == Unknown("no liquidity was ever placed")
    assert told.gas_per_fees == Unknown("no fees were earned")
    assert told.fees_per_lvr == Unknown("nothing was lost to arbitrage")
    assert told.deployed_share == 0
    untouched = standings(run)[-1]
    assert untouched.way is Way.UNTOUCHED
    assert untouched.run_ahead == Unknown("no liquidity was ever placed")


def test_the_run_stands_beside_every_other_way() -> None:
    curve = a_curve(
        [1_000, 900], hodl=[1_000, 950], full_range=[1_000, 880], untouched=[math.nan, 900]
    )
    ours, hodl, full_range, untouched = standings(a_run(curve))
    assert (ours.end_value, ours.return_share, ours.run_ahead) == (900, pytest.approx(-0.1), 0)
    assert (hodl.run_ahead, hodl.return_share) == (-50, pytest.approx(-0.05))
    assert (full_range.run_ahead, full_range.end_value) == (20, 880)
    assert untouched.run_ahead == 0
    assert isinstance(full_range.drawdown, Drawdown)
    assert full_range.drawdown.share == pytest.approx(0.12)
    assert isinstance(untouched.drawdown, Drawdown)


def test_what_was_lost_before_the_first_decision_counts() -> None:
    curve = a_curve([900.0, 900.0], hodl=[950.0, 950.0])
    late = a_run(curve, start=START - DAY, result=a_result(hodl="-50"))
    told = statistics(late)
    assert told.drawdown == Drawdown(
        share=pytest.approx(0.1), peak_time=START - DAY, trough_time=START
    )
    assert told.return_days == 2
    ours, hodl, *_ = standings(late)
    assert (ours.return_share, hodl.return_share) == pytest.approx((-0.1, -0.05))
    assert isinstance(hodl.drawdown, Drawdown)
    assert hodl.drawdown.share == pytest.approx(0.05)


def test_fees_net_of_arbitrage_and_gas_are_a_rate_of_the_mean_value() -> None:
    curve = a_curve([1_000, 1_000, 1_000], fees=[0, 2, 4], lvr=[0, 1, 1.5])
    told = statistics(a_run(curve, pool_volume=8_000.0, moves=(a_move("[0, 600)"),)))
    assert told.net_fee_apr_share == pytest.approx((4 - 1.5 - 0.5) / 1_000 * 365 / 2)
    assert told.fees_per_volume == pytest.approx(4 / 8_000)


def test_the_rule_stands_beside_perfect_hindsight_with_the_tokens_of_its_deposit() -> None:
    price = [1_500 * math.exp(0.02 * (hour % 2)) for hour in range(49)]
    hodl = [500 + each / 3 for each in price]
    curve = a_curve([1_000.0] * 49, step_s=HOUR, price=price, hodl=hodl)
    told = statistics(a_run(curve, result=a_result(fees="12")))
    worth = hindsight_price(price=1_500, variance_rate=0.02**2 / HOUR, seconds=48 * HOUR) / 3
    assert told.hindsight == pytest.approx(worth)
    assert told.behind_hindsight == pytest.approx(worth - 12)


def test_of_a_price_that_stood_still_hindsight_is_not_told() -> None:
    assert statistics(a_run()).hindsight == Unknown("the price never moved")
