"""How distress spreads: Battiston's DebtRank."""

from __future__ import annotations

import math

import pytest

from lpmanager.risk.contagion.debt_rank import debt_rank

CHAIN = [[0, 5, 0], [0, 0, 5], [0, 0, 0]]


def test_a_chain_passes_on_half_at_each_link_as_published() -> None:
    found = debt_rank(CHAIN, [10, 10, 10], [1, 0, 0])
    assert found.distress == (1, 0.5, 0.25)
    assert found.rank == pytest.approx(0.25)


def test_in_a_ring_nobody_passes_distress_on_twice() -> None:
    found = debt_rank([[0, 5], [5, 0]], [10, 10], [0.4, 0])
    assert found.distress == pytest.approx((0.5, 0.2))


def test_nobody_loses_more_than_all() -> None:
    found = debt_rank([[0, 50], [0, 0]], [10, 10], [1, 0])
    assert found.distress == (1, 1)


def test_the_rank_weighs_nodes_by_their_value() -> None:
    found = debt_rank(CHAIN, [10, 10, 10], [1, 0, 0], value=[0, 1, 3])
    assert found.rank == pytest.approx(0.25 * 0.5 + 0.75 * 0.25)


def test_without_a_shock_nothing_happens() -> None:
    assert debt_rank(CHAIN, [10, 10, 10], [0, 0, 0]).rank == 0


@pytest.mark.parametrize(
    ("exposures", "equity", "shock", "value"),
    [
        (CHAIN, [10, 10], [1, 0], None),
        (CHAIN, [10, 0, 10], [1, 0, 0], None),
        (CHAIN, [10, 10, 10], [2, 0, 0], None),
        (CHAIN, [10, 10, 10], [math.nan, 0, 0], None),
        ([[0, -1], [0, 0]], [1, 1], [0, 0], None),
        ([[0, math.nan], [0, 0]], [1, 1], [0, 0], None),
        (CHAIN, [10, 10, 10], [1, 0, 0], [0, 0, 0]),
    ],
)
def test_a_network_that_cannot_be_is_refused(
    exposures: list[list[float]],
    equity: list[float],
    shock: list[float],
    value: list[float] | None,
) -> None:
    with pytest.raises(ValueError, match=r"found|finite"):
        debt_rank(exposures, equity, shock, value)
