"""A manager on an embedded chain, who runs a campaign there as one would on a real chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lpmanager.chain.node import Node
from lpmanager.cycle import Campaign
from lpmanager.desk.campaigns import open_campaign
from lpmanager.desk.markets import open_market
from lpmanager.desk.signing import open_custody
from lpmanager.devnet.backend import Backend
from lpmanager.execution.fees import FeePolicy
from lpmanager.execution.moves import Pace
from lpmanager.execution.sender import SendPolicy
from lpmanager.execution.signer import Signer, signer_from_clear_key
from lpmanager.ledger.store import Ledger
from lpmanager.settings import Settings

#: Of the third dev account; the first deploys, the second trades. Warning: the key is public.
MANAGER_KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"

#: The chain mines what it is sent at once, so there is no block to wait for.
_PACE = SendPolicy(
    timeout_s=60.0,
    poll_s=0.002,
    confirmations=1,
    fees=FeePolicy(cap=10**12),
    pace=Pace(bump_after_s=60),
)


def dev_manager() -> Signer:
    """The manager on a new chain."""
    return signer_from_clear_key(MANAGER_KEY, devnet=True)


@contextmanager
def hire(
    backend: Backend,
    settings: Settings,
    name: str,
    signer: Signer,
    stop_asked: Callable[[], bool],
) -> Iterator[Campaign]:
    """The campaign of these settings, wired to the embedded chain and able to sign, while the
    `with` block lasts.

    Its clock is the chain's: block time is the only time in a simulation. Raises as `open_market`.
    """
    node = Node(backend.transport, backend.chain_id)
    market = open_market(settings, name, node, lambda: node.head().timestamp)
    ledger = Ledger.open(settings.store)
    custody = open_custody(name, market, ledger, signer, _PACE, stop_asked)
    try:
        yield open_campaign(settings, name, market, ledger, custody)
    finally:
        ledger.engine.dispose()
