"""The chain inside the eth-tester backend: py-evm, with times that we set.

eth-tester builds the chain (genesis, accounts, keys). Blocks are mined here, because eth-tester
itself takes the time from the wall clock and searches receipts block by block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth.abc import (
    BlockAPI,
    BlockHeaderAPI,
    ComputationAPI,
    MiningChainAPI,
    ReceiptAPI,
    SignedTransactionAPI,
    StateAPI,
    VirtualMachineAPI,
)
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.estimators.gas import binary_gas_search
from eth.exceptions import PyEVMError
from eth.vm.spoof import SpoofTransaction
from eth_keys.datatypes import PrivateKey
from eth_tester.backends.pyevm.main import PyEVMBackend
from eth_typing import Address
from eth_utils.currency import to_wei
from rlp.exceptions import RLPException

from lpmanager.devnet.backend import (
    ACCOUNT_BALANCE,
    ACCOUNT_COUNT,
    BLOCK_GAS_LIMIT,
    CHAIN_ID,
    MNEMONIC,
)

#: Wei per gas that a transaction offers for its place, where its sender names nothing.
TIP = 10**9

#: How far above the least gas that works an estimate may be.
_GAS_TOLERANCE = 20_000

#: So that the first block's base fee is one gwei, as anvil's is: an empty parent takes an eighth.
_GENESIS_BASE_FEE = 1_142_857_142

_HD_PATH = "m/44'/60'/0'/0"


class TransactionRefused(Exception):
    """The chain does not accept a transaction; the message is what a node would say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """A call, or a transaction before it is signed. `to` empty creates a contract."""

    sender: Address
    to: Address
    data: bytes
    value: int
    gas: int
    nonce: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedBlock:
    """A block and the receipts of its transactions, in order."""

    block: BlockAPI
    receipts: tuple[ReceiptAPI, ...]


def base_fee(header: BlockHeaderAPI) -> int:
    """Wei per gas that a block burns. ValueError for a block from before there was one."""
    if header.base_fee_per_gas is None:
        raise ValueError("the block has no base fee")
    return header.base_fee_per_gas


