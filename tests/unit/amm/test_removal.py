"""The pool without our own position: what a swap meets once we have left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import a_market, a_position

from lpmanager.amm import Pool
from lpmanager.amm.removal import without_liquidity
from lpmanager.model import MAX_TICK, MIN_TICK, PoolState, TickRange

OURS = a_position("[-600, 600)", liquidity=10**12)


def a_state_with_ours() -> PoolState:
    return a_market(positions=(OURS,)).state


def test_active_liquidity_falls_by_ours_and_our_ticks_are_gone() -> None:
    before = a_state_with_ours()
    after = without_liquidity(before, OURS.range, OURS.liquidity)
    assert before.liquidity - after.liquidity == OURS.liquidity
    gone = {t.tick for t in before.ticks} - {t.tick for t in after.ticks}
    assert gone == {-600, 600}


@pytest.mark.parametrize(
    "ours", [(-600, 600), (-120, 120), (0, 1_200), (600, 660), (-660, 0), (MIN_TICK, MAX_TICK)]
)
def test_what_is_left_is_what_a_burn_of_ours_leaves(ours: tuple[int, int]) -> None:
    pool = Pool(100, 1)
    pool.initialize(2**96)
    pool.mint("others", -120, 600, 10**9)
    pool.mint("we", *ours, 10**12)
    before = pool.state()
    pool.burn("we", *ours, 10**12)
    assert without_liquidity(before, TickRange(*ours), 10**12) == pool.state()


def test_a_tick_that_others_use_too_stays_with_what_is_theirs() -> None:
    both = a_market(positions=(OURS, a_position("[-600, 1200)", token_id=2, liquidity=5))).state
    after = without_liquidity(both, OURS.range, OURS.liquidity)
    (lower,) = (t for t in after.ticks if t.tick == -600)
    assert (lower.liquidity_gross, lower.liquidity_net) == (5, 5)


def test_out_of_range_liquidity_leaves_the_active_as_it_is() -> None:
    away = a_position("[1200, 2400)", liquidity=10**12)
    before = a_market(positions=(away,)).state
    after = without_liquidity(before, away.range, away.liquidity)
    assert after.liquidity == before.liquidity


def test_an_edge_beyond_what_was_read_does_not_matter() -> None:
    narrow = replace(a_state_with_ours(), known=TickRange(-300, 300), ticks=())
    after = without_liquidity(narrow, OURS.range, OURS.liquidity)
    assert after.ticks == ()


def test_more_than_the_pool_holds_cannot_be_taken_out() -> None:
    with pytest.raises(ValueError, match="does not carry"):
        without_liquidity(a_state_with_ours(), TickRange(-120, 120), 1)
    unread = replace(a_state_with_ours(), known=TickRange(-10, 10), ticks=())
    with pytest.raises(ValueError, match="cannot take"):
        without_liquidity(unread, TickRange(MIN_TICK, MAX_TICK), 10**40)
