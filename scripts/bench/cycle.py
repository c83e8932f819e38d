"""What a live cycle costs that holds, and how soon a restarted `lpm run --live` is ready, on anvil.

Run: make bench. The store of the restart holds what some months leave in one.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from lpmanager.chain.transport import HttpTransport
from lpmanager.cli.campaigns import signing
from lpmanager.cycle import Campaign, Cycle, run_cycle
from lpmanager.devnet.backend import Controls
from lpmanager.devnet.backend_names import BackendName
from lpmanager.devnet.flow_generated import Habits
from lpmanager.devnet.scenes import Job, Scene, new_chain, new_scene
from lpmanager.devnet.scripts import generated_script
from lpmanager.devnet.terms import DEFAULT_FUNDS, default_table
from lpmanager.execution.calldata import Call
from lpmanager.execution.intent import Attempt, Inclusion, Purpose, Status
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.model import Plan

NAME = "bench"
HABITS = Habits(seed=2, blocks=240, volatility=0.01)
WARM_UP, CYCLES, RESTARTS = 3, 30, 5
JOURNAL_ROWS, DIARY_ROWS = 1_000, 500
GOAL_CPU_MS, GOAL_TRIPS, GOAL_READY_S = 50, 2, 5


@dataclass
class Trips:
    """How many HTTP round trips were made."""

    count: int = 0


@contextmanager
def counted() -> Iterator[Trips]:
    trips, ask = Trips(), HttpTransport.request_many

    def counting(self: HttpTransport, requests: Any) -> Any:
        trips.count += bool(requests)
        return ask(self, requests)

    with mock.patch.object(HttpTransport, "request_many", counting):
        yield trips


def mine_now(scene: Scene) -> None:
    """A block of now, where the newest is older: a chain on which nothing happens grows old."""
    controls, now = Controls(scene.backend), int(time.time())
    if controls.node.head().timestamp < now:
        controls.mine(now)


def cycle(campaign: Campaign) -> tuple[Cycle, float, float]:
    """A cycle, with the seconds it took of CPU and of wall time."""
    cpu, wall = time.process_time(), time.perf_counter()
    done = run_cycle(campaign)
    return done, time.process_time() - cpu, time.perf_counter() - wall


def measure_cycles(scene: Scene) -> list[bool]:
    """Whether each goal was met."""
    cpu, wall, trips = [], [], []
    with signing(scene.settings, [NAME], lambda: False, 0.0) as open_campaign:
        campaign = open_campaign(NAME)
        for _ in range(WARM_UP):
            run_cycle(campaign)
        for _ in range(CYCLES):
            mine_now(scene)
            with counted() as made:
                done, cpu_s, wall_s = cycle(campaign)
            if isinstance(done.decision, Plan):
                sys.exit("cycle: was to hold, and made a plan")
            cpu.append(cpu_s * 1000)
            wall.append(wall_s * 1000)
            trips.append(made.count)
    swaps = len(done.snapshot.flow.swaps) if done.snapshot.flow else 0
    say(f"CPU time of ours, {swaps} swaps in its history", f"{median(cpu)} ms", f"{GOAL_CPU_MS} ms")
    say("wall time", f"{median(wall)} ms", "")
    say("round trips, one of them for the head", str(max(trips)), str(GOAL_TRIPS))
    return [median(cpu) < GOAL_CPU_MS, max(trips) <= GOAL_TRIPS]


def fill(ledger: Ledger, scene: Scene) -> None:
    """Transactions long booked, and cycles that held, each as large as a real one."""
    chain_id, account = scene.backend.chain_id, scene.signer.address
    journal, diary = ledger.journal(chain_id), Diary(ledger.engine, NAME)
    call = Call(what="mint", to=account, data=bytes(700))
    purpose = Purpose(
        campaign=NAME, call=call, actions=(), deadline=0, decided_block=0, decided_at=0
    )
    for number in range(JOURNAL_ROWS // 5):
        tx_hash = f"0x{number:064x}"
        attempt = Attempt(
            tx_hash=tx_hash, raw=bytes(900), max_fee=1, tip=1, cancels=False, signed_at=0
        )
        intent = journal.signed(journal.plan(account, 0, purpose), attempt)
        included = Inclusion(
            tx_hash=tx_hash, block_number=number, block_hash=tx_hash, succeeded=True
        )
        intent = journal.note(intent, Status.MINED, included)
        intent = journal.note(intent, Status.FINAL)
        journal.note(intent, Status.BOOKED)
    held = diary.cycles()[-1]
    for _ in range(DIARY_ROWS):
        diary.write(held)


def seconds_to_ready(folder: Path) -> float:
    """From the start of the process to the end of its first cycle."""
    began = time.perf_counter()
    with subprocess.Popen(
        [Path(sys.executable).parent / "lpm", "run", "--live"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    ) as lpm:
        assert lpm.stderr is not None
        line = json.loads(lpm.stderr.readline())
        took = time.perf_counter() - began
        lpm.terminate()
    if (line["event"], line.get("decision")) != ("cycle", "hold"):
        sys.exit(f"cycle: the restarted run was to hold: {line}")
    return took


def measure_restarts(scene: Scene, folder: Path) -> list[bool]:
    """As `measure_cycles`."""
    ledger = Ledger.open(scene.settings.store)
    fill(ledger, scene)
    ledger.engine.dispose()
    took = []
    for _ in range(RESTARTS):
        mine_now(scene)
        took.append(seconds_to_ready(folder))
    store = f"{JOURNAL_ROWS:,} journal rows, {DIARY_ROWS} cycles"
    say(f"restart to ready, {store}", f"{median(took)} s", f"{GOAL_READY_S} s")
    return [median(took) < GOAL_READY_S]


def median(values: list[float]) -> float:
    return round(statistics.median(values), 2)


def say(what: str, found: str, goal: str) -> None:
    sys.stdout.write(f"{what:56} {found:>10} {goal and f'goal {goal}':>12}".rstrip() + "\n")


def main() -> None:
    began = int(time.time()) - HABITS.blocks * HABITS.block_time_s
    script = generated_script(HABITS, began)
    with tempfile.TemporaryDirectory() as name, new_chain(BackendName.ANVIL, script) as chain:
        job = Job(campaign=NAME, table=default_table(NAME), every_s=600, funds=DEFAULT_FUNDS)
        scene = new_scene(chain, Path(name), script, job)
        scene.market.advance_until(int(time.time()))
        say(f"a live cycle that holds, median of {CYCLES}", "", "")
        met = [*measure_cycles(scene), *measure_restarts(scene, Path(name))]
    if not all(met):
        sys.exit("cycle: a goal was missed")


main()