class EthTesterChain:
    """Mines what it is given, when it is told, and runs calls on any of its blocks."""

    def __init__(self, genesis_timestamp: int) -> None:
        parameters = PyEVMBackend.generate_genesis_params(
            {"timestamp": genesis_timestamp, "gas_limit": BLOCK_GAS_LIMIT}
        )
        parameters["base_fee_per_gas"] = _GENESIS_BASE_FEE
        backend = PyEVMBackend.from_mnemonic(
            MNEMONIC,
            genesis_state_overrides={"balance": to_wei(ACCOUNT_BALANCE, "ether")},
            num_accounts=ACCOUNT_COUNT,
            genesis_parameters=parameters,
            hd_path=_HD_PATH,
        )
        self._chain: MiningChainAPI = backend.chain
        # The chain's class is made for this one chain, so this changes no other.
        type(self._chain).chain_id = CHAIN_ID
        self._keys: dict[Address, PrivateKey] = {
            Address(key.public_key.to_canonical_address()): key for key in backend.account_keys
        }
        self.blocks = [MinedBlock(block=self._chain.get_canonical_block_by_number(0), receipts=())]
        self._waiting: list[SignedTransactionAPI] = []

    @property
    def accounts(self) -> tuple[Address, ...]:
        """The accounts whose keys the chain holds."""
        return tuple(self._keys)

    def nonce_to_come(self, account: Address) -> int:
        """The nonce of an account's next transaction, those that wait counted."""
        waiting = sum(transaction.sender == account for transaction in self._waiting)
        return self._chain.get_vm().state.get_nonce(account) + waiting

    def sign(self, message: Unsigned) -> SignedTransactionAPI:
        """A dev account's transaction, paying today's base fee and a fixed tip."""
        if message.sender not in self._keys:
            raise TransactionRefused("No Signer available")
        nonce = message.nonce if message.nonce is not None else self.nonce_to_come(message.sender)
        builder = self._chain.get_vm().get_transaction_builder()
        unsigned = builder.new_unsigned_dynamic_fee_transaction(  # type: ignore[attr-defined]
            chain_id=CHAIN_ID,
            nonce=nonce,
            max_priority_fee_per_gas=TIP,
            max_fee_per_gas=2 * self.base_fee_to_come + TIP,
            gas=message.gas,
            to=message.to,
            value=message.value,
            data=message.data,
            access_list=(),
        )
        signed: SignedTransactionAPI = unsigned.as_signed_transaction(self._keys[message.sender])
        return signed

    def decode(self, raw: bytes) -> SignedTransactionAPI:
        """A transaction from its signed bytes. ValueError where they are none."""
        try:
            return self._chain.get_vm().get_transaction_builder().decode(raw)
        except (RLPException, PyEVMError, IndexError) as error:
            raise ValueError("the bytes are no signed transaction") from error

    @property
    def base_fee_to_come(self) -> int:
        """Wei per gas that the next block burns."""
        return base_fee(self._chain.header)

    def add(self, transaction: SignedTransactionAPI) -> None:
        """Let a transaction wait for the next block; TransactionRefused where it is not valid.

        Warning: a nonce too high is refused; a real node would keep it until the gap closes.
        """
        state = self._chain.get_vm().state
        expected = self.nonce_to_come(transaction.sender)
        cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
        if transaction.chain_id not in (None, CHAIN_ID):
            raise TransactionRefused("invalid chain id")
        if transaction.nonce < expected:
            raise TransactionRefused("nonce too low")
        if transaction.nonce > expected:
            raise TransactionRefused("nonce too high: this devnet keeps no gaps")
        if cost > state.get_balance(transaction.sender):
            raise TransactionRefused("Insufficient funds for gas * price + value")
        if transaction.max_fee_per_gas < self.base_fee_to_come:
            raise TransactionRefused("max fee per gas less than block base fee")
        if transaction.gas < transaction.intrinsic_gas:
            raise TransactionRefused("intrinsic gas too low")
        if transaction.gas > BLOCK_GAS_LIMIT:
            raise TransactionRefused("intrinsic gas too high -- exceeds the block's limit")
        self._waiting.append(transaction)

    def mine(self, timestamp: int) -> MinedBlock:
        """Mine one block with all that waits. ValueError unless it is later than its parent."""
        parent = self.blocks[-1].block.header
        if timestamp <= parent.timestamp:
            raise ValueError(
                f"Timestamp error: {timestamp} is lower than previous block's timestamp"
            )
        self._chain.set_header_timestamp(timestamp)
        transactions, self._waiting = self._waiting, []
        result, receipts, _ = self._chain.mine_all(transactions)
        mined = MinedBlock(block=result.imported_block, receipts=tuple(receipts))
        self.blocks.append(mined)
        return mined

    def balance(self, account: Address, number: int) -> int:
        """Wei an account holds after a block."""
        return self._vm(number).state.get_balance(account)

    def nonce(self, account: Address, number: int) -> int:
        """An account's nonce after a block."""
        return self._vm(number).state.get_nonce(account)

    def code(self, account: Address, number: int) -> bytes:
        """The code at an address after a block."""
        return self._vm(number).state.get_code(account)

    def call(self, message: Unsigned, number: int) -> ComputationAPI:
        """Run a message after a block and forget what it did. Gas costs nothing."""
        return self._free_state(number).costless_execute_transaction(self._spoofed(message, number))

    def estimate_gas(self, message: Unsigned, number: int) -> int:
        """Gas that is enough for a message. eth.exceptions.VMError where none is."""
        estimate: int = binary_gas_search(
            self._free_state(number), self._spoofed(message, number), _GAS_TOLERANCE
        )
        return estimate

    def _free_state(self, number: int) -> StateAPI:
        """A block's own time and state, to be thrown away, where gas costs nothing.

        py-evm's `in_costless_state` would run in a block to come, at the wall clock's time.
        """
        header = self.blocks[number].block.header
        vm: Any = self._chain.get_vm(header)
        state: StateAPI = vm.build_state(
            vm.chaindb.db, header.copy(base_fee_per_gas=0), vm.chain_context, vm.previous_hashes
        )
        return state

    def _vm(self, number: int) -> VirtualMachineAPI:
        return self._chain.get_vm(self.blocks[number].block.header)

    def _spoofed(self, message: Unsigned, number: int) -> SignedTransactionAPI:
        unsigned = self._chain.create_unsigned_transaction(
            nonce=self.nonce(message.sender, number),
            gas_price=0,
            gas=message.gas,
            to=message.to or CREATE_CONTRACT_ADDRESS,
            value=message.value,
            data=message.data,
        )
        spoofed = SpoofTransaction(unsigned, from_=message.sender)
        return spoofed  # type: ignore[return-value]
