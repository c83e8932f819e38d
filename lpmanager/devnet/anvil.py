"""anvil as a devnet: a process of ours on a free loopback port."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO, Self

from eth_utils.address import to_checksum_address

from lpmanager.chain.node import Node, Question, chain_id_question
from lpmanager.chain.transport import HttpTransport, Transport
from lpmanager.chain.urls import quoted
from lpmanager.devnet.backend import (
    ACCOUNT_BALANCE,
    ACCOUNT_COUNT,
    BLOCK_GAS_LIMIT,
    CHAIN_ID,
    MNEMONIC,
)
from lpmanager.devnet.npm import anvil_binary
from lpmanager.devnet.process import start_tied, stop_tied
from lpmanager.errors import ChainError, RpcUnavailable
from lpmanager.foreign_words import in_one_line

_HOST = "127.0.0.1"
_START_TIMEOUT_S = 60.0
_POLL_S = 0.02
_ATTEMPTS = 3

#: What anvil calls the chain it forks: the URL, with its key, is in the environment.
_ORIGIN = "lpm_origin"

#: Blocks whose state can be read, as on a full node. Without a bound anvil writes the state of
#: every block to the home directory, gigabytes for a recorded day, and leaves it there.
_STATES_KEPT = 128

#: A batch of a busy block, or a fork's first reads, may take a while on a loaded machine.
_ANSWER_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A new chain whose first block has this time, in Unix seconds."""

    genesis_timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A private copy of another chain, as of `block` (None: its newest). Keeps its chain id."""

    url: str = field(repr=False)
    block: int | None


class AnvilBackend:
    """An anvil that lives as long as the `with` block, and never longer than this process.

    Its URL, accounts and transport are there inside the block. Entering raises ChainError where
    anvil does not start, and ConfigError where it is not installed.
    """

    name = "anvil"

    def __init__(self, origin: Fresh | Fork) -> None:
        self._origin = origin
        self._running = ExitStack()

    def __enter__(self) -> Self:
        for attempt in range(1, _ATTEMPTS + 1):
            with ExitStack() as starting, tempfile.TemporaryFile() as output:
                said = self._start(starting, output)
                if said is None:
                    self._introduce()
                    self._running = starting.pop_all()
                    return self
            # Somebody else may have taken the port since we looked.
            if attempt == _ATTEMPTS or "in use" not in said:
                break
        raise ChainError(f"anvil did not start: {_without_secrets(said, self._origin)}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()

    def _start(self, starting: ExitStack, output: IO[bytes]) -> str | None:
        """Start one anvil; what it said last where it ended, or None where it answers."""
        port = _free_port()
        process = start_tied(_command(self._origin, port), output, _secrets(self._origin))
        starting.callback(stop_tied, process)
        self.rpc_url: str | None = f"http://{_HOST}:{port}"
        self.transport: Transport = HttpTransport(self.rpc_url, _ANSWER_TIMEOUT_S)
        return None if _answers(process, self.transport) else _said(output)

    def _introduce(self) -> None:
        ask = Node(self.transport, CHAIN_ID).ask
        self.chain_id = ask(chain_id_question())
        self.accounts = ask(Question("eth_accounts", [], _addresses))
        ask(Question("anvil_setBlockTimestampInterval", [1], lambda value: value))


def _command(origin: Fresh | Fork, port: int) -> list[str]:
    command = [
        str(anvil_binary()),
        *("--host", _HOST),
        *("--port", str(port)),
        *("--mnemonic", MNEMONIC),
        *("--accounts", str(ACCOUNT_COUNT)),
        *("--balance", str(ACCOUNT_BALANCE)),
        *("--gas-limit", str(BLOCK_GAS_LIMIT)),
        *("--prune-history", str(_STATES_KEPT)),
        "--quiet",
    ]
    if isinstance(origin, Fresh):
        command += ["--chain-id", str(CHAIN_ID), "--hardfork", "prague"]
        command += ["--timestamp", str(origin.genesis_timestamp)]
    else:
        command += ["--fork-url", _ORIGIN, "--no-storage-caching"]
        if origin.block is not None:
            command += ["--fork-block-number", str(origin.block)]
    return command


def _secrets(origin: Fresh | Fork) -> dict[str, str]:
    if isinstance(origin, Fresh):
        return {}
    return {"FOUNDRY_RPC_ENDPOINTS": f"{{{_ORIGIN}={json.dumps(origin.url)}}}"}


def _answers(process: subprocess.Popen[bytes], transport: Transport) -> bool:
    """Whether the process answers; False where it ended instead."""
    give_up = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < give_up:
        try:
            transport.request_many([("eth_chainId", [])])
        except RpcUnavailable:
            time.sleep(_POLL_S)
            continue
        return process.poll() is None
    return False


def _said(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode("utf-8", "replace")


def _without_secrets(said: str | None, origin: Fresh | Fork) -> str:
    """What anvil said; the URL of a fork may hold an API key."""
    if not said:
        return "it said nothing"
    return quoted(said, origin.url) if isinstance(origin, Fork) else in_one_line(said)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _addresses(values: list[str]) -> tuple[str, ...]:
    return tuple(to_checksum_address(value) for value in values)
