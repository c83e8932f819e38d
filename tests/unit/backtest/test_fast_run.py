"""A compiled strategy told as a run: beside its own kernel, and what it leaves out."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from unittest import mock

import numpy as np
import pytest
from fast_builders import MINUTE
from sweep_builders import CONDITIONS, HISTORY_S, MARKET, PROBLEM

from lpmanager.backtest.fast.policies import strategy_of
from lpmanager.backtest.fast.strategy import (
    DEPLOYED_S,
    HODL,
    IN_RANGE_S,
    LVR,
    MOVES,
    VALUE,
    Conditions,
    run_all,
    table_of,
)
from lpmanager.backtest.fast.told.run import fast_run
from lpmanager.backtest.report.account import notes, tables
from lpmanager.backtest.report.findings import findings_of
from lpmanager.backtest.report.page.document import pictures_of
from lpmanager.backtest.report.run import Numbers, Run
from lpmanager.backtest.report.run_json import run_json
from lpmanager.rebalancer import Policy
from lpmanager.rebalancer.policies import FixedWidth, Passive, VolatilityWidth

POLICIES: dict[str, Policy] = {
    "fixed": FixedWidth(half_width_ticks=40),
    "early": FixedWidth(half_width_ticks=95, recentre_at=Fraction(1, 2), deploy=Fraction(3, 4)),
    "passive": Passive(half_width_ticks=50, order_width_ticks=30),
    "volatility": VolatilityWidth(
        multiplier=Fraction(1, 2), horizon_s=600, min_half_width_ticks=20, max_half_width_ticks=90
    ),
}
#: Gas that is a tenth of a percent of the deposit a move, paid in the pool's own token.
TERMS = CONDITIONS._replace(withdraw_gas=2e20, swap_gas=1e20, mint_gas=3e20, native_price=math.nan)
QUOTES = {"in token0": True, "in token1": False}


def run(name: str, in0: bool = True) -> Run:
    quote = MARKET.pool.token0 if in0 else MARKET.pool.token1
    terms = TERMS._replace(quote_is_token0=in0)
    return fast_run(MARKET, POLICIES[name], terms, quote, HISTORY_S)


def kernel(name: str, behind: int, in0: bool = True, terms: Conditions = TERMS) -> Numbers:
    """What the kernel alone makes of the rows before this one; amounts in whole quote tokens."""
    jobs, table = np.array([[0, 0, behind]]), table_of([strategy_of(POLICIES[name])])
    terms = terms._replace(quote_is_token0=in0)
    found = run_all(PROBLEM.rows, jobs, table, PROBLEM.variance_rates, terms)[0]
    quote = MARKET.pool.token0 if in0 else MARKET.pool.token1
    return np.where(np.arange(len(found)) < MOVES, found * 10.0**-quote.decimals, found)


@pytest.mark.parametrize("in0", QUOTES.values(), ids=QUOTES)
@pytest.mark.parametrize("name", POLICIES)
def test_every_sample_is_what_the_kernel_has_at_that_row(name: str, in0: bool) -> None:
    curve = run(name, in0).curve
    behind = {int(time): row + 1 for row, time in enumerate(PROBLEM.rows.time)}
    for sample in (1, len(curve.time) // 3, len(curve.time) // 2, len(curve.time) - 1):
        found = kernel(name, behind[int(curve.time[sample])], in0)
        assert curve.value[sample] == pytest.approx(found[VALUE], rel=1e-11)
        assert curve.hodl[sample] == pytest.approx(found[HODL], rel=1e-12)


@pytest.mark.parametrize("in0", QUOTES.values(), ids=QUOTES)
@pytest.mark.parametrize("name", POLICIES)
def test_the_terms_are_measured_on_their_own_and_add_up(name: str, in0: bool) -> None:
    told = run(name, in0)
    result, moves = told.result, kernel(name, len(PROBLEM.rows.time), in0)[MOVES]
    assert len(told.moves) == moves > 2
    assert abs(result["identity_error"]) < Decimal("1e-12") * result["nav_start"]
    assert min(result["fees"], result["gas"], -result["impermanent_loss"]) > 0
    assert sum(move.swap_cost_quote for move in told.moves) == pytest.approx(
        float(result["swap_cost"]), rel=1e-9
    )


def test_a_move_has_its_ranges_and_its_costs_and_every_range_its_life() -> None:
    told = run("passive")
    for number, move in enumerate(told.moves):
        standing = {
            held.range
            for held in told.held
            if held.opened <= move.time and (held.closed is None or held.closed > move.time)
        }
        assert set(move.ranges) == standing
        assert (move.block, move.gas_quote > 0) == (None, True)
        assert (number == 0) == (move.reason == "the first ranges")
    assert [held.token_id for held in told.held] == list(range(1, len(told.held) + 1))


def test_time_in_range_counts_the_ticks_before_each_row() -> None:
    told = run("fixed")
    whole = kernel("fixed", len(PROBLEM.rows.time))
    assert told.curve.in_range[-1] == pytest.approx(whole[IN_RANGE_S] / whole[DEPLOYED_S])
    assert math.isnan(told.curve.in_range[0])


def test_never_moved_and_never_cut_ranges_are_told_beside_it() -> None:
    """A policy that never moves again is its own first ranges, but for the gas."""
    still = fast_run(
        MARKET, FixedWidth(half_width_ticks=5_000), TERMS, MARKET.pool.token0, HISTORY_S
    )
    assert len(still.moves) == 1
    gas = float(still.result["gas"])
    assert still.curve.untouched[-1] - gas == pytest.approx(still.curve.value[-1], rel=1e-12)
    assert math.isnan(still.curve.untouched[0])
    assert still.curve.full_range[0] == pytest.approx(still.curve.hodl[0], rel=1e-4)
    assert still.curve.hodl[-1] < still.curve.full_range[-1] < still.curve.value[-1]


def test_loss_to_arbitrage_is_taken_from_prices_five_minutes_apart() -> None:
    """From row to row it is the kernel's, where our own swaps do not move the price."""
    small = TERMS._replace(deposit0=1e18, deposit1=1e18)
    policy, quote = POLICIES["fixed"], MARKET.pool.token0
    by_step = fast_run(MARKET, policy, small, quote, HISTORY_S).curve.lvr[-1]
    with mock.patch("lpmanager.backtest.fast.told.curves.LVR_STEP_S", MINUTE):
        by_minute = fast_run(MARKET, policy, small, quote, HISTORY_S).curve.lvr[-1]
    of_rows = kernel("fixed", len(PROBLEM.rows.time), terms=small)[LVR]
    assert by_minute == pytest.approx(of_rows, rel=1e-4)
    assert by_step != pytest.approx(of_rows, rel=0.05)


