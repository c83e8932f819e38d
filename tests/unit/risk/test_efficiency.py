"""The figures of what a campaign did."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest

from lpmanager.risk.efficiency import Activity, efficiency
from lpmanager.risk.missing import Missing

YEAR = 365 * 86_400
DONE = Activity(
    seconds=YEAR // 10,
    seconds_deployed=YEAR // 20,
    seconds_in_range=YEAR // 80,
    mean_value=1_000.0,
    fees=50.0,
    lvr=25.0,
    gas=5.0,
    pool_volume=100_000.0,
    rebalances=73,
)


def test_the_figures_of_a_tenth_of_a_year() -> None:
    found = efficiency(DONE)
    assert found.net_fee_apr == pytest.approx(0.2)
    assert found.in_range_share == pytest.approx(0.25)
    assert found.fees_per_volume == pytest.approx(0.0005)
    assert found.rebalances_per_day == pytest.approx(2)
    assert found.gas_to_fees == pytest.approx(0.1)
    assert found.fees_to_lvr == pytest.approx(2)


def test_fees_that_do_not_pay_for_lvr_are_a_negative_apr() -> None:
    found = efficiency(replace(DONE, lvr=100.0))
    assert found.net_fee_apr == pytest.approx(-0.55)


def test_of_nothing_nothing_is_said() -> None:
    nothing = Activity(**{field.name: 0 for field in fields(Activity)})
    found = efficiency(nothing)
    for field in fields(found):
        figure = getattr(found, field.name)
        assert isinstance(figure, Missing), field.name
        assert "found 0" in figure.reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seconds_in_range": YEAR}, "must not fall"),
        ({"seconds": -1}, "seconds"),
        ({"fees": math.nan}, "fees"),
        ({"lvr": math.inf}, "lvr"),
        ({"rebalances": -1}, "rebalances"),
    ],
)
def test_what_cannot_have_happened_is_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        efficiency(replace(DONE, **change))
