"""anvil as a chain on which time passes by itself, which reorganises and on which gas soars."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Self

from eth_utils.crypto import keccak
from faults.fault_proxy import BLOCK, Json
from faults.troubled_desk import BLOCK_TIME_S, ETHER, TERMS, Run, Stage, a_run

from lpmanager.amm import sqrt_price_bounds
from lpmanager.chain.transport import Request
from lpmanager.devnet.backend import transaction
from lpmanager.devnet.orders import KeepWithin, Order, Trade
from lpmanager.execution.fees import FeePolicy
from lpmanager.execution.intent import Intent
from lpmanager.execution.moves import Pace
from lpmanager.execution.sender import SendPolicy
from lpmanager.model import SqrtPriceX96
from lpmanager.venues import erc20

GWEI = 10**9
USUAL_BASE_FEE = GWEI

#: Of the blocks that take the place of others.
_BASE_FEE_OF_OTHERS = USUAL_BASE_FEE * 3 // 2

#: About what one of the pool's tokens is worth in the other, in raw units.
_RAW0, _RAW1 = 2270 * 10**6, 10**18

#: Blocks that a reorganisation takes out at the most.
DEEPEST = 12

#: What the chain's other users offer: they are never priced out.
_OTHERS_FEE = 10_000 * GWEI

#: How long an honest RPC may take to answer, on a busy machine.
_PATIENCE_S = 10.0

#: A block is mined at each look, so looking often is waiting for nothing.
SENDING = SendPolicy(
    timeout_s=20.0,
    poll_s=0.001,
    confirmations=1,
    fees=FeePolicy(cap=200 * USUAL_BASE_FEE),
    pace=Pace(bump_after_s=3 * BLOCK_TIME_S),
)


class Fate(StrEnum):
    """What becomes of our transactions in blocks that are taken out."""

    DROPPED = "dropped"
    MINED_AGAIN = "re-mined"
    REPLACED = "replaced"


class Held(NamedTuple):
    """A transaction in a block."""

    raw: str
    ours: bool


@dataclass
class MovingChain:
    """The chain of a run: at each look at its head it is a block further, with the next orders of a
    `market` in it, or with somebody's trade. `base_fee` tells that of each new block, in wei."""

    run: Run
    dice: random.Random
    base_fee: Callable[[], int] = lambda: USUAL_BASE_FEE
    before_question: Callable[[], None] = lambda: None
    market: Iterator[tuple[Order, ...]] | None = None
    questions: int = 0
    blocks: int = 0
    older: int = 0
    strangers: list[str] = field(default_factory=list)
    _time: int = 0

    @property
    def stage(self) -> Stage:
        return self.run.stage

    @contextmanager
    def moving(self) -> Iterator[Self]:
        """Let it move by what the run asks it, from a height that every reorganisation is above."""
        self.stage.controls.set_automine(False)
        self._time = self.stage.now()
        for _ in range(DEEPEST):
            self.mine()
        for rpc in self.run.rpcs:
            rpc.upstream = self._asked(rpc.upstream)
        try:
            yield self
        finally:
            self.stage.controls.set_automine(True)

    def mine(self, *, after_s: int = BLOCK_TIME_S) -> None:
        """One block, so many seconds after the one before."""
        self._time += after_s - BLOCK_TIME_S
        orders = self._orders(after_s // BLOCK_TIME_S)
        self._seal([self._order(order) for order in orders], self.base_fee())

    def owner_orders(self, to: str, data: bytes) -> None:
        """The owner of the vault has something done, in a block of its own."""
        order = self._paid_by_others(transaction(self.stage.owner, to, data))
        self._seal([order], self.base_fee())

    def owner_puts_back(self) -> None:
        """The owner gives the vault all that he has, as what he took out of it."""
        vault, node, pool = self.stage.vault, self.stage.controls.node, self.stage.deployment.pool
        assert vault is not None
        for token in (pool.token0.address, pool.token1.address):
            raw = node.call(erc20.balance_of(token, self.stage.owner), node.head())
            self.owner_orders(token, erc20.transfer(vault, raw))

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds // BLOCK_TIME_S):
            self.mine()

    def move_price(self, bps: int) -> None:
        """The market finds another price, in one block."""
        price = SqrtPriceX96(self.stage.price() * (20_000 + bps) // 20_000)
        low, high = sqrt_price_bounds(price, 1)
        self._seal([self._order(KeepWithin(low=low, high=high))], self.base_fee())

    def reorganise(self, depth: int, fate: Fate, *, others_stay: bool) -> None:
        """The newest blocks are others now, of another base fee. What other people did in them
        stays in its place, or is gone; somebody else trades before it, so that ours is not worth
        the same."""
        blocks = self._taken_out(depth)
        late = getattr(self, f"_{fate.name.lower()}")(blocks)
        if not others_stay:
            blocks = [[one for one in held if one.ours] for held in blocks]
        self._ask([self._order(self._trade(), sender=2, tip=10 * GWEI)])
        self._put_in(blocks, _BASE_FEE_OF_OTHERS)
        self._ask([_send(one) for one in late])

    def mine_dearer(self, depth: int) -> None:
        """The newest blocks have the same transactions in the same order, and another base fee."""
        self._put_in(self._taken_out(depth), _BASE_FEE_OF_OTHERS)

    def _taken_out(self, depth: int) -> list[list[Held]]:
        head = self.stage.controls.node.head().number
        blocks = [self._transactions(height) for height in range(head - depth + 1, head + 1)]
        self.stage.ask("anvil_rollback", depth)
        # No block may be as one that was there before: anvil forgets the states of those.
        self._time = self.stage.now() + 1
        return blocks

    def _put_in(self, blocks: list[list[Held]], base_fee: int) -> None:
        for held in blocks:
            self._seal([_send(one) for one in held], base_fee)

    def hashes_of_strangers(self) -> set[str]:
        """Of the transactions that others signed with the account's key."""
        return {"0x" + keccak(hexstr=raw).hex() for raw in self.strangers}

    def paid_by_strangers(self) -> int:
        """Gas of the transactions that others signed with the account's key, in wei."""
        hashes = self.hashes_of_strangers()
        told = [self.stage.ask("eth_getTransactionReceipt", tx_hash) for tx_hash in hashes]
        return sum(int(r["gasUsed"], 16) * int(r["effectiveGasPrice"], 16) for r in told if r)

    def _dropped(self, blocks: list[list[Held]]) -> list[Held]:
        """Ours are gone, from one of them on, also from the nodes' memory."""
        ours = [one for held in blocks for one in held if one.ours]
        gone = set(ours[self.dice.randrange(len(ours)) :]) if ours else set()
        for held in blocks:
            held[:] = [one for one in held if one not in gone]
        return []

    def _mined_again(self, blocks: list[list[Held]]) -> list[Held]:
        """Ours come some blocks later; what does not fit any more waits."""
        later = self.dice.randint(0, len(blocks))
        others = [[one for one in held if not one.ours] for held in blocks]
        ours = [[one for one in held if one.ours] for held in blocks]
        kept = len(blocks) - later
        moved = [[] for _ in range(later)] + ours[:kept]
        for held, stay, came in zip(blocks, others, moved, strict=True):
            held[:] = stay + came
        return [one for held in ours[kept:] for one in held]

    def _replaced(self, blocks: list[list[Held]]) -> list[Held]:
        """In the place of one of ours there is another of the same nonce: an attempt of ours that
        was given up, where there is one, or a stranger's. What follows it stays."""
        places = [(held, at) for held in blocks for at, one in enumerate(held) if one.ours]
        given_up = [place for place in places if self._given_up(place)]
        if not places:
            return []
        held, at = self.dice.choice(given_up or places)
        if given_up:
            another = self.dice.choice(self._given_up((held, at)))
            self.older += 1
        else:
            another = self.stage.signed_elsewhere(self._intent(held[at]).nonce, 10 * GWEI)
            self.strangers.append(another)
        held[at] = Held(another, ours=True)
        return []

    def _given_up(self, place: tuple[list[Held], int]) -> list[str]:
        """Attempts that were raised before that one was mined."""
        held, at = place
        attempts = ["0x" + attempt.raw.hex() for attempt in self._intent(held[at]).attempts]
        return attempts[: attempts.index(held[at].raw)]

    def _intent(self, held: Held) -> Intent:
        raw = bytes.fromhex(held.raw[2:])
        return next(
            intent
            for intent in self.run.intents()
            if any(attempt.raw == raw for attempt in intent.attempts)
        )

    def _asked(self, node: Callable[[Any], list[Json]]) -> Callable[[Any], list[Json]]:
        def ask(calls: Any) -> list[Json]:
            """One after the other: something may happen before each of a batch."""
            answers: list[Json] = []
            for call in calls:
                self.questions += 1
                self.before_question()
                if call["method"] == BLOCK and call["params"][0] == "latest":
                    self.mine()
                answers += node([call])
            return answers

        return ask

    def _seal(self, requests: list[Request], base_fee: int) -> list[Any]:
        """A block with these and all that waits; what the node says of these."""
        self.blocks += 1
        self._time += BLOCK_TIME_S
        told = self._ask(requests)
        # One after the other: anvil carries out a batch in no order.
        self._next_base_fee(base_fee)
        self.stage.controls.mine(self._time)
        # anvil takes nothing that offers less than the next block asks for, geth does.
        self._next_base_fee(1)
        return told

    def _next_base_fee(self, wei: int) -> None:
        self.stage.ask("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def _orders(self, blocks: int) -> list[Order]:
        """What comes in the time of so many blocks. Only where the price is at last counts."""
        if self.market is None:
            return [self._trade()]
        coming = [order for _ in range(blocks) for order in next(self.market)]
        trades = [order for order in coming if not isinstance(order, KeepWithin)]
        return [*trades, *[order for order in coming if isinstance(order, KeepWithin)][-1:]]

    def _trade(self) -> Order:
        zero_for_one = self.dice.random() < 0.5
        raw1 = round(self.dice.lognormvariate(0.0, 1.0) * ETHER)
        raw_in = raw1 * _RAW0 // _RAW1 if zero_for_one else raw1
        return Trade(zero_for_one=zero_for_one, raw_in=raw_in)

    def _order(self, order: Order, sender: int = 1, tip: int | None = None) -> Request:
        made, backend = self.stage.deployment, self.stage.backend
        fields = transaction(
            backend.accounts[sender], made.flow_trader, order.calldata(made.pool.address)
        )
        # Now before ours in its block, now behind.
        return self._paid_by_others(fields, tip or self.dice.choice([1, 2 * GWEI]))

    def _paid_by_others(self, fields: dict[str, str], tip: int = GWEI) -> Request:
        fees = {"maxFeePerGas": hex(_OTHERS_FEE), "maxPriorityFeePerGas": hex(tip)}
        return "eth_sendTransaction", [fields | fees]

    def _ask(self, requests: list[Request]) -> list[Any]:
        return self.stage.backend.transport.request_many(requests)

    def _transactions(self, height: int) -> list[Held]:
        us = self.stage.account.lower()
        block = self.stage.ask("eth_getBlockByNumber", hex(height), True)
        raws = self._ask(
            [("eth_getRawTransactionByHash", [t["hash"]]) for t in block["transactions"]]
        )
        return [
            Held(raw, one["from"] == us)
            for raw, one in zip(raws, block["transactions"], strict=True)
        ]


def _send(held: Held) -> Request:
    return "eth_sendRawTransaction", [held.raw]


@contextmanager
def a_moving_run(
    stage: Stage, folder: Path, dice: random.Random, seed: int, *, terms: str = TERMS
) -> Iterator[tuple[Run, MovingChain]]:
    """A run whose RPC is honest, and may take its time on a busy machine."""
    with a_run(stage, folder, 1, seed, timeout_s=_PATIENCE_S, terms=terms) as run:
        run.sending = SENDING
        with MovingChain(run, dice).moving() as chain:
            yield run, chain
