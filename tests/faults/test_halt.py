"""A halt stops all signing, at whatever moment it comes, until a person lifts it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any
from unittest import mock

import pytest
from a_person import resume
from faults.troubled_desk import Run, Stage, StageOf, a_run, both_stages
from live_desk import Desk, a_devnet, a_funded_desk, typed
from sqlalchemy import text

from lpmanager.chain.node import Question
from lpmanager.errors import Halted
from lpmanager.execution.intent import CLOSED, Status
from lpmanager.execution.sender import Sender
from lpmanager.execution.signer import LocalSigner, Signed
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger

pytestmark = pytest.mark.fault_row("halt flag")

#: A transaction that is not mined in time is looked up by the next cycle.
_CYCLES_TO_RECOVER = 3

#: One of so many halts falls into a plan that is under way.
_MID_PLAN = 3

#: Every signature that was written down while a halt stood; the database itself keeps count.
_WATCH = """
CREATE TRIGGER watch AFTER INSERT ON journal WHEN NEW.event = 'signed' AND EXISTS
(SELECT 1 FROM halts WHERE campaign = 'main' AND resumed_at IS NULL)
BEGIN INSERT INTO signed_while_halted VALUES (NEW.id); END
"""


@pytest.fixture(scope="module")
def stage_of() -> Iterator[StageOf]:
    with both_stages() as made:
        yield made


@pytest.fixture(scope="module")
def duration_of(
    stage_of: StageOf, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[bool], float]:
    """How long a cycle takes that opens a position, in seconds, by whether it is a vault's."""

    @cache
    def measured(in_vault: bool) -> float:
        with a_calm_run(stage_of(in_vault), tmp_path_factory.mktemp("timed"), 0) as run:
            began = time.monotonic()
            assert run.cycle()
            return time.monotonic() - began

    return measured


@contextmanager
def a_calm_run(stage: Stage, folder: Path, seed: int) -> Iterator[Run]:
    """A run whose RPC is honest, and may take its time on a busy machine."""
    with a_run(stage, folder, 1, seed) as run:
        patient = run.settings.rpc.model_copy(update={"timeout_s": Fraction(10)})
        run.settings = run.settings.model_copy(update={"rpc": patient})
        yield run


def watch(run: Run) -> None:
    with run.ledger.engine.begin() as connection:
        connection.execute(text("CREATE TABLE signed_while_halted (id INTEGER)"))
        connection.execute(text(_WATCH))


def signed_while_halted(run: Run) -> list[int]:
    with run.ledger.engine.connect() as connection:
        return list(connection.execute(text("SELECT id FROM signed_while_halted")).scalars())


