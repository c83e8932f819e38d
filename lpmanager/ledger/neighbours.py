"""What the campaigns of a store tell each other: what each held at its own last look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from lpmanager.errors import StoreError
from lpmanager.inventory.holdings import measure_holdings
from lpmanager.ledger import tables as t
from lpmanager.ledger.database import writing
from lpmanager.model import CampaignRecord, Snapshot
from lpmanager.risk.contagion.depeg import Peg
from lpmanager.risk.contagion.neighbours import Loan, Neighbour, Surroundings, as_neighbour


class Neighbourhood:
    """One campaign's place among the others of a configuration, by the table that all write to.

    `others` are the names of those others; rows of campaigns that are configured no more do not
    count. Where there is no other nothing is written.
    """

    def __init__(
        self,
        engine: Engine,
        campaign: str,
        others: frozenset[str],
        issuers: Mapping[str, str],
        pegs: tuple[Peg, ...],
        loans: tuple[Loan, ...],
    ) -> None:
        self._engine = engine
        self._campaign = campaign
        self._others = others
        self._issuers = issuers
        self._pegs = pegs
        self._loans = loans

    def tell(self, snapshot: Snapshot, record: CampaignRecord) -> None:
        """Note what the campaign holds, and the pegs that its pool tells, in the place of what was
        noted before. Its books must be open."""
        if not self._others:
            return
        seen = as_neighbour(
            self._campaign, snapshot, measure_holdings(snapshot, record), self._pegs
        )
        with writing(self._engine) as connection:
            connection.execute(delete(t.neighbours).where(t.neighbours.c.campaign == seen.campaign))
            connection.execute(insert(t.neighbours).values(**_columns(seen)))

    def surroundings(self) -> Surroundings:
        """What the others have told, however long ago. Raises StoreError where that cannot be."""
        found = self._read() if self._others else ()
        unseen = self._others - {each.campaign for each in found}
        return Surroundings(
            neighbours=found,
            unseen=tuple(sorted(unseen)),
            loans=self._loans,
            issuers=self._issuers,
            pegs=self._pegs,
        )

    def _read(self) -> tuple[Neighbour, ...]:
        columns = t.neighbours.c
        query = (
            select(t.neighbours)
            .where(columns.campaign.in_(self._others))
            .order_by(columns.campaign)
        )
        try:
            with self._engine.connect() as connection:
                return tuple(Neighbour(**row._mapping) for row in connection.execute(query))
        except (TypeError, ValueError) as error:
            raise StoreError(
                f"what a campaign told the others of itself is damaged ({error}); its next cycle "
                "writes it anew"
            ) from error


def _columns(seen: Neighbour) -> dict[str, Any]:
    return {field.name: getattr(seen, field.name) for field in fields(Neighbour)}
