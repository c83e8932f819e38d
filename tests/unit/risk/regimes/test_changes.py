"""Changes of volatility: placed in hindsight, and noticed soon after."""

from __future__ import annotations

import math

import numpy as np
import pytest
from price_series import normal_returns
from river.drift import ADWIN

from lpmanager.risk.missing import Missing
from lpmanager.risk.regimes.change_points import changes_in_hindsight
from lpmanager.risk.regimes.noticed_changes import changes_as_noticed

_RNG = np.random.default_rng(0)

#: The reference series: deviations 0.5, 2 and 0.5, which change at 600 and at 1,000.
REFERENCE: tuple[float, ...] = tuple(
    np.concatenate([_RNG.normal(0, s, n) for s, n in ((0.5, 600), (2, 400), (0.5, 600))]).tolist()
)


def test_in_hindsight_both_changes_are_where_they_were() -> None:
    assert changes_in_hindsight(REFERENCE, 300) == (600, 1_000)


def test_both_changes_are_noticed_within_sixty_four_returns() -> None:
    noticed = changes_as_noticed(REFERENCE, 300)
    assert not isinstance(noticed, Missing)
    first, second = noticed
    assert 600 <= first < 664
    assert 1_000 <= second < 1_064


def test_adwin_notices_the_reference_as_the_notes_say() -> None:
    """At 639 and 1,055, on plain sizes. In units of the first returns' mean size, which make every
    pair of tokens alike, the first is plain 32 returns sooner."""
    detector, plain = ADWIN(), []
    for place, change in enumerate(REFERENCE):
        detector.update(abs(change))
        if detector.drift_detected:
            plain.append(place)
    assert plain == [639, 1_055]
    assert changes_as_noticed(REFERENCE, 300) == (607, 1_055)


def test_the_unit_of_the_returns_does_not_matter() -> None:
    tiny = tuple(change * 1e-6 for change in REFERENCE[400:800])
    assert changes_in_hindsight(tiny, 300) == (200,)
    assert changes_as_noticed(tiny, 300) == changes_as_noticed(REFERENCE[400:800], 300)


def test_one_volatility_has_no_changes() -> None:
    assert changes_in_hindsight(normal_returns(300), 300) == ()
    assert changes_in_hindsight((0.001,) * 60, 300) == ()
    assert changes_as_noticed(normal_returns(300), 300) == ()


def test_a_price_that_stops_moving_changed() -> None:
    assert changes_in_hindsight((*normal_returns(100), *(0.0,) * 100), 300) == (100,)


def test_a_notice_knows_nothing_later() -> None:
    noticed = changes_as_noticed(REFERENCE, 300)
    other = changes_as_noticed((*REFERENCE[:700], *normal_returns(900, 9.0)), 300)
    assert not isinstance(noticed, Missing)
    assert not isinstance(other, Missing)
    assert [place for place in noticed if place < 700] == [607]
    assert [place for place in other if place < 700] == [607]


def test_too_little_history_says_how_much_is_needed() -> None:
    assert changes_in_hindsight(REFERENCE[:19], 300) == Missing(
        "the search for changes needs 20 returns of 300 s, found 19; limits.history_s "
        "of more than 1 h 40 min tells them"
    )
    assert changes_as_noticed(REFERENCE[:119], 300) == Missing(
        "the watch for changes needs 120 returns of 300 s, found 119; limits.history_s "
        "of more than 10 h tells them"
    )


def test_a_price_that_stands_still_is_named() -> None:
    late = changes_as_noticed((*(0.0,) * 60, *REFERENCE[:60]), 300)
    assert isinstance(late, Missing)
    assert "moves in the first 60 returns" in late.reason
    assert isinstance(changes_in_hindsight((0.0,) * 60, 300), Missing)


def test_a_return_that_is_no_number_is_refused() -> None:
    for search in (changes_in_hindsight, changes_as_noticed):
        with pytest.raises(ValueError, match="return 0 of 1 is nan"):
            search((math.nan,), 300)
