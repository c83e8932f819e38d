"""Jumps: found where they were, and not where there were none."""

from __future__ import annotations

import math

import pytest
from price_series import normal_returns, path_along, with_return

from lpmanager.risk.jumps import (
    JumpTest,
    jumps_in,
    largest_usual_move,
    ratio_jump_test,
    search_for_jump,
)
from lpmanager.risk.missing import Missing
from lpmanager.risk.search import Search

DAY = normal_returns(288)
JUMPED = with_return(DAY, 200, -0.012)


def ratio_of(returns: tuple[float, ...]) -> JumpTest:
    found = ratio_jump_test(returns)
    assert isinstance(found, JumpTest), found
    return found


def test_the_ratio_test_by_hand() -> None:
    """Moves of one size: bipower is half pi times realised variance, quarticity at its floor."""
    found = ratio_of((0.002, -0.002) * 50)
    expected = (1 - math.pi / 2) / math.sqrt((math.pi**2 / 4 + math.pi - 5) / 100)
    assert found.statistic == pytest.approx(expected)
    assert found.share == 0
    assert found.p_value == pytest.approx(1)


def test_the_quarticity_above_its_floor_by_hand() -> None:
    """Fifty large moves and fifty small ones: sums over pairs and triples of neighbours."""
    found = ratio_of((0.01,) * 50 + (0.001,) * 50)
    realised = 50 * (1e-4 + 1e-6)
    bipower = math.pi / 2 * 100 / 99 * (49 * 1e-4 + 1e-5 + 49 * 1e-6)
    mean = 2 ** (2 / 3) * math.gamma(7 / 6) / math.gamma(1 / 2)
    large, small = 0.01 ** (4 / 3), 0.001 ** (4 / 3)
    triples = 48 * large**3 + large**2 * small + large * small**2 + 48 * small**3
    quarticity = mean**-3 * 100**2 / 98 * triples
    assert quarticity > bipower**2
    spread = (math.pi**2 / 4 + math.pi - 5) / 100 * quarticity / bipower**2
    assert found.statistic == pytest.approx((1 - bipower / realised) / math.sqrt(spread))


def test_a_jump_is_told_from_a_day_without() -> None:
    assert ratio_of(DAY).p_value > 0.05
    jumped = ratio_of(JUMPED)
    assert jumped.p_value < 1e-6
    assert jumped.share == pytest.approx(0.012**2 / (288e-6 + 0.012**2), abs=0.1)


def test_days_without_jumps_seldom_show_any() -> None:
    """At one in a hundred, four in sixty would come once in 300 tries."""
    days = [normal_returns(288, seed=seed) for seed in range(60)]
    assert sum(ratio_of(day).p_value < 0.01 for day in days) <= 3
    assert sum(jumps_in(day) != () for day in days) <= 3


def test_the_bound_of_usual_moves_is_the_one_of_lee_and_mykland() -> None:
    """C_n + 4.6001 S_n at 1 %, with c = sqrt(2 / pi)."""
    c, root = math.sqrt(2 / math.pi), math.sqrt(2 * math.log(1_000))
    centre = root / c - (math.log(math.pi) + math.log(math.log(1_000))) / (2 * c * root)
    assert largest_usual_move(1_000, 0.01) == pytest.approx(centre + 4.6001 / (c * root), abs=1e-4)


def test_a_jump_is_found_at_its_place_and_a_slow_rise_of_volatility_is_none() -> None:
    assert jumps_in(JUMPED) == (200,)
    assert jumps_in(DAY) == ()
    wilder = tuple(change * (1 + place / 288) for place, change in enumerate(DAY))
    assert jumps_in(wilder) == ()


def test_the_return_itself_is_not_part_of_what_it_is_measured_with() -> None:
    steady = (0.001, -0.001) * 72
    bound = largest_usual_move(144 - 72 + 1, 0.01)
    assert jumps_in(with_return(steady, 143, 0.001 * bound * 1.001)) == (143,)
    assert jumps_in(with_return(steady, 143, 0.001 * bound * 0.999)) == ()


def test_the_first_returns_have_nothing_to_be_measured_with() -> None:
    assert jumps_in(with_return(DAY, 70, 0.5)) == ()
    assert jumps_in(with_return(DAY, 71, 0.5)) == (71,)


def test_a_jump_knows_nothing_later() -> None:
    other = (*JUMPED[:201], *normal_returns(87, 0.1, seed=9))
    before, after = jumps_in(JUMPED), jumps_in(other)
    assert not isinstance(before, Missing)
    assert not isinstance(after, Missing)
    assert [place for place in after if place <= 200] == list(before)


def searched(returns: tuple[float, ...]) -> Search:
    found = search_for_jump(path_along(returns, 300))
    assert isinstance(found, Search)
    return found


def test_seconds_count_from_the_end_of_the_step_that_jumped() -> None:
    assert searched(JUMPED).last_s == 87 * 300
    assert searched(with_return(DAY, 287, 0.02)).last_s == 0
    assert searched((*JUMPED, 0.03)).last_s == 0


def test_where_no_jump_is_found_it_is_known_how_far_back_that_goes() -> None:
    assert searched(DAY) == Search(last_s=None, within_s=217 * 300, history_s=288 * 300)
    # the first of the returns that are tested, and the last of those that are not
    assert searched(with_return(DAY, 71, 0.02)).last_s == 216 * 300
    assert searched(with_return(DAY, 70, 0.02)).last_s is None


def test_too_little_history_says_how_much_is_needed() -> None:
    assert ratio_jump_test(DAY[:47]) == Missing(
        "the ratio test for jumps needs 48 returns of 300 s, found 47; limits.history_s "
        "of more than 4 h tells them"
    )
    assert jumps_in(DAY[:143]) == Missing(
        "the search for jumps needs 144 returns of 300 s, found 143; limits.history_s "
        "of more than 12 h tells them"
    )
    assert isinstance(search_for_jump(path_along(DAY[:10], 300)), Missing)
    assert not isinstance(jumps_in(DAY[:48], window=24), Missing)


def test_a_price_that_mostly_stands_still_is_not_tested() -> None:
    thin = tuple(change if place % 5 > 1 else 0.0 for place, change in enumerate(DAY))
    for missing in (ratio_jump_test(thin), jumps_in(thin)):
        assert isinstance(missing, Missing)
        assert "it stood still in 116 of 288" in missing.reason
    assert isinstance(jumps_in((0.0,) * 288), Missing)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 returns, found 2"):
        jumps_in(DAY, window=2)
    for significance in (0.0, 1.0):
        with pytest.raises(ValueError, match="significance"):
            jumps_in(DAY, significance=significance)
    with pytest.raises(ValueError, match="return 3 of 4 is nan"):
        ratio_jump_test((0.1, 0.1, 0.1, math.nan))
