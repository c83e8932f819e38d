"""A halt is a row of the store: it lasts, and what is signed is written down only before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from a_person import resume
from builders import ACCOUNT, CHAIN_ID, a_purpose, an_attempt

from lpmanager.errors import Halted
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/books.db")
    yield ledger
    ledger.engine.dispose()


def test_a_signature_that_a_halt_overtook_is_not_written_down(ledger: Ledger) -> None:
    journal = ledger.journal(CHAIN_ID)
    intent = journal.plan(ACCOUNT, 7, a_purpose(1, campaign="main"))
    Diary(ledger.engine, "main").halt("by hand", 1)
    with pytest.raises(Halted, match="campaign main is halted: by hand"):
        journal.signed(intent, an_attempt(1))
    assert ledger.journal(CHAIN_ID).open_intents(ACCOUNT) == [intent]
    resume(Diary(ledger.engine, "main"), 2)
    assert journal.signed(intent, an_attempt(1)).attempts == (an_attempt(1),)


def test_a_halt_of_another_campaign_lets_it_be_written_down(ledger: Ledger) -> None:
    journal = ledger.journal(CHAIN_ID)
    intent = journal.plan(ACCOUNT, 7, a_purpose(1, campaign="main"))
    Diary(ledger.engine, "aside").halt("by hand", 1)
    assert journal.signed(intent, an_attempt(1)).attempts == (an_attempt(1),)


def test_a_halt_survives_a_restart_and_is_seen_by_other_processes(
    ledger: Ledger, tmp_path: Path
) -> None:
    Diary(ledger.engine, "main").halt("first", 1)
    Diary(ledger.engine, "main").halt("second", 2)
    other = Ledger.open(f"sqlite:///{tmp_path}/books.db")
    assert Diary(other.engine, "main").halted() == "first; second"
    resume(Diary(other.engine, "main"), 3)
    assert Diary(ledger.engine, "main").halted() is None
    other.engine.dispose()


def test_a_resume_lifts_the_halts_that_were_shown_and_no_others(ledger: Ledger) -> None:
    diary = Diary(ledger.engine, "main")
    diary.halt("the price looks odd", 1)
    shown = diary.standing()
    diary.halt("the books do not close", 2)
    Diary(ledger.engine, "aside").halt("by hand", 2)
    diary.resume(shown, 3)
    with pytest.raises(Halted, match=r"^campaign main is halted: the books do not close$"):
        diary.require_running()
    assert Diary(ledger.engine, "aside").halted() == "by hand"
    diary.resume(diary.standing(), 4)
    diary.require_running()


def test_the_same_reason_given_twice_is_two_halts(ledger: Ledger) -> None:
    """Whoever gave it again has not seen that the first was lifted."""
    diary = Diary(ledger.engine, "main")
    diary.halt("by hand", 1)
    shown = diary.standing()
    diary.halt("by hand", 2)
    diary.resume(shown, 3)
    assert diary.halted() == "by hand"
