"""What a campaign did: its cycles counted, and its positions from the first to the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, select

from lpmanager.ledger import tables as t
from lpmanager.ledger.diary import CycleRow
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionLife:
    """A position from when it was minted or adopted until it was burned; times in Unix seconds.

    A range of a vault has one id for all its lives. `sqrt_price_x96` is the pool's price when it
    was opened.
    """

    token_id: int
    range: TickRange
    liquidity: Liquidity
    sqrt_price_x96: SqrtPriceX96
    opened_at: int
    closed_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What somebody changed by hand, in a sentence, and when that was found, in Unix seconds."""

    timestamp: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Cycles of a campaign, counted.

    `moves` sent at least one transaction. `closed_gates` says in how many holds each gate was
    closed; `at_rest` are the holds in which none was: there was nothing to do.
    """

    cycles: int
    moves: int
    holds: int
    at_rest: int
    closed_gates: Mapping[str, int]


def lineage(engine: Engine, campaign: str) -> tuple[PositionLife, ...]:
    """Every position the campaign ever had, oldest first."""
    query = (
        select(t.positions)
        .where(t.positions.c.campaign == campaign)
        .order_by(t.positions.c.opened_at, t.positions.c.lower)
    )
    with engine.connect() as connection:
        return tuple(
            PositionLife(
                token_id=row.token_id,
                range=TickRange(row.lower, row.upper),
                liquidity=Liquidity(row.liquidity),
                sqrt_price_x96=SqrtPriceX96(row.sqrt_price_x96),
                opened_at=row.opened_at,
                closed_at=row.closed_at,
            )
            for row in connection.execute(query)
        )


def adoptions(engine: Engine, campaign: str) -> tuple[Adoption, ...]:
    """All that was changed by hand and taken into the books, oldest first."""
    columns = t.entries.c
    query = (
        select(columns.timestamp, columns.by_hand)
        .where(columns.campaign == campaign, columns.by_hand.is_not(None))
        .order_by(columns.id)
    )
    with engine.connect() as connection:
        return tuple(
            Adoption(timestamp=timestamp, text=text)
            for timestamp, text in connection.execute(query)
        )


def activity(cycles: Iterable[CycleRow]) -> Activity:
    """The diary in numbers."""
    cycles = tuple(cycles)
    closed_in_holds = [
        {gate["name"] for gate in cycle.decision["gates"] if not gate["passed"]}
        for cycle in cycles
        if cycle.decision["decision"] == "hold"
    ]
    return Activity(
        cycles=len(cycles),
        moves=sum(cycle.acted for cycle in cycles),
        holds=len(closed_in_holds),
        at_rest=sum(not closed for closed in closed_in_holds),
        closed_gates=dict(Counter(name for closed in closed_in_holds for name in closed)),
    )