@dataclass
class Hand:
    """What the key of a run is used for. `begun` are the moments at which the way to each signature
    began, its look at the flag included; `halted_at` is just after the flag was set."""

    begun: list[float] = field(default_factory=list)
    halted_at: float | None = None
    _now: float | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Inside the `with` block, in this process."""
        begin, sign = Sender._sign, LocalSigner.sign

        def begun(sender: Sender, *values: Any, **named: Any) -> Any:
            self._now = time.monotonic()
            return begin(sender, *values, **named)

        def signed(signer: LocalSigner, transaction: dict[str, Any]) -> Signed:
            assert self._now is not None
            self.begun.append(self._now)
            return sign(signer, transaction)

        with (
            mock.patch.object(Sender, "_sign", begun),
            mock.patch.object(LocalSigner, "sign", signed),
        ):
            yield

    def halt_once(self, run: Run, signatures: int, seconds: float) -> Thread:
        """Another connection to the store, as another process has one, sets the flag: so long after
        so many signatures."""

        def halt() -> None:
            engine = Ledger.open(run.settings.store).engine
            wait_until(lambda: len(self.begun) >= signatures, poll_s=0.001)
            time.sleep(seconds)
            Diary(engine, "main").halt("a test says so", 1)
            self.halted_at = time.monotonic()
            engine.dispose()

        thread = Thread(target=halt)
        thread.start()
        return thread

    def before_and_after(self) -> tuple[int, int]:
        """Signatures the way to which began before the flag was set, and after."""
        assert self.halted_at is not None
        before = sum(moment < self.halted_at for moment in self.begun)
        return before, len(self.begun) - before


@pytest.mark.least({"fell mid-plan": 1 / 12})
@pytest.mark.seeds(25, 1_000)
def test_nothing_is_signed_from_the_moment_a_halt_is_set(
    stage_of: StageOf,
    tmp_path: Path,
    duration_of: Callable[[bool], float],
    figures: dict[str, int],
    seed: int,
) -> None:
    """The key is not used again: only for what was on its way when the flag was set, and that is
    never written down. With every other seed the campaign is a vault's, and with every third the
    flag is set soon after the first signature."""
    in_vault, hand = seed % 2 == 1, Hand()
    figures["of a vault"] = int(in_vault)
    seconds = random.Random(seed).uniform(0, duration_of(in_vault))
    signatures = int(seed % _MID_PLAN == 0)
    with a_calm_run(stage_of(in_vault), tmp_path, seed) as run, hand.watched():
        watch(run)
        thread = hand.halt_once(run, signatures, seconds / (1 + _MID_PLAN * signatures))
        ended_well = cycle(run)
        thread.join()
        before, after = hand.before_and_after()
        figures["fell mid-plan"] = int(before > 0 and not ended_well)
        assert after == 0
        for _ in range(2):
            with pytest.raises(Halted, match="halted: "):
                run.cycle()
        assert signed_while_halted(run) == []
        assert hand.before_and_after() == (before, 0)
        resume(Diary(run.ledger.engine, "main"), 2)
        require_normal(run)


def cycle(run: Run) -> bool:
    """A cycle that a halt may end anywhere; whether it went to its end."""
    try:
        return run.cycle()
    except Halted:
        return False


def require_normal(run: Run) -> None:
    """It goes on from where it was stopped, and the books equal the chain."""
    assert any(run.cycle() for _ in range(_CYCLES_TO_RECOVER)), run.errors
    assert all(intent.status in CLOSED for intent in run.intents())
    assert run.wallet_in_books() == run.wallet_on_chain()
    assert run.positions_in_books() == run.positions_on_chain()
    ranges = run.ranges_on_chain()
    assert 0 < len(ranges) == len(set(ranges))
    assert run.allowances() == {0}


@pytest.fixture(scope="module")
def slow_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A funded desk on a chain that mines a block each second."""
    with a_devnet() as devnet:
        desk = a_funded_desk(devnet, tmp_path_factory.mktemp("desk"), "halted")
        devnet.refresh()
        ask(desk, "anvil_removeBlockTimestampInterval")
        ask(desk, "evm_setAutomine", False)
        ask(desk, "evm_setIntervalMining", 1)
        yield desk


def ask(desk: Desk, method: str, *params: object) -> object:
    return desk.devnet.controls.node.ask(Question(method, list(params), lambda told: told))


def test_another_process_halts_a_run_that_goes_on(slow_desk: Desk) -> None:
    """`lpm halt` while `lpm run --live` is at work, then a restart, then `lpm resume`."""
    desk = slow_desk
    ledger = Ledger.open(f"sqlite:///{desk.folder / 'lpmanager.db'}")

    def written(event: Status) -> int:
        with ledger.engine.connect() as connection:
            count = text("SELECT count(*) FROM journal WHERE event = :event")
            return int(connection.execute(count, {"event": str(event)}).scalar() or 0)

    process = desk.start("run", "--live")
    try:
        wait_until(lambda: written(Status.SIGNED) >= 2)
        ask(desk, "evm_setIntervalMining", 0)  # the plan stays half done until it is halted
        halted = desk.start("halt", "--reason", "a person says so")
        _out, err = halted.communicate(timeout=60)
        assert halted.returncode == 0, err
        before = written(Status.SIGNED)
        ask(desk, "evm_setIntervalMining", 1)
        time.sleep(5)
        assert process.poll() is None
    finally:
        process.terminate()
        _out, log = process.communicate(timeout=60)
    assert "a person says so" in log
    again = typed(desk.folder, "run", "--once", "--live")
    assert again.returncode == 1
    assert "main is halted: a person says so" in again.stderr
    assert written(Status.SIGNED) == before
    assert nonce(desk) == before
    assert desk.lpm("resume", "--yes").returncode == 0
    ask(desk, "evm_setIntervalMining", 0)
    ask(desk, "evm_setAutomine", True)
    on = typed(desk.folder, "run", "--once", "--live")
    assert on.returncode == 0, on.stderr
    assert nonce(desk) == written(Status.SIGNED) > before
    ledger.engine.dispose()


def nonce(desk: Desk) -> int:
    asked = Question("eth_getTransactionCount", [desk.account, "latest"], lambda n: int(n, 16))
    return desk.devnet.controls.node.ask(asked)


def wait_until(reached: Callable[[], bool], poll_s: float = 0.05) -> None:
    give_up = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < give_up
        time.sleep(poll_s)
