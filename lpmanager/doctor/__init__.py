"""Everything that must be right before money moves, looked at one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lpmanager.desk.nodes import open_node
from lpmanager.doctor.campaign import look_at_campaign
from lpmanager.doctor.chain import look_at_chain
from lpmanager.doctor.check import Check
from lpmanager.doctor.machine import look_at_machine
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
    for name in names:
        chain = settings.chain_of(name)
        if chain.name in reached:
            node = open_node(settings, chain, clock)
            checks += look_at_campaign(settings, name, node, clock)
    return checks
