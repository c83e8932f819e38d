"""Calibrations in the store: the last of each campaign, whole or named."""

from __future__ import annotations

from pathlib import Path

from calibration_builders import a_calibration
from empty_store import an_empty_ledger
from sqlalchemy import update

from lpmanager.ledger import tables as t
from lpmanager.ledger.calibrations import keep_calibration, kept_calibration
from lpmanager.ledger.database import writing
from lpmanager.ledger.store import Ledger
from lpmanager.risk.calibration.calibration import NOT_MADE
from lpmanager.risk.missing import Missing


def test_the_last_one_of_each_campaign_is_kept_before_its_books_are_opened(tmp_path: Path) -> None:
    ledger = an_empty_ledger(tmp_path / "books.db")
    first, second, other = a_calibration(7), a_calibration(8), a_calibration(9)
    keep_calibration(ledger.engine, "main", first)
    keep_calibration(ledger.engine, "other", other)
    keep_calibration(ledger.engine, "main", second)
    ledger.engine.dispose()
    again = Ledger.read(f"sqlite:///{tmp_path}/books.db")
    assert kept_calibration(again.engine, "main") == second
    assert kept_calibration(again.engine, "other") == other
    assert kept_calibration(again.engine, "new") is NOT_MADE
    again.engine.dispose()


def test_a_damaged_row_is_named_with_its_field_and_the_way_to_mend_it(tmp_path: Path) -> None:
    engine = an_empty_ledger(tmp_path / "books.db").engine
    keep_calibration(engine, "main", a_calibration(7))
    with writing(engine) as connection:
        body = t.calibrations.c.body
        bad = '{"version":1,"calibration":{"made_at":"yesterday"}}'
        connection.execute(update(t.calibrations).values({body: bad}))
    found = kept_calibration(engine, "main")
    assert isinstance(found, Missing)
    assert "calibration of campaign main cannot be read: calibration.made_at" in found.reason
    assert "`lpm calibrate main`" in found.reason
    keep_calibration(engine, "main", a_calibration(8))
    assert kept_calibration(engine, "main") == a_calibration(8)
    engine.dispose()
