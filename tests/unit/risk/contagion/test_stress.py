"""What a scenario makes of a stake, and of several together."""

from __future__ import annotations

import math

import pytest

from lpmanager.risk.contagion.shock import Dependence
from lpmanager.risk.contagion.stress import (
    Struck,
    following_moves,
    named_moves,
    struck,
    together,
    worst,
)
from lpmanager.risk.held_range import HeldRange
from lpmanager.risk.missing import Missing
from lpmanager.risk.stake import Stake

PAIR = Dependence(
    tokens=("BTC", "ETH"), deviations=(0.05, 0.04), correlations=((1.0, 0.8), (0.8, 1.0))
)


def a_stake(*, base: float = 0.0, quote: float = 0.0, ranges: tuple[HeldRange, ...] = ()) -> Stake:
    """At a price of 100 quote tokens for one base."""
    return Stake(sqrt_price=10.0, ranges=ranges, base=base, quote=quote, fee_rate=0.0, gas=0.0)


def a_struck(stake: Stake, base_move: float, quote_move: float = 0.0) -> Struck:
    found = struck(stake, base_move, quote_move)
    assert isinstance(found, Struck)
    return found


def test_tokens_that_lie_idle_fall_as_they_do() -> None:
    found = a_struck(a_stake(base=1, quote=100), -0.2, -0.05)
    assert found.before == pytest.approx(200)
    assert found.after == pytest.approx(80 + 95)
    assert found.change == pytest.approx(175 / 200 - 1)
    assert found.base_weight == pytest.approx(80 / 175)
    assert found.price_move == pytest.approx(0.8 / 0.95 - 1)


def test_a_quote_token_that_falls_with_the_base_leaves_the_mix_and_takes_the_value() -> None:
    range_ = HeldRange(liquidity=50, sqrt_lower=9, sqrt_upper=11)
    found = a_struck(a_stake(ranges=(range_,)), -0.3, -0.3)
    assert found.price_move == pytest.approx(0)
    assert found.change == pytest.approx(-0.3)
    assert found.base_weight == pytest.approx(range_.base(10) * 100 / range_.value(10))


def test_a_range_that_the_price_falls_through_is_all_base_token() -> None:
    """Its mean price was sqrt(a b), and the loss is that of what it bought."""
    found = a_struck(a_stake(ranges=(HeldRange(liquidity=50, sqrt_lower=9, sqrt_upper=11),)), -0.4)
    bought = 50 * (1 / 9 - 1 / 11)
    assert found.base_weight == pytest.approx(1)
    assert found.after == pytest.approx(bought * 60)
    # 1.5 % deeper than the tokens would have lost had they lain idle
    idle = a_stake(base=50 * (1 / 10 - 1 / 11), quote=50 * (10 - 9))
    assert found.change < a_struck(idle, -0.4).change - 0.015


def test_a_range_loses_to_a_failing_quote_token_what_it_sells_for_it() -> None:
    """All of it is the quote token in the end."""
    found = a_struck(
        a_stake(ranges=(HeldRange(liquidity=50, sqrt_lower=9, sqrt_upper=11),)), 0, -0.9
    )
    assert found.price_move == pytest.approx(9)
    assert found.base_weight == pytest.approx(0)
    assert found.change < -0.85


def test_what_is_empty_cannot_be_struck() -> None:
    assert isinstance(struck(a_stake(), -0.2, 0), Missing)


@pytest.mark.parametrize("move", [-1.0, -1.2, math.inf, math.nan])
def test_no_token_falls_to_nothing(move: float) -> None:
    with pytest.raises(ValueError, match="has no price"):
        struck(a_stake(base=1), move, 0)
    with pytest.raises(ValueError, match="has no price"):
        struck(a_stake(base=1), 0, move)


def test_all_together_is_counted_in_one_money() -> None:
    found = {
        "small": a_struck(a_stake(base=1), -0.5),
        "large": a_struck(a_stake(quote=10), -0.5, -0.1),
        "empty": struck(a_stake(), -0.5, 0),
    }
    total = together(found, {"small": 1.0, "large": 2_000.0, "empty": 1.0})
    assert not isinstance(total, Missing)
    assert total.before == pytest.approx(100 + 20_000)
    assert total.after == pytest.approx(50 + 18_000)
    assert total.change == pytest.approx(18_050 / 20_100 - 1)
    assert worst(found) == "small"


def test_nothing_together_is_unknown_and_hits_nobody_worst() -> None:
    empty = {"empty": struck(a_stake(), -0.5, 0)}
    assert isinstance(together(empty, {"empty": 1.0}), Missing)
    assert worst(empty) is None


def test_who_gains_is_not_the_worst_hit() -> None:
    assert worst({"only": a_struck(a_stake(base=1), 0.5)}) is None


def test_a_token_that_is_not_named_stays() -> None:
    moves = named_moves({"ETH": -0.2}, ("BTC", "ETH"))
    assert moves.of == {"BTC": 0.0, "ETH": -0.2}
    assert moves.named == {"ETH"}


def test_or_follows_in_log_price_by_its_beta() -> None:
    moves = following_moves({"BTC": -0.5}, PAIR)
    # beta = 0.8 x 0.04 / 0.05
    assert moves.of["ETH"] == pytest.approx(0.5**0.64 - 1)
    assert moves.of["BTC"] == -0.5
    assert moves.named == {"BTC"}


def test_what_follows_twice_as_far_never_falls_to_nothing() -> None:
    wild = Dependence(
        tokens=("A", "B"), deviations=(0.1, 0.3), correlations=((1.0, 0.9), (0.9, 1.0))
    )
    assert -1 < following_moves({"A": -0.9}, wild).of["B"] < -0.99
