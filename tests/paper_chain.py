"""A chain on paper for one account: blocks, a mempool with geth's rules, reorganisations.

There are no contracts: a call does nothing but use up its nonce. What is asked goes through the
program's own Node and Sender, as on a real chain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from builders import ACCOUNT, CHAIN_ID, GENESIS

from lpmanager.chain.node import Node, Receipt
from lpmanager.chain.transport import RpcError
from lpmanager.errors import RpcUnavailable
from lpmanager.execution.fees import FeePolicy
from lpmanager.execution.intent import Purpose
from lpmanager.execution.moves import Pace
from lpmanager.execution.sender import Journal, Sender, SendPolicy
from lpmanager.execution.signer import Signed

BLOCK_TIME_S = 12
GWEI = 10**9
CAP = 100 * GWEI
CONFIRMATIONS = 3
BUMP_AFTER_S = 3 * BLOCK_TIME_S
SOMEBODY = "0x00000000000000000000000000000000000000b2"


def never_halted() -> None:
    """Signing is always allowed."""


@dataclass(frozen=True, slots=True)
class PaperTransaction:
    """A transaction of the account. A stranger's is one that the program has not signed."""

    tx_hash: str
    nonce: int
    to: str
    data: str
    max_fee: int
    tip: int

    @classmethod
    def of(cls, raw: bytes) -> PaperTransaction:
        told = json.loads(raw)
        return cls(
            tx_hash=hash_of(raw),
            nonce=told["nonce"],
            to=told["to"],
            data=told["data"],
            max_fee=told["maxFeePerGas"],
            tip=told["maxPriorityFeePerGas"],
        )

    def may_replace(self, other: PaperTransaction) -> bool:
        """Geth's rule: a tenth more of both."""
        return self.max_fee * 10 >= other.max_fee * 11 and self.tip * 10 >= other.tip * 11


@dataclass(frozen=True, slots=True)
class PaperBlock:
    number: int
    hash: str
    timestamp: int
    base_fee: int
    transactions: tuple[PaperTransaction, ...] = ()


@dataclass
class PaperSigner:
    """Signs with nothing at all, and remembers what it signed."""

    address: str = ACCOUNT
    signed: list[dict[str, Any]] = field(default_factory=list)

    def sign(self, transaction: dict[str, Any]) -> Signed:
        self.signed.append(transaction)
        told = {**transaction, "data": "0x" + transaction["data"].hex()}
        raw = json.dumps(told, sort_keys=True).encode()
        return Signed(raw=raw, tx_hash=hash_of(raw))


