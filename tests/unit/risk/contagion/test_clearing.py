"""Who pays what when all must: Eisenberg and Noe's clearing vector."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.risk.contagion.clearing import clear

CHAIN = [[0, 10, 0], [0, 0, 10], [5, 0, 0]]


def test_a_ring_in_which_two_cannot_pay_clears_as_published() -> None:
    found = clear(CHAIN, [2, 1, 3])
    assert found.payments == pytest.approx((7, 8, 5))
    assert found.equity == pytest.approx((0, 0, 6))
    assert found.defaults == (True, True, False)


def test_who_owes_one_another_the_same_pays_with_it() -> None:
    found = clear([[0, 10], [10, 0]], [0, 0])
    assert found.payments == (10, 10)
    assert not any(found.defaults)


def test_a_default_can_bring_down_the_next_and_that_the_one_after() -> None:
    found = clear([[0, 10, 0, 0], [0, 0, 10, 0], [0, 0, 0, 10], [0, 0, 0, 0]], [0, 1, 1, 0])
    assert found.payments == pytest.approx((0, 1, 2, 0))
    assert found.equity == pytest.approx((0, 0, 0, 2))


def test_creditors_of_a_defaulter_share_in_proportion() -> None:
    found = clear([[0, 30, 10], [0, 0, 0], [0, 0, 0]], [20, 0, 0])
    assert found.equity == pytest.approx((0, 15, 5))


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(0, 10**6))
def test_what_is_paid_is_the_least_of_debts_and_all_one_has(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    owed = random.uniform(0, 10, (count, count)) * (random.random((count, count)) < 0.6)
    np.fill_diagonal(owed, 0)
    outside = random.uniform(0, 5, count)
    found = clear(owed.tolist(), outside.tolist())  # where all have something, there is but one
    total = owed.sum(axis=1)
    shares = owed / np.where(total > 0, total, 1)[:, None]
    paid = np.array(found.payments)
    assert paid == pytest.approx(np.minimum(total, outside + shares.T @ paid), abs=1e-9)
    assert sum(found.equity) == pytest.approx(outside.sum(), abs=1e-9)


def test_nobody_owes_nothing_to_nobody() -> None:
    assert clear([], []).payments == ()


@pytest.mark.parametrize(
    ("liabilities", "outside"),
    [
        ([[0, -1], [0, 0]], [1, 1]),
        ([[0, math.nan], [0, 0]], [1, 1]),
        ([[1, 0], [0, 0]], [1, 1]),
        ([[0, 1]], [1, 1]),
        ([[0, 1], [1, 0]], [1, -1]),
    ],
)
def test_books_that_cannot_be_are_refused(
    liabilities: list[list[float]], outside: list[float]
) -> None:
    with pytest.raises(ValueError, match="found"):
        clear(liabilities, outside)
