"""Switching volatility: both regimes found, and no probability that knows what came later."""

from __future__ import annotations

import math

import numpy as np
import pytest
from price_series import normal_returns, with_return
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

from lpmanager.risk.missing import Missing
from lpmanager.risk.regimes.markov import fit_markov
from lpmanager.risk.regimes.markov_model import MarkovSwitching

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


def test_the_reference_variances_are_found() -> None:
    """3.595 as noted. The calm one is 0.2496 where the notes have 0.252, which is the square of the
    deviation that another library finds in the same series, 0.502."""
    rng = np.random.default_rng(0)
    parts = [rng.normal(0, s, n) for s, n in ((0.5, 600), (2, 400), (0.5, 600))]
    found = fitted(tuple(np.concatenate(parts).tolist()))
    assert found.turbulent_variance == pytest.approx(3.595, abs=1e-3)
    assert found.calm_variance == pytest.approx(0.2496, abs=1e-3)


def test_the_filtered_chance_turns_within_a_few_returns_of_each_change(
    switching: MarkovSwitching,
) -> None:
    chances = switching.turbulent_probabilities(SWITCHING)
    assert max(chances[100:600]) < 0.5
    assert min(chances[610:1_000]) > 0.5
    assert max(chances[1_020:]) < 0.5


def test_the_filter_is_the_one_of_statsmodels(switching: MarkovSwitching) -> None:
    theirs = MarkovRegression(
        np.array(SWITCHING), k_regimes=2, trend="n", switching_variance=True
    ).filter(
        np.array(
            [
                switching.calm_stays,
                1 - switching.turbulent_stays,
                switching.calm_variance,
                switching.turbulent_variance,
            ]
        )
    )
    assert switching.turbulent_probabilities(SWITCHING) == pytest.approx(
        theirs.filtered_marginal_probabilities[:, 1].tolist(), abs=1e-10
    )


def test_a_chance_goes_on_where_it_was_left(switching: MarkovSwitching) -> None:
    whole = switching.turbulent_probabilities(SWITCHING)
    later = switching.turbulent_probabilities(SWITCHING[590:], before=whole[589])
    assert later == pytest.approx(whole[590:], abs=1e-12)


def test_over_returns_that_were_not_seen_a_chance_goes_back_to_the_long_run(
    switching: MarkovSwitching,
) -> None:
    chance = 1.0
    for _ in range(7):
        stays, comes = chance * switching.turbulent_stays, 1 - switching.calm_stays
        chance = stays + (1 - chance) * comes
    assert switching.after_unseen(1.0, 7) == pytest.approx(chance)
    assert switching.after_unseen(1.0, 10**6) == pytest.approx(switching.long_run)
    assert switching.after_unseen(0.3, 0) == pytest.approx(0.3)


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
        "Markov switching needs 100 returns of 300 s, found 99; limits.history_s "
        "of more than 8 h 20 min tells them"
    )
    assert isinstance(fit_markov((0.0,) * 200, 300), Missing)
    with pytest.raises(ValueError, match="return 0 of 1 is nan"):
        fit_markov((math.nan,), 300)
