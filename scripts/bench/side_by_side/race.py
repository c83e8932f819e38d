"""Runs engines side by side: each in a process of its own, one round of each in turn."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

from side_by_side.peers import PeerAbsent

BENCH = Path(__file__).resolve().parents[1]
#: Not counted: the engines' compilers get going, and the rows are compared.
WARM_UP_ROUNDS = 3


class Contestant(NamedTuple):
    """An engine: its key in the results, what people read, and what runs it on a workload's file.

    `command` raises PeerAbsent.
    """

    key: str
    label: str
    command: Callable[[Path], list[str | Path]]


class Ran(NamedTuple):
    """What one engine did: its counted rounds in seconds, and what it said of its first round.

    `digests` has one entry where every round ended the same. `fee_growth` is the pool's in the
    end, None where the engine keeps none.
    """

    seconds: tuple[float, ...]
    digests: frozenset[str]
    rows: list[list[str]]
    fee_growth: list[str] | None


class Race(NamedTuple):
    """The engines that ran, and why the others could not be had, by key."""

    ran: Mapping[str, Ran]
    absent: Mapping[str, str]


def race(everyone: Sequence[Contestant], workload: Path, rounds: int) -> Race:
    """Let everyone who can be had carry out the workload `rounds` times, in turn."""
    running: dict[str, _Engine] = {}
    first: dict[str, dict[str, Any]] = {}
    absent: dict[str, str] = {}
    with ExitStack() as stack:
        for contestant in everyone:
            try:
                engine = stack.enter_context(_started(contestant.command(workload)))
                engine.hear()
                first[contestant.key] = engine.ask("rows")
                running[contestant.key] = engine
            except PeerAbsent as reason:
                absent[contestant.key] = str(reason)
        for _ in range(WARM_UP_ROUNDS - 1):
            for engine in running.values():
                engine.ask("round")
        answers = [
            {key: engine.ask("round") for key, engine in running.items()} for _ in range(rounds)
        ]
    return Race({key: _ran(first[key], [a[key] for a in answers]) for key in running}, absent)


def _ran(first: dict[str, Any], counted: list[dict[str, Any]]) -> Ran:
    return Ran(
        tuple(answer["seconds"] for answer in counted),
        frozenset(answer["digest"] for answer in (first, *counted)),
        first["rows"],
        first["fee_growth"],
    )


@contextmanager
def _started(command: Sequence[str | Path]) -> Iterator[_Engine]:
    environment = os.environ | {"PYTHONPATH": str(BENCH)}
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            env=environment,
        ) as process,
    ):
        yield _Engine(process, complaints)


class _Engine(NamedTuple):
    """A process that answers rounds on its standard output; see serving.py."""

    process: subprocess.Popen[str]
    complaints: IO[str]

    def ask(self, request: str) -> dict[str, Any]:
        """One round."""
        assert self.process.stdin is not None
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """The next line it says. Raises PeerAbsent with its last complaint where it ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.complaints.seek(0)
            said = [text for text in self.complaints.read().splitlines() if text.strip()]
            raise PeerAbsent(said[-1] if said else "it ended without a word")
        answer: dict[str, Any] = json.loads(line)
        return answer
