"""What the others do when some tokens fall, and correlations that cannot be."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lpmanager.risk.contagion.shock import Dependence, correlated_shock, nearest

PAIR = Dependence(
    tokens=("BTC", "ETH"), deviations=(0.05, 0.04), correlations=((1.0, 0.8), (0.8, 1.0))
)
#: A goes with B and B with C, but A against C.
IMPOSSIBLE = Dependence(
    tokens=("A", "B", "C"),
    deviations=(0.1, 0.1, 0.1),
    correlations=((1.0, 0.9, -0.9), (0.9, 1.0, 0.9), (-0.9, 0.9, 1.0)),
)


def test_a_fall_of_one_takes_the_other_with_it_by_its_beta() -> None:
    shock = correlated_shock(PAIR, {"BTC": -0.2})
    assert shock.moves["ETH"] == pytest.approx(-0.128)
    assert shock.moves["BTC"] == -0.2
    assert shock.repair is None


def test_two_falls_are_weighed_against_each_other() -> None:
    third = Dependence(
        tokens=("A", "B", "C"),
        deviations=(0.05, 0.05, 0.1),
        correlations=((1.0, 0.5, 0.6), (0.5, 1.0, 0.6), (0.6, 0.6, 1.0)),
    )
    # by symmetry each counts 0.6 / 1.5 of the third's two deviations to one of theirs
    shock = correlated_shock(third, {"A": -0.1, "B": -0.1})
    assert shock.moves["C"] == pytest.approx(-0.1 * 2 * 2 * 0.6 / 1.5)


def test_the_expected_move_is_the_mean_of_joint_normal_moves() -> None:
    random = np.random.default_rng(1)
    covariance = np.array([[0.05**2, 0.8 * 0.05 * 0.04], [0.8 * 0.05 * 0.04, 0.04**2]])
    drawn = random.multivariate_normal([0, 0], covariance, 200_000)
    near = drawn[np.abs(drawn[:, 0] + 0.05) < 0.001]
    expected = correlated_shock(PAIR, {"BTC": -0.05}).moves["ETH"]
    assert near[:, 1].mean() == pytest.approx(expected, abs=4 * near[:, 1].std() / len(near) ** 0.5)


def test_without_a_fall_nothing_falls() -> None:
    assert correlated_shock(PAIR, {}).moves == {"BTC": 0.0, "ETH": 0.0}


def test_correlations_that_cannot_be_become_the_nearest_that_can_and_it_is_told() -> None:
    shock = correlated_shock(IMPOSSIBLE, {"A": -0.2})
    assert shock.repair is not None
    assert shock.repair.least_eigenvalue < 0
    assert 0 < shock.repair.largest_change < 1
    assert all(map(math.isfinite, shock.moves.values()))
    mended, _ = nearest(np.array(IMPOSSIBLE.correlations))
    assert np.linalg.eigvalsh(mended)[0] > 0
    assert np.abs(mended[0, 1:]) == pytest.approx([0.5, 0.5], abs=1e-5)
    assert np.diagonal(mended) == pytest.approx([1, 1, 1])
    assert shock.moves["B"] == pytest.approx(-0.2 * mended[0, 1])


def test_a_perfect_correlation_is_mended_too() -> None:
    perfect = replace(PAIR, correlations=((1.0, 1.0), (1.0, 1.0)))
    shock = correlated_shock(perfect, {"BTC": -0.2, "ETH": -0.16})
    assert shock.repair is not None
    assert shock.moves == {"BTC": -0.2, "ETH": -0.16}


def test_what_can_be_is_left_as_it_is() -> None:
    matrix = np.array(PAIR.correlations)
    assert nearest(matrix)[0] is matrix


def test_an_unknown_token_is_named_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="unknown: DOGE; correlations are of BTC, ETH"):
        correlated_shock(PAIR, {"DOGE": -0.2})


def test_a_move_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        correlated_shock(PAIR, {"BTC": math.nan})


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"correlations": ((1.0, 0.8), (0.7, 1.0))}, "symmetric"),
        ({"correlations": ((1.0, math.nan), (math.nan, 1.0))}, r"in \[-1, 1\]"),
        ({"correlations": ((1.0, 1.1), (1.1, 1.0))}, r"in \[-1, 1\]"),
        ({"correlations": ((0.9, 0.8), (0.8, 1.0))}, "with 1 to oneself"),
        ({"correlations": ((1.0,),)}, "2 x 2"),
        ({"deviations": (0.05, 0.0)}, "deviation of ETH"),
        ({"deviations": (0.05,)}, "one deviation"),
        ({"tokens": ("BTC", "BTC")}, "one deviation"),
    ],
)
def test_a_dependence_that_cannot_be_is_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(PAIR, **wrong)
