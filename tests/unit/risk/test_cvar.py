"""VaR and CVaR against published numbers, and the laws that they obey."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lpmanager.risk.cvar import TailLoss, tail_loss
from lpmanager.risk.missing import Missing

RESULTS = [-0.1, -0.05, 0, 0.02, 0.03, 0.04, 0.01, 0.02, 0, 0.01]
#: Probabilities in the middle of equal slices stand for a distribution; the ends are cut finer.
SLICES = 100_000


def known(results: list[float], confidence: float) -> TailLoss:
    found = tail_loss(results, confidence)
    assert isinstance(found, TailLoss)
    return found


def student4_quantile(p: float) -> float:
    """Student's t with 4 degrees of freedom, in closed form (Shaw 2006)."""
    root = math.sqrt(4 * p * (1 - p))
    q = math.cos(math.acos(root) / 3) / root
    return math.copysign(2 * math.sqrt(q - 1), p - 0.5)


def test_the_worst_fifth_of_ten_results_is_the_mean_of_two() -> None:
    assert known(RESULTS, 0.8).cvar == pytest.approx(0.075, rel=1e-12)


@pytest.mark.parametrize(
    ("confidence", "expected"), [(0.95, 2.06271281), (0.975, 2.33780279), (0.99, 2.66521422)]
)
def test_a_normal_tail_has_its_known_mean(confidence: float, expected: float) -> None:
    slices = [NormalDist().inv_cdf((i + 0.5) / SLICES) for i in range(SLICES)]
    assert known(slices, confidence).cvar == pytest.approx(expected, rel=2e-4)


def test_a_heavy_tail_has_its_known_var_and_mean() -> None:
    found = known([student4_quantile((i + 0.5) / SLICES) for i in range(SLICES)], 0.95)
    assert found.value_at_risk == pytest.approx(2.13184679, rel=1e-4)
    assert found.cvar == pytest.approx(3.20287040, rel=5e-4)


def test_a_result_on_the_border_of_the_tail_counts_by_its_part() -> None:
    # the worst 15 % of ten: the worst, and half of the second
    assert known(RESULTS, 0.85).cvar == pytest.approx((0.1 + 0.05 / 2) / 1.5)


@settings(max_examples=20)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=40),
    st.sampled_from([0.5, 0.8, 0.9, 0.95]),
)
def test_cvar_is_the_least_of_rockafellar_and_uryasevs_function(
    results: list[float], confidence: float
) -> None:
    found = known(results, confidence)

    def objective(a: float) -> float:
        beyond = math.fsum(max(-result - a, 0) for result in results)
        return a + beyond / (1 - confidence) / len(results)

    assert found.cvar >= found.value_at_risk
    assert found.cvar == pytest.approx(min(objective(-a) for a in results), abs=1e-6, rel=1e-9)


@settings(max_examples=10)
@given(st.lists(st.floats(-100, 100), min_size=20, max_size=40), st.floats(-50, 50))
def test_a_sure_gain_lowers_the_risk_by_itself(results: list[float], gain: float) -> None:
    better = known([result + gain for result in results], 0.9)
    assert better.cvar == pytest.approx(known(results, 0.9).cvar - gain, abs=1e-9)


def test_too_few_results_say_how_many_are_needed() -> None:
    found = tail_loss([0.1] * 19, 0.95)
    assert found == Missing(
        "the worst 0.05 of all results needs 20 results to be one of them, found 19"
    )
    assert isinstance(tail_loss([0.1] * 20, 0.95), TailLoss)
    assert isinstance(tail_loss([], 0.95), Missing)


def test_a_confidence_that_binary_numbers_miss_counts_as_it_is_written() -> None:
    """0.55 * 100 comes out above 55, and 1 / (1 - 0.9) above 10."""
    losses = [-float(i) for i in range(1, 101)]
    assert known(losses, 0.55).value_at_risk == 55
    assert known(losses[:10], 0.9).cvar == pytest.approx(10)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_result_that_is_no_number_is_named(wrong: float) -> None:
    found = tail_loss([*[0.1] * 19, wrong], 0.95)
    assert isinstance(found, Missing)
    assert "result 19 of 20" in found.reason


@pytest.mark.parametrize("wrong", [0, 1, -0.1, 1.5, math.nan])
def test_a_confidence_outside_its_bounds_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        tail_loss(RESULTS, wrong)
