"""A manager in a process of its own, whose memory is nobody else's; it does what it is told."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import NamedTuple

from faults.fault_proxy import newest_time, upstream
from faults.lpm_process import forking
from faults.troubled_desk import Run, the_campaign

from lpmanager.chain import providers
from lpmanager.config import load
from lpmanager.cycle import Campaign, run_cycle
from lpmanager.errors import ChainError
from lpmanager.execution.sender import SendPolicy
from lpmanager.ledger.store import Ledger
from lpmanager.model import Hold

_PAUSE_S = 0.01


class Went(NamedTuple):
    """How a cycle went: whether it carried a plan out, and whether it met with trouble."""

    acted: bool
    in_trouble: bool


class Manager:
    """One campaign, kept open from cycle to cycle as the timetable keeps it."""

    def __init__(self, config: Path, node_url: str, sending: SendPolicy) -> None:
        providers._FIRST_PAUSE_S = providers._JITTER_S = _PAUSE_S
        self._settings, self._sending = load(config), sending
        self._node = upstream(node_url)
        self._clock = partial(newest_time, self._node.__enter__())
        self._ledger = Ledger.open(self._settings.store)
        self._campaign: Campaign | None = None

    def cycle(self) -> Went:
        """As the timetable makes it: what cannot be opened now is tried again with the next."""
        try:
            if self._campaign is None:
                self._campaign = the_campaign(
                    self._settings, self._ledger, self._clock, self._sending
                )
            cycle = run_cycle(self._campaign)
        except ChainError:
            return Went(acted=False, in_trouble=True)
        stopped = cycle.outcome is not None and cycle.outcome.stopped is not None
        return Went(acted=not isinstance(cycle.decision, Hold), in_trouble=stopped)

    def restart(self) -> None:
        """Go on as a new process does, with nothing but the store."""
        self._ledger.engine.dispose()
        self._ledger, self._campaign = Ledger.open(self._settings.store), None

    def resident_kb(self) -> int:
        """Memory of the process, by the system."""
        gc.collect()
        asked = ["ps", "-o", "rss=", "-p", str(os.getpid())]
        return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


class _Process(BaseManager):
    """Where it lives."""


_Process.register("Manager", Manager)


@contextmanager
def a_manager(run: Run, config: Path) -> Iterator[Manager]:
    """A manager of the run's campaign. What it raises is raised here."""
    url = run.stage.backend.rpc_url
    assert url is not None
    with _Process(ctx=forking()) as process:
        yield process.Manager(config, url, run.sending)  # type: ignore[attr-defined]
