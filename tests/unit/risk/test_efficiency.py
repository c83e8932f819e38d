"""The figures of what a campaign did."""

from __future__ import annotations

import math

import pytest

from lpmanager.risk.efficiency import fees_per_volume, gas_to_fees, net_fee_apr
from lpmanager.risk.missing import Missing

YEAR = 365 * 86_400
DONE = {"fees": 50.0, "lvr": 25.0, "gas": 5.0, "mean_value": 1_000.0, "seconds": YEAR / 10}


def test_the_figures_of_a_tenth_of_a_year() -> None:
    assert net_fee_apr(**DONE) == pytest.approx(0.2)
    assert fees_per_volume(fees=50.0, pool_volume=100_000.0) == pytest.approx(0.0005)
    assert gas_to_fees(gas=5.0, fees=50.0) == pytest.approx(0.1)


def test_fees_that_do_not_pay_for_lvr_are_a_negative_apr() -> None:
    assert net_fee_apr(**(DONE | {"lvr": 100.0})) == pytest.approx(-0.55)


def test_of_nothing_nothing_is_said() -> None:
    said = (
        net_fee_apr(**(DONE | {"seconds": 0.0})),
        net_fee_apr(**(DONE | {"mean_value": 0.0})),
        fees_per_volume(fees=1.0, pool_volume=0.0),
        gas_to_fees(gas=1.0, fees=0.0),
    )
    assert all(isinstance(figure, Missing) for figure in said)


@pytest.mark.parametrize("change", [{"seconds": -1.0}, {"fees": math.nan}, {"lvr": math.inf}])
def test_what_cannot_be_is_refused(change: dict[str, float]) -> None:
    (name,) = change
    with pytest.raises(ValueError, match=name):
        net_fee_apr(**(DONE | change))