class PaperChain:
    """The chain as its RPC. `meddle` may answer, or fail, in its place.

    Where it is `busy`, a block is mined before each look at the head; where it is `eager`, as soon
    as a transaction is taken, and then so many looks at the head tell the block before. The next
    `late` looks do in any case. The receipts of the newest `unindexed` blocks are not told yet;
    what blocks left is forgotten `remembered` blocks later, and they are called finalized
    `finalized_after` blocks later. A call in `waiting_for` reverts where
    fewer transactions than that are mined.
    """

    def __init__(self) -> None:
        self.busy = False
        self.eager = 0
        self.late = 0
        self.unindexed = 0
        self.remembered = 10**9
        self.finalized_after = 5
        self.base_fee = GWEI
        self.tip = GWEI // 10
        self.chain_id = CHAIN_ID
        self.blocks = [self._block(0, GENESIS, ())]
        self.pool: dict[int, PaperTransaction] = {}
        self.taken: list[PaperTransaction] = []
        self.reverting: set[str] = set()
        self.failing: set[str] = set()
        self.waiting_for: dict[str, int] = {}
        self.meddle: Callable[[str], Any | None] = lambda _method: None
        self._forks = 0

    # ---- what happens on it ----

    @property
    def head(self) -> PaperBlock:
        return self.blocks[-1]

    @property
    def mined(self) -> list[PaperTransaction]:
        """All transactions of the account, in the order of their nonces."""
        return [tx for block in self.blocks for tx in block.transactions]

    def mine(self, count: int = 1, *, seconds: int = BLOCK_TIME_S) -> None:
        """Mine what waits and can pay, without a gap in the nonces."""
        for _ in range(count):
            taken: list[PaperTransaction] = []
            while (tx := self.pool.get(self.nonce + len(taken))) and tx.max_fee >= self.base_fee:
                taken.append(tx)
            for tx in taken:
                del self.pool[tx.nonce]
            number, timestamp = self.head.number + 1, self.head.timestamp + seconds
            self.blocks.append(self._block(number, timestamp, tuple(taken)))

    def reorganise(self, depth: int, *, forget: bool = False) -> None:
        """Put empty blocks in the place of the newest. What was mined there waits again, unless
        the nodes `forget` it."""
        gone, self.blocks = self.blocks[-depth:], self.blocks[:-depth]
        self._forks += 1
        for block in gone:
            self.blocks.append(self._block(block.number, block.timestamp, ()))
            if not forget:
                self.pool.update({tx.nonce: tx for tx in block.transactions})

    def forget(self) -> None:
        """The nodes drop all that waits."""
        self.pool.clear()

    def remember(self, which: int) -> None:
        """A node that has slept offers again what it took long ago, if that can still be mined."""
        if self.taken:
            old = self.taken[which % len(self.taken)]
            if old.nonce >= self.nonce:
                self.pool.setdefault(old.nonce, old)

    def stranger_uses(self, nonce: int) -> None:
        """Somebody else signs for the account, and pays better than we do."""
        made = f"stranger {nonce} {self._forks} {self.head.number}".encode()
        self.pool[nonce] = PaperTransaction(hash_of(made), nonce, "", "stranger", 10**18, 10**18)

    @property
    def nonce(self) -> int:
        return len(self.mined)

    def _block(
        self, number: int, timestamp: int, transactions: tuple[PaperTransaction, ...]
    ) -> PaperBlock:
        forks = 0 if number == 0 else self._forks
        block_hash = hash_of(f"{number} {forks} {[tx.tx_hash for tx in transactions]}".encode())
        return PaperBlock(number, block_hash, timestamp, self.base_fee, transactions)

    # ---- what it answers ----

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any | RpcError]:
        return [self._answer(method, params) for method, params in requests]

    def _answer(self, method: str, params: list[Any]) -> Any | RpcError:
        trouble = self.meddle(method)
        if isinstance(trouble, Exception):
            raise trouble
        if trouble is not None:
            return trouble
        if self.busy and (method, params[:1]) == ("eth_getBlockByNumber", ["latest"]):
            self.mine()
        answers: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: hex(self.chain_id),
            "eth_maxPriorityFeePerGas": lambda: hex(self.tip),
            "eth_getBlockByNumber": lambda block, full: _block_json(self._at(block), full),
            "eth_getTransactionCount": lambda _account, block: self._transaction_count(block),
            "eth_getTransactionReceipt": self._receipt,
            "eth_call": lambda message, block: self._run(message, block, "0x"),
            "eth_estimateGas": lambda message: self._run(message, "pending", hex(100_000)),
            "eth_sendRawTransaction": self._take,
        }
        return answers[method](*params)

    def _at(self, block: str | dict[str, str]) -> PaperBlock:
        if isinstance(block, dict):
            return next(b for b in self.blocks if b.hash == block["blockHash"])
        if block == "finalized":
            return self.blocks[max(self.head.number - self.finalized_after, 0)]
        if block == "latest" and self.late:
            self.late -= 1
            return self.blocks[-2]
        return self.head if block in ("latest", "pending") else self.blocks[int(block, 16)]

    def _nonce_at(self, block: str | dict[str, str]) -> int:
        number = self._at(block).number
        mined = sum(len(b.transactions) for b in self.blocks[: number + 1])
        if block != "pending":
            return mined
        while mined in self.pool:
            mined += 1
        return mined

    def _transaction_count(self, block: str | dict[str, str]) -> str | RpcError:
        if self._at(block).number < self.head.number - self.remembered:
            return RpcError(-32000, "missing trie node", None)
        return hex(self._nonce_at(block))

    def _run(
        self, message: dict[str, str], block: str | dict[str, str], answer: str
    ) -> str | RpcError:
        if isinstance(block, dict) and all(b.hash != block["blockHash"] for b in self.blocks):
            return RpcError(-32000, "header not found", None)
        data = message["data"]
        reverts = data in self.reverting or self._nonce_at(block) < self.waiting_for.get(data, 0)
        return RpcError(3, "execution reverted", "0x") if reverts else answer

    def _take(self, raw: str) -> str | RpcError:
        tx = PaperTransaction.of(bytes.fromhex(raw.removeprefix("0x")))
        waiting = self.pool.get(tx.nonce)
        if tx.nonce < self.nonce:
            return RpcError(-32000, "nonce too low", None)
        if waiting is not None and waiting.tx_hash == tx.tx_hash:
            return RpcError(-32000, "already known", None)
        if waiting is not None and not tx.may_replace(waiting):
            return RpcError(-32000, "replacement transaction underpriced", None)
        self.pool[tx.nonce] = tx
        self.taken.append(tx)
        if self.eager:
            self.mine()
            self.late = self.eager
        return tx.tx_hash

    def _receipt(self, tx_hash: str) -> dict[str, Any] | None:
        for block in self.blocks[: max(len(self.blocks) - self.unindexed, 0)]:
            for tx in block.transactions:
                if tx.tx_hash == tx_hash:
                    return {
                        "transactionHash": tx_hash,
                        "status": hex(tx.data not in self.failing),
                        "blockNumber": hex(block.number),
                        "blockHash": block.hash,
                        "gasUsed": hex(21_000),
                        "effectiveGasPrice": hex(min(tx.max_fee, block.base_fee + tx.tip)),
                        "logs": [],
                    }
        return None


