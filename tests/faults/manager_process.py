"""A manager in a process of its own, whose memory is nobody else's; it does what it is told."""

from __future__ import annotations

import gc
import os
import subprocess
from dataclasses import dataclass
from functools import partial
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import NamedTuple

from faults.fault_proxy import newest_time, upstream
from faults.lpm_process import forking
from faults.troubled_desk import Run, the_campaign
from faults.verdict import CYCLES_TO_RECOVER

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


@dataclass
class Wellbeing:
    """How the manager itself does, from cycle to cycle."""

    acted: int = 0
    troubled: int = 0
    troubled_on_end: int = 0

    def saw(self, went: Went, *, disturbed: bool) -> None:
        """A cycle during which something went wrong, or nothing did. Trouble may outlast what
        causes it, but not for long."""
        self.acted += went.acted
        self.troubled += went.in_trouble
        self.troubled_on_end = self.troubled_on_end + 1 if went.in_trouble and not disturbed else 0
        assert self.troubled_on_end < CYCLES_TO_RECOVER


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
                self._campaign = self._open()
            cycle = run_cycle(self._campaign)
        except ChainError:
            return Went(acted=False, in_trouble=True)
        stopped = cycle.outcome is not None and cycle.outcome.stopped is not None
        return Went(acted=not isinstance(cycle.decision, Hold), in_trouble=stopped)

    def _open(self) -> Campaign:
        return the_campaign(self._settings, self._ledger, self._clock, self._sending)

    def resident_kb(self) -> int:
        gc.collect()
        asked = ["ps", "-o", "rss=", "-p", str(os.getpid())]
        return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


class _Server(BaseManager):
    """The process where it lives."""


_Server.register("Manager", Manager)


class ManagerProcess:
    """A manager of a run's campaign. What it raises is raised here."""

    def __init__(self, run: Run, config: Path) -> None:
        url = run.stage.backend.rpc_url
        assert url is not None
        self._terms = config, url, run.sending
        self._start()

    def _start(self) -> None:
        self._server = _Server(ctx=forking())
        self._server.start()
        self._manager = self._server.Manager(*self._terms)  # type: ignore[attr-defined]

    def restart(self) -> None:
        """Go on in a new process, with nothing but the store."""
        self.close()
        self._start()

    def close(self) -> None:
        self._server.shutdown()

    def cycle(self) -> Went:
        went: Went = self._manager.cycle()
        return went

    def resident_kb(self) -> int:
        """Memory of the process, by the system."""
        kb: int = self._manager.resident_kb()
        return kb
