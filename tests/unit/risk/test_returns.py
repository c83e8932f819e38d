"""What every measure asks of returns."""

from __future__ import annotations

import math

import pytest

from lpmanager.risk.missing import Missing
from lpmanager.risk.returns import unfit


def test_enough_returns_of_a_moving_price_are_fit() -> None:
    assert unfit("x", (0.0, 0.0, 0.1), 300, 3) is None


def test_too_few_are_counted_and_the_key_that_brings_more_is_named() -> None:
    assert unfit("x", (0.1,) * 7, 300, 20) == Missing(
        "x needs 20 returns of 300 s, found 7; limits.history_s of more than 1 h 40 min tells them"
    )


def test_a_price_that_stands_still_is_named() -> None:
    missing = unfit("x", (0.0,) * 30, 300, 20)
    assert missing is not None
    assert "stood still in all 30 returns of 300 s" in missing.reason


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_return_that_is_no_number_is_named_by_its_place(wrong: float) -> None:
    with pytest.raises(ValueError, match=f"return 1 of 3 is {wrong}"):
        unfit("x", (0.1, wrong, 0.1), 300, 20)


def test_a_step_without_time_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 s, found -5"):
        unfit("x", (0.1,), -5, 1)
