"""The programs that can run an embedded chain, by name. Imports nothing, for quick commands."""

from __future__ import annotations

from enum import StrEnum


class BackendName(StrEnum):
    """anvil is a process of its own; eth-tester runs in ours."""

    ANVIL = "anvil"
    ETH_TESTER = "eth-tester"
