"""An in-process EVM that runs contracts: pyrevm where it has a wheel, py-evm elsewhere.

Both keep time still until told, and both go back to a snapshot at no cost, so one deployment serves
thousands of pools.
"""

from __future__ import annotations

import importlib.util
import re
from typing import Any, Protocol

SENDER = "0x" + "11" * 20
#: Far more than the longest walk over empty ticks takes.
GAS = 10**12
#: Well above the precompiled contracts.
_FIRST_ADDRESS = 0xC0DE_0000

_REVERTED = re.compile(r"Revert \{ gas_used: \d+, output: 0x([0-9a-f]*) \}")


class Reverted(Exception):
    """A call reverted; `data` is what it returned instead."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"the call reverted with 0x{data.hex()}")
        self.data = data


class Evm(Protocol):
    """A chain of one block, whose time is set by hand. Everything is sent by SENDER."""

    name: str

    def deploy(self, creation: bytes) -> str:
        """Create a contract; its address in lower-case hex."""

    def call(self, to: str, data: bytes) -> bytes:
        """Call a contract and keep the change. Raises Reverted."""

    def set_time(self, timestamp: int) -> None:
        """The block's time, in Unix seconds, until it is set again."""

    def snapshot(self) -> Any:
        """A mark to go back to once, by `revert`. The time is no part of it."""

    def revert(self, mark: Any) -> None:
        """Undo everything since the mark."""


def has_pyrevm() -> bool:
    """Whether pyrevm is installed: it has no wheel for the newest Pythons."""
    return importlib.util.find_spec("pyrevm") is not None


def fastest_evm() -> Evm:
    """pyrevm where there is one, else py-evm, about a hundred times slower."""
    return Revm() if has_pyrevm() else PyEvm()


class Revm:
    """revm, compiled."""

    name = "pyrevm"

    def __init__(self) -> None:
        import pyrevm

        self._block_env = pyrevm.BlockEnv
        self._evm = pyrevm.EVM(gas_limit=GAS)
        self._evm.set_balance(SENDER, 10**30)

    def deploy(self, creation: bytes) -> str:
        address: str = self._evm.deploy(SENDER, creation)
        return address.lower()

    def call(self, to: str, data: bytes) -> bytes:
        try:
            answer: bytes = self._evm.message_call(SENDER, to, calldata=data)
        except RuntimeError as error:
            reverted = _REVERTED.fullmatch(str(error))
            if reverted is None:
                raise
            raise Reverted(bytes.fromhex(reverted[1])) from None
        return answer

    def set_time(self, timestamp: int) -> None:
        self._evm.set_block_env(self._block_env(timestamp=timestamp))

    def snapshot(self) -> Any:
        return self._evm.snapshot()

    def revert(self, mark: Any) -> None:
        self._evm.revert(mark)


class PyEvm:
    """The interpreter of eth-tester, given messages without transactions or blocks around them."""

    name = "py-evm"

    def __init__(self) -> None:
        from eth.constants import BLANK_ROOT_HASH
        from eth.db.atomic import AtomicDB
        from eth.vm.execution_context import ExecutionContext
        from eth.vm.forks.shanghai.state import ShanghaiState
        from eth.vm.message import Message

        self._context = ExecutionContext
        self._message = Message
        self._sender = bytes.fromhex(SENDER[2:])
        self._state = ShanghaiState(AtomicDB(), self._block(1), BLANK_ROOT_HASH)
        self._deployed = 0

    def deploy(self, creation: bytes) -> str:
        from eth.constants import CREATE_CONTRACT_ADDRESS

        self._deployed += 1
        address = (_FIRST_ADDRESS + self._deployed).to_bytes(20, "big")
        message = self._message(
            GAS, CREATE_CONTRACT_ADDRESS, self._sender, 0, b"", creation, create_address=address
        )
        self._carry_out(self._state.computation_class.apply_create_message, message)
        return "0x" + address.hex()

    def call(self, to: str, data: bytes) -> bytes:
        address = bytes.fromhex(to[2:])
        code = self._state.get_code(address)
        message = self._message(GAS, address, self._sender, 0, data, code)
        return self._carry_out(self._state.computation_class.apply_message, message)

    def set_time(self, timestamp: int) -> None:
        self._state.execution_context = self._block(timestamp)

    def snapshot(self) -> Any:
        return self._state.snapshot()

    def revert(self, mark: Any) -> None:
        self._state.revert(mark)

    def _block(self, timestamp: int) -> Any:
        return self._context(
            coinbase=bytes(20),
            timestamp=timestamp,
            block_number=1,
            difficulty=0,
            mix_hash=bytes(32),
            gas_limit=GAS,
            prev_hashes=(),
            chain_id=1,
            base_fee_per_gas=0,
        )

    def _carry_out(self, apply: Any, message: Any) -> bytes:
        context = self._state.get_transaction_context_class()(gas_price=0, origin=self._sender)
        done = apply(self._state, message, context)
        if done.is_success:
            return bytes(done.output)
        if type(done.error).__name__ != "Revert":
            raise done.error
        raise Reverted(bytes(done.output))
