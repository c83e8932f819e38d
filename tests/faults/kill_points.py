"""Where a process that runs a campaign can be killed, and one that kills itself there."""

from __future__ import annotations

import itertools
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, NamedTuple
from unittest import mock

from faults.fault_proxy import Json, newest_time, upstream
from faults.lpm_process import forking
from faults.troubled_desk import Run, the_campaign

from lpmanager.config import load
from lpmanager.cycle import run_cycle
from lpmanager.errors import ChainError
from lpmanager.execution.intent import Status
from lpmanager.ledger.store import Ledger

KILLED = -signal.SIGKILL

_CYCLES = 3
_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Point:
    """A moment just before or after a function, where `about` says of which calls."""

    moment: str
    function: str
    after: bool = True
    about: Status | None = None

    def concerns(self, values: tuple[Any, ...]) -> bool:
        return self.about is None or self.about in values


class Doom(NamedTuple):
    """Where a process kills itself: at which coming to the point, counted from 0. With `unmined`
    no block takes its transactions from that one on, and comings count from then on."""

    point: Point
    nth: int
    unmined: int | None = None


_JOURNAL = "lpmanager.ledger.journal."
_NOTE = _JOURNAL + "TransactionJournal.note"
_APPEND = _JOURNAL + "append_row"  # in the database's transaction, which is not committed yet

POINTS = (
    # start
    Point("as the store is made or brought up to date", "alembic.command.upgrade"),
    Point("as the first books are on disk", "lpmanager.ledger.store.Ledger.open_campaign"),
    # journal
    Point("before an intent is written down", _JOURNAL + "TransactionJournal.plan", after=False),
    Point("as an intent is being written down", _APPEND, about=Status.PLANNED),
    Point("as an intent is on disk", _JOURNAL + "TransactionJournal.plan"),
    # sign
    Point("as it is signed", "lpmanager.execution.signer.LocalSigner.sign"),
    Point("as a signature is being written down", _APPEND, about=Status.SIGNED),
    Point("as a signature is on disk", _JOURNAL + "TransactionJournal.signed"),
    # send
    Point("as the node has it", "lpmanager.chain.node.Node.send_raw"),
    Point("as it is being written down that it was sent", _APPEND, about=Status.SENT),
    # confirm
    Point("as the chain was looked at", "lpmanager.execution.sender.look"),
    Point("as it is being written down where it is mined", _APPEND, about=Status.MINED),
    Point("as it is on disk where it is mined", _NOTE, about=Status.MINED),
    Point("as it is known what it did", "lpmanager.execution.executor.read_fact"),
    Point("as it is being written down as final", _APPEND, about=Status.FINAL),
    Point("as it is on disk that it is final", _NOTE, about=Status.FINAL),
    # book
    Point("as the decision is in the diary", "lpmanager.ledger.diary.Diary.write"),
    Point("as the books are written, but not that they are", _APPEND, False, Status.BOOKED),
    Point("as it is being written down as booked", _APPEND, about=Status.BOOKED),
    Point("as the books are on disk", "lpmanager.ledger.store.Ledger.post"),
)

_BY_MOMENT = {point.moment: point for point in POINTS}
_AS_SIGNED = _BY_MOMENT["as a signature is on disk"]

#: Whoever is killed there may leave a transaction that no block has taken.
IN_FLIGHT = (
    _BY_MOMENT["as the node has it"],
    _BY_MOMENT["as it is being written down that it was sent"],
    _BY_MOMENT["as the chain was looked at"],
)


@contextmanager
def at(point: Point, reached: Callable[[], None]) -> Iterator[None]:
    """Whenever the point is come to inside the `with` block, `reached` is called."""
    original = resolve_name(point.function)

    @wraps(original)
    def watched(*values: Any, **named: Any) -> Any:
        concerned = point.concerns((*values, *named.values()))
        if concerned and not point.after:
            reached()
        result = original(*values, **named)
        if concerned and point.after:
            reached()
        return result

    with mock.patch(point.function, watched):
        yield


@contextmanager
def counted() -> Iterator[Counter[Point]]:
    """How often each point is come to inside the `with` block."""
    counts: Counter[Point] = Counter()
    with ExitStack() as watching:
        for point in POINTS:
            watching.enter_context(at(point, partial(counts.update, [point])))
        yield counts


def run_until(
    run: Run, folder: Path, point: Point, nth: int, *, unmined: int | None = None
) -> int | None:
    """The campaign in a process of its own that meets its Doom there; how that ended."""
    process = _process(run, folder, Doom(point, nth, unmined))
    process.join(_TIMEOUT_S)
    return process.exitcode


def killed_after(run: Run, folder: Path, seconds: float) -> int | None:
    """The same, killed so long after it has started, wherever it is then."""
    process = _process(run, folder, None)
    process.join(seconds)
    process.kill()
    process.join(_TIMEOUT_S)
    return process.exitcode


def _process(run: Run, folder: Path, doom: Doom | None) -> ForkServerProcess:
    process = forking().Process(target=_live, args=(folder, run.stage.backend.rpc_url, doom))
    process.start()
    return process


def _live(folder: Path, node_url: str, doom: Doom | None) -> None:
    with ExitStack() as watching:
        ask = watching.enter_context(upstream(node_url))
        if doom is not None:
            fate = _Fate(doom, ask)
            watching.enter_context(at(_AS_SIGNED, fate.signed))
            watching.enter_context(at(doom.point, fate.comes_to_the_point))
        _run_cycles(folder, ask)


class _Fate:
    """How a doom comes about."""

    def __init__(self, doom: Doom, ask: Callable[[Sequence[Json]], list[Json]]) -> None:
        self._ask = ask
        self._unmined = doom.unmined
        self._signed = itertools.count()
        self._to_come = itertools.count(-doom.nth)

    def signed(self) -> None:
        if next(self._signed) == self._unmined:
            self._ask([{"jsonrpc": "2.0", "id": 0, "method": "evm_setAutomine", "params": [False]}])
            self._unmined = None

    def comes_to_the_point(self) -> None:
        if self._unmined is None and next(self._to_come) == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _run_cycles(folder: Path, ask: Callable[[Sequence[Json]], list[Json]]) -> None:
    settings = load(folder / "lpmanager.toml")
    ledger = Ledger.open(settings.store)
    for _ in range(_CYCLES):
        try:
            run_cycle(the_campaign(settings, ledger, partial(newest_time, ask)))
        except ChainError:  # looked up again by the next cycle
            continue
