"""A million swaps on the deployed pools and on ours, compared one by one.

    .venv/bin/python tests/differential/fuzz.py [--swaps N] [--seed N] [--jobs N]

Between swaps come mints, burns and everything else; batches of the swaps go through the compiled
engine as well. Prints the number of mismatches, and ends with 1 where there is one: the steps that
lead to it are cut down and written to regressions/, where the test suite finds them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from random import Random

from amm_contracts import SPACINGS, Contracts
from evm_backends import fastest_evm, has_pyrevm
from hard_steps import KINDS, TIMESTAMPS, HardSteps
from pool_cases import REGRESSIONS, case_text
from pool_operations import Step, Swap, Wait
from pool_outcomes import Mismatch
from pool_twins import Twins

#: Swaps on one pool before the next begins.
SWAPS_PER_POOL = 2_000
#: Words of the bitmap that a swap may walk where nothing else stops it.
WORDS = 20 if has_pyrevm() else 3
#: Steps after which ticks and positions that were not touched are compared too.
STEPS_TO_WHOLE = 250
#: The most swaps, and the most other steps, in a row.
SWAPS_IN_A_ROW = 40
OTHERS_IN_A_ROW = 5
#: How long one failure is cut down.
SHORTEN_S = 120.0

_SWAPS = tuple(kind for kind in KINDS if kind.startswith("swap") and kind != "swap_nonsense")
_OTHERS = tuple(kind for kind in KINDS if kind not in _SWAPS)
_BEGINNING = ("initialize", "increase_observations", "mint_across_everything", "mint", "mint")


@dataclass
class Life:
    """One pool's life. `failure` is a file for regressions/, None where all was equal."""

    number: int
    swaps: int = 0
    operations: int = 0
    failure: str | None = None


def live(seed: int, number: int, swaps: int) -> Life:
    """Put one pair of pools through `swaps` swaps; the same arguments give the same life."""
    life = Life(number)
    dice = Random(f"{seed} {number}")
    fee_pips = list(SPACINGS)[number % len(SPACINGS)]
    twins = Twins(contracts(), fee_pips, dice.choice(TIMESTAMPS))
    pick = HardSteps(twins, dice, WORDS)
    try:
        for kind in _BEGINNING:
            _take(life, twins, getattr(pick, kind)())
        while life.swaps < swaps:
            for _ in range(dice.randint(0, OTHERS_IN_A_ROW)):
                _take(life, twins, getattr(pick, dice.choice(_OTHERS))())
            for _ in range(min(dice.randint(1, SWAPS_IN_A_ROW), swaps - life.swaps)):
                _take(life, twins, getattr(pick, dice.choice(_SWAPS))())
        twins.require_equal()
    except Mismatch as mismatch:
        steps = shortened(twins.history, fee_pips, twins.timestamp, SHORTEN_S)
        why = f"fuzz.py --seed {seed}, pool {number}: {mismatch}"
        life.failure = case_text(why, fee_pips, twins.timestamp, steps)
    return life


def _take(life: Life, twins: Twins, step: Step) -> None:
    outcome = twins.do_quickly(step)
    life.operations += not isinstance(step, Wait)
    life.swaps += isinstance(step, Swap) and outcome.reverts is None
    if len(twins.history) % STEPS_TO_WHOLE == 0:
        twins.require_equal()


def shortened(
    steps: Sequence[Step], fee_pips: int, timestamp: int, seconds: float
) -> Sequence[Step]:
    """As few of the steps as still fail, found by leaving out ever smaller parts of them.

    Stops after `seconds`. All of them where a second run does not fail.
    """
    give_up = time.monotonic() + seconds
    size = len(steps) // 2 if fails(steps, fee_pips, timestamp) else 0
    while size:
        at = 0
        while at < len(steps) and time.monotonic() < give_up:
            fewer = [*steps[:at], *steps[at + size :]]
            if fails(fewer, fee_pips, timestamp):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps


def fails(steps: Sequence[Step], fee_pips: int, timestamp: int) -> bool:
    """Whether the steps lead to a mismatch."""
    twins = Twins(contracts(), fee_pips, timestamp)
    try:
        for step in steps:
            twins.do(step)
        twins.require_equal()
    except Mismatch:
        return True
    except ValueError:
        # A loan that the pool cannot give without the steps that were left out.
        return False
    return False


@cache
def contracts() -> Contracts:
    """This process's chain."""
    return Contracts(fastest_evm())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 1 where there is a mismatch, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--swaps", type=_positive, default=1_000_000, help="default: 1000000")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same run")
    parser.add_argument("--jobs", type=_positive, default=2, help="processes; default: 2")
    asked = parser.parse_args(arguments)
    # Not a fork: the runner of the tests has threads.
    with ProcessPoolExecutor(asked.jobs, mp_context=get_context("spawn")) as processes:
        lives = _lives(processes, asked.seed, asked.swaps)
        return report(lives, asked.swaps, f"fuzz-{asked.seed}", REGRESSIONS)


def report(lives: Iterable[Life], swaps: int, name: str, folder: Path) -> int:
    """Tell how it goes and how it ended, and write failures to files; 1 where there is one."""
    started = time.monotonic()
    done = operations = failures = 0
    for life in lives:
        done += life.swaps
        operations += life.operations
        if life.failure is not None:
            failures += 1
            path = folder / f"{name}-{life.number}.json"
            path.write_text(life.failure)
            sys.stderr.write(f"\na mismatch, kept in {path.parent.name}/{path.name}\n")
        sys.stderr.write(f"\r{done:,} of {swaps:,} swaps, {failures} mismatches")
        sys.stderr.flush()
    rate = done / (time.monotonic() - started)
    sys.stderr.write("\n")
    sys.stdout.write(
        f"{operations:,} operations, {done:,} of them swaps, {failures} mismatches; "
        f"{rate:,.0f} swaps/s\n"
    )
    return 1 if failures else 0


def _lives(processes: ProcessPoolExecutor, seed: int, swaps: int) -> Iterator[Life]:
    """Lives as they end, until all swaps are done: at least one of each tier where there are."""
    each = min(SWAPS_PER_POOL, -(-swaps // len(SPACINGS)))
    whole, rest = divmod(swaps, each)
    quotas = [each] * whole + [rest] * (rest > 0)
    futures = [processes.submit(live, seed, number, quota) for number, quota in enumerate(quotas)]
    for future in as_completed(futures):
        yield future.result()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, found {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())
