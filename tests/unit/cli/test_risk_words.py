"""Measures of risk, as a person and as a program reads them."""

from __future__ import annotations

from builders import a_limits, a_market, a_position, a_record, a_view, an_outlook

from lpmanager.backtest.report.wording import percent as percent_of_a_backtest
from lpmanager.backtest.report.wording import percent_gain
from lpmanager.cli.risk_page.wording import percent
from lpmanager.cli.risk_words import measure_json, measured
from lpmanager.rebalancer.assessment import assessment
from lpmanager.rebalancer.standing import limits_as_they_stand
from lpmanager.risk.appetite import ONE, Appetite


def told(wallet: tuple[int, int], *held: str) -> dict[str, tuple[str, object, str]]:
    """Each measure of a campaign at a price of 1: its words, and value and unit for programs."""
    positions = tuple(a_position(text, liquidity=10**13) for text in held)
    view = a_view(a_market(positions=positions), a_record(wallet))
    shown = {}
    for one in assessment(view, a_limits()):
        form = measure_json(one, view.snapshot)
        shown[one.name] = (measured(one, view.snapshot), form["value"], form["unit"])
    return shown


def test_gamma_is_base_tokens_for_a_unit_of_the_price() -> None:
    found = told((0, 0), "[-600, 600)")
    base, per_price = found["delta"][2], found["gamma"][2]
    assert (base, per_price) == ("WETH", "WETH per USDC")
    assert found["gamma"][0].endswith(" WETH per USDC")


def test_an_imbalance_is_told_of_the_most_that_it_can_be() -> None:
    """Three quarters in the base token are half of the way from half of it to all."""
    found = told((10**12, 3 * 10**12))
    assert found["weight of base"][1] == 0.75
    assert found["imbalance"][1] == 0.5


def test_nothing_is_never_less_than_nothing() -> None:
    """A campaign all in the quote token loses nothing in a crash."""
    view = a_view(a_market(), a_record((10**12, 0)), an_outlook())
    crash = next(one for one in assessment(view, a_limits()) if one.name == "price -40%")
    assert measured(crash, view.snapshot) == "0.000%"
    (gate,) = [
        gate
        for gate in limits_as_they_stand(view, a_limits(appetite=Appetite(max_crash_loss=ONE)))
        if gate.name == "crash"
    ]
    assert gate.measured == "0.0%"
    assert [words(-1e-9) for words in (percent, percent_of_a_backtest)] == ["0.0 %", "0.00 %"]
    assert percent_gain(-1e-9) == "+0.00 %"
