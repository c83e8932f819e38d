"""What `lpm risk` of a live campaign takes, from its start to its end, on anvil.

Run: make bench. The campaign has placed its range. By the clock it also waits for anvil, and for
whatever else the machine does.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lpmanager.devnet.backend import Controls
from lpmanager.devnet.backend_names import BackendName
from lpmanager.devnet.flow_generated import Habits
from lpmanager.devnet.scenes import Job, Scene, new_chain, new_scene
from lpmanager.devnet.scripts import generated_script
from lpmanager.devnet.terms import DEFAULT_FUNDS, default_table

HABITS = Habits(seed=2, blocks=240, volatility=0.01)
RUNS, GOAL_S = 5, 5
LPM = Path(sys.executable).parent / "lpm"


def typed(scene: Scene, folder: Path, *words: str) -> tuple[float, float]:
    """Seconds that the command takes of CPU, and by the clock, on a chain whose newest block is of
    now, or a second after the one before: transactions mined at once are a second apart."""
    controls = Controls(scene.backend)
    controls.mine(max(int(time.time()), controls.node.head().timestamp + 1))
    cpu, clock = children_cpu_s(), time.perf_counter()
    done = subprocess.run([LPM, *words], cwd=folder, capture_output=True, text=True, check=False)
    took = children_cpu_s() - cpu, time.perf_counter() - clock
    if done.returncode:
        sys.exit(f"risk_live: lpm {' '.join(words)}: {done.stderr}")
    return took


def children_cpu_s() -> float:
    """Of processes that ended: anvil is not among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    began = int(time.time()) - HABITS.blocks * HABITS.block_time_s
    script = generated_script(HABITS, began)
    with tempfile.TemporaryDirectory() as name, new_chain(BackendName.ANVIL, script) as chain:
        job = Job(campaign="bench", table=default_table("bench"), every_s=600, funds=DEFAULT_FUNDS)
        scene, folder = new_scene(chain, Path(name), script, job), Path(name)
        scene.market.advance_until(int(time.time()))
        typed(scene, folder, "run", "--once", "--live")
        typed(scene, folder, "risk")
        took = [typed(scene, folder, "risk", "--json") for _ in range(RUNS)]
    cpu, clock = (statistics.median(column) for column in zip(*took, strict=True))
    met = "met" if cpu < GOAL_S else "MISSED"
    sys.stdout.write(
        f"lpm risk of a live campaign, median of {RUNS}; CPU: {cpu:.2f} s, under {GOAL_S}: {met}\n"
        f"the same by the clock: {clock:.2f} s\n"
    )


main()
