"""What a report and the risk desk say of how well market making paid."""

from __future__ import annotations

from builders import a_view

from lpmanager.cli.efficiency_words import efficiency_json, efficiency_rows
from lpmanager.cli.risk_words import measured
from lpmanager.rebalancer.assessment.efficiency import efficiency_measures
from lpmanager.risk.efficiency import Efficiency
from lpmanager.risk.missing import Missing

KNOWN = Efficiency(
    fee_apr_share=0.25,
    net_fee_apr_share=-0.05,
    fees_per_lvr=0.875,
    fees_per_volume=Missing("the volume is not kept"),
    in_range_share=0.9,
    rebalances=3,
    rebalances_per_day=0.5,
)


def test_a_report_says_it_to_people() -> None:
    assert [value for _, value in efficiency_rows(KNOWN)] == [
        "25.0%",
        "-5.0%",
        "0.88",
        "unknown: the volume is not kept",
        "90.0%",
        "3",
        "0.50",
    ]
    assert efficiency_rows(Missing("nothing yet")) == [("efficiency", "unknown: nothing yet")]


def test_a_report_says_it_to_programs() -> None:
    told = efficiency_json(KNOWN)
    assert told.pop("unknown") == {"fees_per_volume": "the volume is not kept"}
    assert told == {
        "fee_apr_share": 0.25,
        "net_fee_apr_share": -0.05,
        "fees_per_lvr": 0.875,
        "fees_per_volume": None,
        "in_range_share": 0.9,
        "rebalances": 3,
        "rebalances_per_day": 0.5,
    }
    nothing = efficiency_json(Missing("nothing yet"))
    assert set(nothing.pop("unknown").values()) == {"nothing yet"}
    assert set(nothing.values()) == {None}


def test_the_risk_desk_tells_it_with_its_units() -> None:
    snapshot = a_view().snapshot
    assert [(one.name, measured(one, snapshot)) for one in efficiency_measures(KNOWN)] == [
        ("net fee APR", "-5.0% a year"),
        ("past time in range", "90.000%"),
        ("fees per volume", "unknown: the volume is not kept"),
        ("rebalances", "0.50 a day"),
    ]
    missing = efficiency_measures(Missing("nothing yet"))
    assert {one.value for one in missing} == {Missing("nothing yet")}