def test_decisions_are_counted_and_long_curves_keep_their_moves() -> None:
    whole = run("fixed")
    assert whole.decisions == len(whole.curve.time) - 1 == 240 // 3
    with mock.patch("lpmanager.backtest.fast.told.run._MOST_SAMPLES", 7):
        short = run("fixed")
    assert (short.decisions, len(short.curve.time) < 50) == (80, True)
    assert {move.time for move in short.moves} <= set(short.curve.time.tolist())
    assert short.result == whole.result
    assert short.curve.value[-1] == pytest.approx(whole.curve.value[-1], rel=1e-13)


def test_what_fast_mode_cannot_tell_is_left_out_by_name() -> None:
    told = findings_of(run("fixed"))
    shown = json.loads(json.dumps(run_json(told)))
    for name in ("hedge", "rounding", "holds", "halted"):
        assert (shown[name], name in shown["unknown"]) == (None, True)
    assert {move["block"] for move in shown["moves"]} == {None}
    assert "block" in shown["unknown"]
    assert (shown["mode"], shown["drift"]["rows"]) == ("fast", 240)
    cells = [cell for table in tables(told) for row in table.rows for cell in row]
    assert "what hedges gained or lost since" not in cells
    assert "units the pool kept when it rounded" not in cells
    said = " ".join(notes(told))
    for part in ("Left out: hedge", "payback gate", "does not halt", "away from exact mode"):
        assert part in said
    assert {"price", "value", "result", "mix", "liquidity", "lvr"} == {
        picture.key for picture in pictures_of(told)
    }


def test_a_policy_that_places_nothing_has_a_run_too() -> None:
    """Volatility is never known where its window has too few closes."""
    idle = fast_run(MARKET, POLICIES["volatility"], TERMS, MARKET.pool.token0, 60)
    assert (idle.moves, idle.held, idle.result["fees"]) == ((), (), 0)
    assert idle.result["nav_end"] == idle.result["hodl_value"]
    assert run_json(findings_of(idle))["statistics"]["in_range_share"] is None
