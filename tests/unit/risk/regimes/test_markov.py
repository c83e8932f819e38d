"""Switching volatility: both regimes found, and no probability that knows what came later."""

from __future__ import annotations

import math

import pytest
from price_series import normal_returns, with_return

from lpmanager.risk.missing import Missing
from lpmanager.risk.regimes.markov import MarkovSwitching, fit_markov

#: Deviations 0.5, 2 and 0.5, which change at 600 and at 1,000.
SWITCHING = (
    *normal_returns(600, 0.5, seed=1),
    *normal_returns(400, 2.0, seed=2),
    *normal_returns(600, 0.5, seed=3),
)


def fitted(returns: tuple[float, ...]) -> MarkovSwitching:
    found = fit_markov(returns, 300)
    assert isinstance(found, MarkovSwitching), found
    return found


@pytest.fixture(scope="module")
def switching() -> MarkovSwitching:
    return fitted(SWITCHING)


def test_both_regimes_are_found(switching: MarkovSwitching) -> None:
    assert switching.calm_variance == pytest.approx(0.25, rel=0.1)
    assert switching.turbulent_variance == pytest.approx(4.0, rel=0.15)
    assert min(switching.calm_stays, switching.turbulent_stays) > 0.98


def test_the_filtered_chance_turns_within_a_few_returns_of_each_change(
    switching: MarkovSwitching,
) -> None:
    chances = switching.turbulent_probabilities(SWITCHING)
    assert max(chances[100:600]) < 0.5
    assert min(chances[610:1_000]) > 0.5
    assert max(chances[1_020:]) < 0.5


def test_the_unit_of_the_returns_does_not_matter() -> None:
    large = SWITCHING[520:680]
    small = tuple(change / 1_000 for change in large)
    found, tiny = fitted(large), fitted(small)
    assert tiny.turbulent_variance == pytest.approx(found.turbulent_variance / 1e6, rel=1e-3)
    assert tiny.turbulent_probabilities(small) == pytest.approx(
        found.turbulent_probabilities(large), abs=1e-2
    )


def test_a_chance_knows_nothing_later(switching: MarkovSwitching) -> None:
    other = (*SWITCHING[:700], *normal_returns(900, 0.1, seed=4))
    assert switching.turbulent_probabilities(other)[:700] == pytest.approx(
        switching.turbulent_probabilities(SWITCHING)[:700], abs=1e-12
    )


def test_large_returns_that_none_follows_are_no_regime() -> None:
    missing = fit_markov(normal_returns(100, seed=3), 300)
    assert isinstance(missing, Missing)
    assert "two regimes that last" in missing.reason


def test_returns_that_are_all_alike_are_no_two_regimes() -> None:
    assert isinstance(fit_markov((0.001,) * 120, 300), Missing)


def test_a_single_move_of_a_still_price_is_no_regime() -> None:
    missing = fit_markov(with_return((0.0,) * 300, 150, 0.1), 300)
    assert isinstance(missing, Missing)
    assert "300 returns" in missing.reason


def test_too_little_history_says_how_much_is_needed() -> None:
    assert fit_markov(SWITCHING[:99], 300) == Missing(
        "Markov switching needs 100 returns of 300 s, found 99"
    )
    assert isinstance(fit_markov((0.0,) * 200, 300), Missing)
    with pytest.raises(ValueError, match="return 0 of 1 is nan"):
        fit_markov((math.nan,), 300)
