"""Everything that must be right before money moves, looked at one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from lpmanager.desk.nodes import open_node
from lpmanager.doctor.campaign import look_at_campaign
from lpmanager.doctor.chain import look_at_chain
from lpmanager.doctor.check import Check
from lpmanager.doctor.machine import look_at_machine
from lpmanager.errors import StoreError
from lpmanager.ledger.store import Ledger
from lpmanager.settings import Settings

__all__ = ["Check", "examine"]


def examine(settings: Settings, names: Sequence[str], clock: Callable[[], int]) -> list[Check]:
    """Look at the machine, then the chains, then the campaigns. Nothing is signed, and nothing is
    left on the disk."""
    chains = {settings.chain_of(name).name: settings.chain_of(name) for name in names}
    checks = [*look_at_machine(settings, names, list(chains.values()))]
    reached: set[str] = set()
    for chain in chains.values():
        found = list(look_at_chain(settings, chain, clock))
        checks += found
        if all(check.passed for check in found if check.needed):
            reached.add(chain.name)
    with ExitStack() as at_last:
        copy = _copy_of_books(settings)
        if copy is not None:
            at_last.callback(copy.engine.dispose)
        for name in names:
            chain = settings.chain_of(name)
            if chain.name in reached:
                node = open_node(settings, chain, clock)
                checks += look_at_campaign(settings, name, node, clock, copy)
    return checks


def _copy_of_books(settings: Settings) -> Ledger | None:
    try:
        return Ledger.read(settings.store)
    except StoreError:
        return None  # the check of the database tells of it
