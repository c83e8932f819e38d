"""Exact mode: the live decision on a recorded market, to the wei, with nothing of its future."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest
from builders import a_limits, a_pool
from market_builders import MAINNET_EVENTS, needs_data
from replay_builders import BEGINS, a_replay, a_walk, a_world_of, some_terms

from lpmanager.amm.fast.packing import from_limbs
from lpmanager.backtest.markets.bars import in_bars
from lpmanager.backtest.markets.market import MINT, Change, Events, Market
from lpmanager.backtest.markets.reading import read_market
from lpmanager.backtest.markets.senders import Senders
from lpmanager.backtest.replay.exact import Replay, backtest
from lpmanager.backtest.replay.history import Stretch
from lpmanager.backtest.replay.terms import Terms
from lpmanager.backtest.report.run import Run
from lpmanager.ledger.reading import campaign_flows
from lpmanager.model import Decision, Gate, Hold, Plan, TickRange
from lpmanager.rebalancer import Limits
from lpmanager.rebalancer.policies import FixedWidth, Passive
from lpmanager.risk.appetite import Appetite, WhereMissing
from lpmanager.risk.price_path import PricePath, path_of


def run_of(market: Market, terms: Terms | None = None, limits: Limits | None = None) -> Run:
    policy = FixedWidth(half_width_ticks=100)
    terms = terms or some_terms(market.pool)
    return backtest(market, terms, policy, limits or a_limits(), lambda _: None)


def decisions_of(replay: Replay) -> list[Decision]:
    found = []
    while not replay.is_over:
        decision = replay.step()
        if decision is not None:
            found.append(decision)
    return found


def with_another_future(market: Market, row: int, seed: int) -> Market:
    """The same rows up to `row`; from there on those of another walk, from the same moment."""
    other = a_walk(seed=seed, sigma=0.2).rows
    rows = market.rows
    assert isinstance(rows, Events)
    assert isinstance(other, Events)
    columns = {
        field.name: np.concatenate(
            (getattr(rows, field.name)[:row], getattr(other, field.name)[row:])
        )
        for field in fields(Events)
        if field.name not in ("changes", "senders")
    }
    unknown = Senders.unknown(len(columns["time"]))
    return replace(market, rows=Events(**columns, changes={}, senders=unknown))


@pytest.mark.parametrize(
    "policy", [FixedWidth(half_width_ticks=100), Passive(half_width_ticks=60, order_width_ticks=60)]
)
def test_the_terms_of_the_result_leave_nothing_over(policy: FixedWidth | Passive) -> None:
    market = a_walk()
    run = backtest(market, some_terms(market.pool), policy, a_limits(), lambda _: None)
    assert len(run.moves) > 2
    assert run.result["identity_error"] == 0
    assert run.result["fees"] > 0
    assert run.result["gas"] > 0


ASKED_OF_TICKS = {
    "concentration": {"max_concentration": Fraction(1)},
    "TWAP attack": {"min_twap_attack_cost": Fraction(1, 10**9)},
}


def gates_asked(name: str, market: Market, **appetite: object) -> list[Gate]:
    """In every decision of its replay."""
    limits = a_limits(appetite=Appetite(**ASKED_OF_TICKS[name], **appetite))
    decisions = decisions_of(a_replay(market, limits=limits))
    return [each for decision in decisions for each in decision.gates if each.name == name]


@pytest.mark.parametrize("name", ASKED_OF_TICKS)
def test_a_record_without_ticks_does_not_tell_where_the_liquidity_is(name: str) -> None:
    """The same walk; in one record its ticks are told, in the other they are not."""
    told = a_walk(steps=240)
    untold = replace(told, start=None)
    known = gates_asked(name, told)
    assert known
    assert all(each.passed for each in known)
    unknown = gates_asked(name, untold)
    assert {(each.passed, each.measured) for each in unknown} == {(False, "unknown")}
    assert "the record does not tell" in unknown[0].reason
    ignored = gates_asked(name, untold, where_missing=WhereMissing.IGNORE)
    assert all(each.passed for each in ignored)
    assert "ignored: the record does not tell" in ignored[0].measured


def test_the_account_holds_what_the_books_say_to_the_unit() -> None:
    replay = a_replay(a_walk())
    decisions_of(replay)
    snapshot = replay.world.snapshot()
    record = replay.books.bring_up_to(snapshot)
    assert record.wallet == replay.world.wallet
    assert set(record.bases) == {p.token_id for p in snapshot.positions}


def test_the_swaps_that_the_books_have_added_up_are_all_in_their_entries() -> None:
    replay = a_replay(a_walk())
    decisions_of(replay)
    snapshot = replay.world.snapshot()
    replay.books.bring_up_to(snapshot)
    assert len(replay.books.entries("", ["swapped"])) > 2
    assert replay.books.flows(snapshot) == campaign_flows(replay.books, "", snapshot)


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_nothing_sees_the_future(seed: int) -> None:
    """All that comes after a decision is replaced, and every decision up to it stays."""
    market = a_walk()
    decided = decisions_of(a_replay(market))
    assert any(isinstance(decision, Plan) for decision in decided[:10])
    row = 3 * 300
    changed = with_another_future(market, row, seed)
    last = int(market.rows.time[row - 1])
    known = [d for d in decided if d.block.timestamp <= last]
    again = [d for d in decisions_of(a_replay(changed)) if d.block.timestamp <= last]
    assert len(known) > 5
    assert again == known
    assert decisions_of(a_replay(changed)) != decided


def with_mints(market: Market, *rows: int) -> Market:
    """The same market, in which these rows are mints."""
    events = market.rows
    assert isinstance(events, Events)
    kinds = events.kind.copy()
    kinds[list(rows)] = MINT
    mint = Change(range=TickRange(198_000, 202_000), liquidity=10**18, owner=None)
    return replace(market, rows=replace(events, kind=kinds, changes=dict.fromkeys(rows, mint)))


def test_a_mint_that_is_still_to_come_is_not_there_yet() -> None:
    market = with_mints(a_walk(steps=20), 6, 7, 8)
    rows = market.rows
    world = a_world_of(market)
    before = world.pool.liquidity
    for _ in world.pass_time(int(rows.time[6])):
        pass
    came = int((rows.time[6:9] <= rows.time[6]).sum())
    assert 0 < came < 3
    assert world.pool.liquidity == before + came * 10**18


@pytest.mark.parametrize("window", [TickRange(-887_272, 887_272), TickRange(199_990, 200_010)])
def test_who_looks_often_sees_the_same_swaps_as_who_looks_once(window: TickRange) -> None:
    """Also where a mint is all that happened between two looks."""
    market = with_mints(a_walk(steps=90), 12, 13, 14, 15, 16, 17, 18, 40)
    often, once = a_world_of(market), a_world_of(market)
    end = int(market.rows.time[-1])
    for time in range(BEGINS, end, 60):
        for _ in often.pass_time(time, window):
            pass
        if often.block.timestamp > BEGINS:
            assert often.snapshot().flow is not None
    for world in (often, once):
        for _ in world.pass_time(end):
            pass
    seen = [
        [(s.block_number, s.amount0, s.amount1, s.sqrt_price_x96) for s in flow.swaps]
        for world in (often, once)
        if (flow := world.snapshot().flow) is not None
    ]
    assert len(seen[0]) > 100
    assert seen[0] == seen[1]


def test_without_history_it_holds_and_says_so() -> None:
    first = a_replay(a_walk(), some_terms(a_pool(), every_s=60)).step()
    assert isinstance(first, Hold)
    assert [gate.name for gate in first.gates if not gate.passed] == ["TWAP", "history"]


def test_a_trigger_decides_as_soon_as_the_price_has_moved_that_far() -> None:
    market = a_walk()
    terms = some_terms(market.pool, every_s=10**6, trigger_ticks=80)
    replay = a_replay(market, terms)
    tick = replay.world.pool.tick
    replay.step()
    assert abs(replay.world.pool.tick - tick) >= 80
    assert replay.rows < len(market.rows)


def test_a_plan_comes_as_many_blocks_later_as_it_takes() -> None:
    market = a_walk()
    at_once = run_of(market)
    terms = some_terms(market.pool, latency_blocks=10)
    later = run_of(market, terms)
    assert later.moves[0].time == at_once.moves[0].time + 120


@pytest.mark.parametrize("block_s", [Fraction(1, 4), Fraction(9, 20), Fraction(2), Fraction(12)])
def test_blocks_of_minutes_are_counted_by_time_and_never_backwards(block_s: Fraction) -> None:
    minutes = in_bars(a_walk(steps=20), 60)
    replay = a_replay(minutes, some_terms(minutes.pool, block_s=block_s))
    pace, numbers = range(7, 900, 7), []
    for after in pace:
        block = replay.look(minutes.first + 60 + after).snapshot.block
        assert abs(block.number - block.timestamp / block_s) <= 2
        numbers.append(block.number)
    assert numbers == sorted(numbers)
    assert numbers[-1] - numbers[0] == pytest.approx((pace[-1] - pace[0]) / block_s, abs=2)
    (note,) = [note for note in replay.run().notes if "block numbers" in note]
    assert f"one block in {float(block_s):g} s is counted" in note


def test_the_flow_begins_where_its_time_begins_as_live() -> None:
    """Not with its first swap: blocks are spread over the flow's time, and a lone swap that came
    late in it would count as one at its beginning."""
    minutes = in_bars(a_walk(steps=10, step_s=1_500), 60)
    world = a_world_of(minutes, limits=a_limits(history_s=3_600))
    for _ in world.pass_time(minutes.first + 8_400):
        pass
    snapshot = world.snapshot()
    flow, path = snapshot.flow, path_of(snapshot)
    assert flow is not None
    assert isinstance(path, PricePath)
    assert flow.swaps[0].block_number > flow.from_block + 20
    assert snapshot.block.number - flow.from_block == pytest.approx(3_600 / 12, abs=2)
    first = BEGINS + 1_500 * 4  # the first step within the hour
    assert path.times[0] == pytest.approx(first, abs=2 * 60)


def test_a_plan_that_the_market_overtakes_is_stopped_as_live() -> None:
    market = a_walk(sigma=0.5)
    terms = some_terms(market.pool, latency_blocks=40)
    limits = a_limits(slippage_bps=1, max_twap_deviation_ticks=10**5)
    run = run_of(market, terms, limits)
    assert any("stopped: " in move.reason for move in run.moves)


def test_losing_more_than_a_day_may_cost_halts_it() -> None:
    market = a_walk(sigma=0.5)
    limits = a_limits(max_loss_per_day=Fraction(1, 10_000), max_twap_deviation_ticks=10**5)
    run = run_of(market, limits=limits)
    assert run.halted is not None
    assert "limits.max_loss_per_day" in run.halted
    assert run.decisions < len(run.curve.time)


def test_losses_between_looks_that_are_further_apart_than_a_day_halt_it_too() -> None:
    market = a_walk(sigma=0.5, step_s=600)
    terms = some_terms(market.pool, every_s=25 * 3_600)
    limits = a_limits(max_loss_per_day=Fraction(1, 10_000), max_twap_deviation_ticks=10**5)
    run = run_of(market, terms, limits)
    assert run.halted is not None


def test_more_liquidity_of_ours_earns_more_but_moves_no_price() -> None:
    market = a_walk(sigma=0.001)
    small, large = (
        run_of(market, some_terms(market.pool, raw0=raw0, raw1=10**9 * raw0))
        for raw0 in (10**9, 10**10)
    )
    assert large.result["fees"] > 9 * small.result["fees"]
    assert large.curve.price[-1] == pytest.approx(small.curve.price[-1], rel=1e-12)


def test_fees_on_the_curve_are_those_of_the_books() -> None:
    """Two ways to them: the pool's integers, and the price's way in floats."""
    market = a_walk(sigma=0.001)
    run = run_of(market)
    assert len(run.moves) == 1
    assert run.curve.fees[-1] == pytest.approx(float(run.result["fees"]), rel=1e-3)


def paid_by_row(stretch: Stretch) -> dict[int, tuple[int, int]]:
    paid: Counter[tuple[int, int]] = Counter()
    rows = stretch.legs.rows[: stretch.went.legs].tolist()
    for token, amounts in enumerate((stretch.went.amounts0, stretch.went.amounts1)):
        for row, raw in zip(rows, from_limbs(amounts, signed=True), strict=True):
            paid[row, token] += raw
    return {row: (paid[row, 0], paid[row, 1]) for row in rows}


@needs_data
@pytest.mark.realdata
def test_a_mainnet_day_is_gone_through_swap_by_swap() -> None:
    """A swap that crossed no tick pays the very amounts that were recorded."""
    market = read_market(MAINNET_EVENTS, a_pool(), 1)
    events, world = market.rows, a_world_of(market)
    assert isinstance(events, Events)
    recorded = list(
        zip(*(from_limbs(a, signed=True) for a in (events.amount0, events.amount1)), strict=True)
    )
    (stretch,) = world.pass_time(market.end)
    equal = [paid == recorded[row] for row, paid in paid_by_row(stretch).items()]
    assert sum(equal) > 0.9 * len(equal)
    assert world.pool.sqrt_price_x96 == from_limbs(events.sqrt_price)[-1]


def test_a_replay_loads_neither_a_chain_nor_a_database() -> None:
    """They take longer to load than a week of bars to replay."""
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, lpmanager.backtest.replay.exact; "
            "print(sorted({'web3', 'sqlalchemy', 'sklearn'} & set(sys.modules)))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "[]"
