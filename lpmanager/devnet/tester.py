"""eth-tester as a devnet: py-evm in this process. Slow, but it needs nothing outside Python."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from eth_utils.address import to_checksum_address

from lpmanager.chain.transport import Transport
from lpmanager.devnet.backend import CHAIN_ID
from lpmanager.devnet.tester_chain import EthTesterChain
from lpmanager.devnet.tester_rpc import EthTesterTransport


class EthTesterBackend:
    """A chain in this process. Nothing outside can reach it, so it has no RPC URL."""

    name = "eth-tester"
    chain_id = CHAIN_ID
    rpc_url: str | None = None

    def __init__(self, genesis_timestamp: int) -> None:
        chain = EthTesterChain(genesis_timestamp)
        accounts = (to_checksum_address(account) for account in chain.accounts)
        self.accounts: tuple[str, ...] = tuple(accounts)
        self.transport: Transport = EthTesterTransport(chain)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing to end: the chain goes with the object."""