@dataclass
class PaperRelay:
    """A private relay, and what it was handed. It hands that on to the chain where it `works`."""

    chain: PaperChain
    works: bool = False
    handed: list[PaperTransaction] = field(default_factory=list)

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any | RpcError]:
        ((method, (raw,)),) = requests
        assert method == "eth_sendRawTransaction"
        self.handed.append(PaperTransaction.of(bytes.fromhex(raw.removeprefix("0x"))))
        if not self.works:
            raise RpcUnavailable("the relay is silent")
        self.chain.pool[self.handed[-1].nonce] = self.handed[-1]
        return [self.handed[-1].tx_hash]


class PaperSender(Sender):
    """The program's own sender, of which each plan is decided at the head unless it is told
    otherwise."""

    chain: PaperChain

    def send(self, purpose: Purpose, nonce_then: int | None = None) -> Receipt:
        if nonce_then is None:
            nonce_then = self.chain.nonce - len(self._underway)
        return super().send(purpose, nonce_then)


def a_sender(
    chain: PaperChain,
    journal: Journal,
    signer: PaperSigner,
    may_sign: Callable[[], None] = never_halted,
    *,
    timeout_s: float = 0.0,
    confirmations: int | None = CONFIRMATIONS,
    relay: PaperRelay | None = None,
    public_after_s: int | None = None,
    owner_signs_too: bool = False,
    cap: int = CAP,
) -> PaperSender:
    """By default it looks once and gives up."""
    policy = SendPolicy(
        timeout_s=timeout_s,
        poll_s=0.0,
        confirmations=confirmations,
        fees=FeePolicy(cap=cap),
        pace=Pace(bump_after_s=BUMP_AFTER_S, public_after_s=public_after_s),
        owner_signs_too=owner_signs_too,
    )
    sender = PaperSender(Node(chain, CHAIN_ID, relay=relay), signer, journal, policy, may_sign)
    sender.chain = chain
    return sender


def hash_of(content: bytes) -> str:
    return "0x" + hashlib.sha256(content).hexdigest()


def _block_json(block: PaperBlock, full: bool) -> dict[str, Any]:
    """With each transaction in full there is one of somebody else, who has the same nonce."""
    told = [
        {"hash": tx_hash, "from": sender, "nonce": hex(tx.nonce)}
        for tx in block.transactions
        for tx_hash, sender in (
            (tx.tx_hash, ACCOUNT.lower()),
            (hash_of(tx.tx_hash.encode()), SOMEBODY),
        )
    ]
    return {
        "number": hex(block.number),
        "hash": block.hash,
        "timestamp": hex(block.timestamp),
        "baseFeePerGas": hex(block.base_fee),
        "transactions": told if full else [tx["hash"] for tx in told],
    }
