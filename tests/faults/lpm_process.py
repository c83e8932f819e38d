"""`lpm` in processes of their own that start at once: what it imports is imported beforehand."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from live_desk import Done, surroundings

_BEFOREHAND = [
    "lpmanager.cli.main",
    "lpmanager.account_lock",
    "lpmanager.desk.campaigns",
    "lpmanager.cycle",
    "lpmanager.scheduler",
    "lpmanager.doctor",
    "lpmanager.ledger.store",
    "lpmanager.devnet.anvil",
    "lpmanager.devnet.configuration",
    "lpmanager.devnet.deploy",
    "lpmanager.devnet.flow_generated",
    "lpmanager.devnet.market",
    "alembic.runtime.migration",
    "http.server",
]


def forking() -> ForkServerContext:
    """Starts processes at once, all of them with these modules."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_BEFOREHAND)
    return context


def _nothing() -> None:
    return


class LpmProcess:
    """`lpm ...`, started in a folder without a terminal; `typed` is piped in, what it says goes to
    files in `said`. `beforehand` is called in the process first."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        said: Path,
        typed: str = "",
        variables: Mapping[str, str] | None = None,
        beforehand: Callable[[], None] = _nothing,
    ) -> None:
        self._said = said / "stdout", said / "stderr"
        (said / "stdin").write_text(typed)
        self._process: ForkServerProcess = forking().Process(
            target=_type,
            args=(folder, arguments, said, surroundings(variables or {}), beforehand),
        )

    def start(self) -> None:
        self._process.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def told(self) -> str:
        """What it has said so far beside its output."""
        _, err = self._said
        return err.read_text() if err.exists() else ""

    def kill(self) -> None:
        self._process.kill()
        self._process.join()

    def wait(self, timeout_s: float = 120.0) -> Done:
        """How it ended."""
        self._process.join(timeout_s)
        code = self._process.exitcode
        assert code is not None, "it did not end"
        out, err = (path.read_text() for path in self._said)
        return Done(code, out, err)


def _type(
    folder: Path,
    arguments: tuple[str, ...],
    said: Path,
    environment: dict[str, str],
    beforehand: Callable[[], None],
) -> None:
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, str(folder))  # as for `python -m`
    streams = (said / "stdin").open("r"), (said / "stdout").open("w"), (said / "stderr").open("w")
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = streams
    sys.argv = ["lpm", *arguments]
    from lpmanager.cli.main import main

    beforehand()
    main()
