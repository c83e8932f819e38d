"""What campaigns decided and were worth, and which of them are halted: the store's tables that are
no books."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from lpmanager.errors import AlreadyHalted, ClockDrift
from lpmanager.ledger import tables as t
from lpmanager.ledger.alarms import FAILURES_IN_A_ROW, NavMark, counts_from, failure_alarm
from lpmanager.ledger.database import writing
from lpmanager.model import SqrtPriceX96, Stop, StopKind

#: More than a day of marks is read at every cycle, however often there is one.
_MARK_EVERY_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRow:
    """One cycle as it was written down; `decision` is the JSON of its Plan or Hold.

    `stop_kind` is None where the plan did not end early, and where an older version wrote it.
    """

    block_number: int
    timestamp: int
    sqrt_price_x96: int
    decision: dict[str, Any]
    acted: bool
    stopped: str | None
    stop_kind: StopKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A halt that stands, by its number in the store."""

    id: int
    reason: str


class Diary:
    """What one campaign decided, and whether it is halted."""

    def __init__(self, engine: Engine, campaign: str) -> None:
        self._engine = engine
        self._campaign = campaign

    def write(self, row: CycleRow) -> None:
        """Add a cycle; the campaign is halted with it where too many plans in a row failed."""
        with writing(self._engine) as connection:
            connection.execute(
                insert(t.cycles).values(
                    campaign=self._campaign,
                    block_number=row.block_number,
                    timestamp=row.timestamp,
                    sqrt_price_x96=row.sqrt_price_x96,
                    decision=row.decision,
                    acted=int(row.acted),
                    stopped=row.stopped,
                    stop_kind=None if row.stop_kind is None else str(row.stop_kind),
                )
            )
            _halt_if_failing(connection, self._campaign, row.timestamp)

    def failed_after_all(self, decided_at: int, reason: str) -> None:
        """The plan of the cycle at that time was interrupted, and has failed since; the campaign is
        halted with that as by `write`."""
        columns = t.cycles.c
        with writing(self._engine) as connection:
            connection.execute(
                update(t.cycles)
                .where(
                    columns.campaign == self._campaign,
                    columns.timestamp == decided_at,
                    columns.stop_kind == str(StopKind.INTERRUPTED),
                )
                .values(stopped=reason, stop_kind=str(StopKind.ERROR))
            )
            _halt_if_failing(connection, self._campaign, decided_at)

    def cycles(self) -> list[CycleRow]:
        """Every cycle, oldest first."""
        query = (
            select(t.cycles).where(t.cycles.c.campaign == self._campaign).order_by(t.cycles.c.id)
        )
        with self._engine.connect() as connection:
            return [
                CycleRow(
                    block_number=row.block_number,
                    timestamp=row.timestamp,
                    sqrt_price_x96=row.sqrt_price_x96,
                    decision=row.decision,
                    acted=bool(row.acted),
                    stopped=row.stopped,
                    stop_kind=None if row.stop_kind is None else StopKind(row.stop_kind),
                )
                for row in connection.execute(query)
            ]

    def prices(self) -> list[tuple[int, SqrtPriceX96]]:
        """Time and price of every cycle, oldest first."""
        columns = t.cycles.c
        query = (
            select(columns.timestamp, columns.sqrt_price_x96)
            .where(columns.campaign == self._campaign)
            .order_by(columns.timestamp, columns.id)
        )
        with self._engine.connect() as connection:
            return [(time, SqrtPriceX96(price)) for time, price in connection.execute(query)]

    def marks(self, now: int) -> list[NavMark]:
        """What the campaign was worth in the day before `now`, and last before that, since it was
        resumed last."""
        columns = t.marks.c
        query = select(columns.timestamp, columns.quote, columns.nav, columns.gain).where(
            columns.campaign == self._campaign
        )
        with self._engine.connect() as connection:
            found = [NavMark(**row._mapping) for row in connection.execute(query)]
        since = counts_from((mark.timestamp for mark in found), now)
        return [mark for mark in found if mark.timestamp >= since]

    def mark(self, mark: NavMark) -> None:
        """Note what the campaign is worth: the best of every five minutes, as far back as marks
        count."""
        columns = t.marks.c
        ours = columns.campaign == self._campaign
        lately = columns.timestamp >= mark.timestamp - mark.timestamp % _MARK_EVERY_S
        best = select(columns.quote, columns.gain).where(ours, lately)
        with writing(self._engine) as connection:
            for quote, gain in connection.execute(best):
                if quote == mark.quote and gain >= mark.gain:
                    return
            times = connection.execute(select(columns.timestamp).where(ours)).scalars()
            old = columns.timestamp < counts_from(times, mark.timestamp)
            connection.execute(delete(t.marks).where(ours, old | lately))
            connection.execute(
                insert(t.marks).values(
                    campaign=self._campaign,
                    timestamp=mark.timestamp,
                    quote=mark.quote,
                    nav=mark.nav,
                    gain=mark.gain,
                )
            )

    def halt(self, reason: str, timestamp: int) -> None:
        """Nothing more is done for the campaign until `resume`."""
        with writing(self._engine) as connection:
            note_halt(connection, self._campaign, reason, timestamp)

    @contextmanager
    def halting_on_drift(self) -> Iterator[None]:
        """Where this machine's clock is found to be wrong inside the `with` block, the campaign is
        halted before that is raised."""
        try:
            yield
        except ClockDrift as drift:
            if self.halted() is None:
                self.halt(str(drift), drift.head_at)
            raise

    def require_running(self) -> None:
        """Raise AlreadyHalted while the campaign is stopped."""
        with self._engine.connect() as connection:
            require_not_halted(connection, self._campaign)

    def standing(self) -> tuple[Halt, ...]:
        """Every halt of the campaign that nobody has lifted, oldest first."""
        with self._engine.connect() as connection:
            return _standing(connection, self._campaign)

    def halted(self) -> str | None:
        """Why the campaign is halted, all reasons in a line, or None."""
        return _in_words(self.standing())

    def resume(self, shown: Iterable[Halt], timestamp: int) -> None:
        """Lift those halts of the campaign, which a person was shown, and none that came after. Its
        losses and failed plans count from now on."""
        newest = select(func.max(t.cycles.c.id)).where(t.cycles.c.campaign == self._campaign)
        with writing(self._engine) as connection:
            connection.execute(
                update(t.halts)
                .where(
                    t.halts.c.campaign == self._campaign,
                    t.halts.c.id.in_([halt.id for halt in shown]),
                    t.halts.c.resumed_at.is_(None),
                )
                .values(resumed_at=timestamp, resumed_after=newest.scalar_subquery())
            )
            connection.execute(delete(t.marks).where(t.marks.c.campaign == self._campaign))


