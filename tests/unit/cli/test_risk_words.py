"""Measures of risk, as a person and as a program reads them."""

from __future__ import annotations

from builders import a_limits, a_market, a_position, a_record, a_view

from lpmanager.cli.risk_words import measure_json, measured
from lpmanager.rebalancer.assessment import assessment


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
