"""The newest calibration of each campaign, kept in the store."""

from __future__ import annotations

from sqlalchemy import Engine, delete, insert, select

from lpmanager.ledger import tables as t
from lpmanager.ledger.database import writing
from lpmanager.risk.calibration.calibration import NOT_MADE, Calibration
from lpmanager.risk.calibration.json_form import calibration_from_json, calibration_to_json
from lpmanager.risk.missing import Missing


def keep_calibration(engine: Engine, campaign: str, calibration: Calibration) -> None:
    """Put it in the place of the campaign's last one, whole."""
    with writing(engine) as connection:
        connection.execute(delete(t.calibrations).where(t.calibrations.c.campaign == campaign))
        connection.execute(
            insert(t.calibrations).values(campaign=campaign, body=calibration_to_json(calibration))
        )


def kept_calibration(engine: Engine, campaign: str) -> Calibration | Missing:
    """The campaign's last one. Missing where there is none, and where what is kept is damaged or of
    a newer lpmanager, which names the field: only what asks for it is held back by that.

    Raises StoreError where the database itself cannot be read.
    """
    query = select(t.calibrations.c.body).where(t.calibrations.c.campaign == campaign)
    with engine.connect() as connection:
        body: str | None = connection.execute(query).scalar()
    if body is None:
        return NOT_MADE
    try:
        return calibration_from_json(body)
    except ValueError as error:
        return Missing(
            f"the calibration of campaign {campaign} cannot be read: {error}; make another by `lpm "
            f"calibrate {campaign}`"
        )
