"""Debts after prices moved: who cannot pay, whom that costs, and how far distress goes."""

from __future__ import annotations

import pytest

from lpmanager.risk.contagion.debts import Debtor, Settled, Settlement, settle
from lpmanager.risk.missing import Missing


def a_debtor(name: str, before: float, after: float, **owes: float) -> Debtor:
    return Debtor(name=name, before=before, after=after, owes=owes)


def one(found: Settlement, name: str) -> Settled:
    return next(each for each in found.settled if each.name == name)


def test_a_lender_whose_assets_fall_pays_its_creditors_in_proportion() -> None:
    found = settle(
        [
            a_debtor("Aave", 1_000, 600, main=600, other=300),
            a_debtor("main", 500, 500),
            a_debtor("other", 100, 100),
        ]
    )
    aave, main = one(found, "Aave"), one(found, "main")
    assert aave.defaults
    assert (aave.owes, aave.pays, aave.left) == (900, pytest.approx(600), 0)
    assert (main.loses, main.left) == (pytest.approx(200), pytest.approx(900))
    assert one(found, "other").loses == pytest.approx(100)


def test_distress_reaches_a_creditor_before_anybody_defaults() -> None:
    """A lender has 400 of its own and loses 200 of it; its creditor has 1,000, of which 600 there:
    half of what he would lose with it, over what he has."""
    found = settle([a_debtor("Aave", 1_000, 800, main=600), a_debtor("main", 400, 400)])
    assert not one(found, "Aave").defaults
    assert one(found, "Aave").distress == pytest.approx(0.5)
    assert one(found, "main").distress == pytest.approx(0.5 * 600 / 1_000)
    assert found.rank == pytest.approx(0.3 * 1_000 / 1_400)


def test_where_nothing_moves_all_is_paid_and_nobody_is_distressed() -> None:
    found = settle([a_debtor("Aave", 1_000, 1_000, main=600), a_debtor("main", 400, 400)])
    assert [each.loses for each in found.settled] == [0, 0]
    assert [each.distress for each in found.settled] == [0, 0]
    assert found.rank == 0


def test_what_rises_brings_no_distress() -> None:
    found = settle([a_debtor("Aave", 1_000, 1_500, main=600), a_debtor("main", 400, 400)])
    assert found.rank == 0


def test_who_owed_too_much_from_the_beginning_has_no_equity_to_lose() -> None:
    found = settle([a_debtor("Aave", 500, 500, main=600), a_debtor("main", 400, 400)])
    assert found.rank == Missing("Aave had no more than was owed before anything moved")
    assert isinstance(one(found, "main").distress, Missing)
    assert one(found, "main").loses == pytest.approx(100)


def test_a_creditor_that_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match="nothing is known of nobody"):
        settle([a_debtor("Aave", 1_000, 1_000, nobody=1)])
