"""The toxic share of the next period, learned where it can be."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from statistics import fmean

import numpy as np
import pytest

from lpmanager.risk.learned.toxic_share import FlowPeriods, ToxicityContest
from lpmanager.risk.learned.toxicity import toxicity_contest
from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.ewma import faded_means

HOUR_S = 3_600


def flow(count: int = 320, *, announced: bool = True) -> FlowPeriods:
    """Toxic two periods after a large volume, or not."""
    random = np.random.default_rng(3)
    loud = random.random(count) < 0.3
    follows = np.roll(loud, 2) if announced else random.random(count) < 0.3
    shares = np.clip(np.where(follows, 0.8, 0.2) + 0.05 * random.standard_normal(count), 0, 1)
    volumes = np.where(loud, 10.0, 1.0) * random.uniform(0.8, 1.2, count)
    return FlowPeriods(
        toxic_shares=tuple(shares.tolist()),
        volumes=tuple(volumes.tolist()),
        variances=tuple(random.uniform(1, 2, count).tolist()),
        period_s=HOUR_S,
        ends=HOUR_S * count,
    )


@cache
def decided(periods: FlowPeriods) -> ToxicityContest:
    found = toxicity_contest(periods, refit_every=160)
    assert isinstance(found, ToxicityContest), found
    return found


def test_toxicity_that_follows_volume_is_learned() -> None:
    found = decided(flow())
    assert found.learned_wins
    assert found.learned < found.ewma / 2
    assert found.scored == 160
    assert 0 <= found.next_share <= 1
    assert found.share_believed == found.next_share


def test_toxicity_that_follows_nothing_is_left_to_the_mean() -> None:
    found = decided(flow(announced=False))
    assert not found.learned_wins
    *_, faded = faded_means(flow(announced=False).toxic_shares[:-1], 0.94)
    assert found.share_believed == pytest.approx(faded)


def test_shares_that_are_not_known_yet_change_no_forecast() -> None:
    periods = flow()
    last = replace(periods, toxic_shares=(*periods.toxic_shares[:-1], 1.0))
    assert decided(last).next_share == decided(periods).next_share
    known = replace(periods, toxic_shares=(*periods.toxic_shares[:-30], *(1.0,) * 30))
    assert decided(known).next_share != decided(periods).next_share


def test_with_more_unknown_the_newest_volume_is_of_no_help() -> None:
    """The volume that announces it is two periods old: known late, it says nothing any more."""
    assert decided(flow()).learned < decided(replace(flow(), unknown=3)).learned / 2


@pytest.mark.parametrize("unknown", [0, 1, 3])
def test_the_mean_it_competes_with_knows_as_little(unknown: int) -> None:
    periods = replace(flow(), unknown=unknown)
    shares = periods.toxic_shares
    errors = []
    for number in range(160, 320):
        *_, known = faded_means(shares[: number - unknown], 0.94)
        errors.append((known - shares[number]) ** 2)
    assert decided(periods).ewma == pytest.approx(fmean(errors))


def test_too_few_periods_say_how_many_are_needed() -> None:
    assert toxicity_contest(flow(299)) == Missing(
        "learned toxicity needs 300 periods of 3600 s, found 299"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"toxic_shares": (1.1,) * 320},
        {"toxic_shares": (math.nan,) * 320},
        {"volumes": (math.inf,) * 320},
        {"variances": (-1.0,) * 320},
        {"volumes": (1.0,)},
        {"unknown": -1},
        {"period_s": 0},
        {"ends": -1},
    ],
)
def test_flow_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"share|finite|needed"):
        replace(flow(), **wrong)