def require_not_halted(connection: Connection, campaign: str) -> None:
    """Raise AlreadyHalted while a campaign is stopped, as far as this transaction sees."""
    reason = _in_words(_standing(connection, campaign))
    if reason is not None:
        raise AlreadyHalted(f"campaign {campaign} is halted: {reason}")


def note_halt(connection: Connection, campaign: str, reason: str, timestamp: int) -> None:
    """Halt a campaign with what else the caller's transaction of the database writes."""
    connection.execute(
        insert(t.halts).values(campaign=campaign, reason=reason, timestamp=timestamp)
    )


def _halt_if_failing(connection: Connection, campaign: str, timestamp: int) -> None:
    alarm = failure_alarm(_last_ends(connection, campaign))
    if alarm is not None:
        note_halt(connection, campaign, alarm, timestamp)


def _last_ends(connection: Connection, campaign: str) -> list[Stop | None]:
    """How the last plans ended that were carried out (None) or failed, the newest first, since the
    campaign was resumed last. What somebody or the market interrupted is neither."""
    resumed_after = select(func.max(t.halts.c.resumed_after)).where(t.halts.c.campaign == campaign)
    columns = t.cycles.c
    carried_out = (columns.acted == 1) & columns.stopped.is_(None)
    query = (
        select(columns.stopped, columns.stop_kind)
        .where(
            columns.campaign == campaign,
            columns.id > func.coalesce(resumed_after.scalar_subquery(), 0),
            carried_out | (columns.stop_kind == str(StopKind.ERROR)),
        )
        .order_by(columns.id.desc())
        .limit(FAILURES_IN_A_ROW)
    )
    return [
        None if kind is None else Stop(kind=StopKind(kind), reason=reason)
        for reason, kind in connection.execute(query)
    ]


def _standing(connection: Connection, campaign: str) -> tuple[Halt, ...]:
    columns = t.halts.c
    query = (
        select(columns.id, columns.reason)
        .where(columns.campaign == campaign, columns.resumed_at.is_(None))
        .order_by(columns.id)
    )
    return tuple(Halt(id=row.id, reason=row.reason) for row in connection.execute(query))


def _in_words(halts: Sequence[Halt]) -> str | None:
    return "; ".join(halt.reason for halt in halts) if halts else None
