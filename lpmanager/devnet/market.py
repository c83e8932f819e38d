"""Drives a market: sends each block's orders as real transactions and mines it at its time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol

from lpmanager.chain.transport import Request, RpcError
from lpmanager.devnet.backend import Backend, Controls, transaction
from lpmanager.devnet.orders import AddLiquidity, BlockOrders
from lpmanager.errors import ChainError, TransactionFailed
from lpmanager.model import PoolKey, SqrtPriceX96
from lpmanager.venues.uniswap_v3 import SWAP_EVENT


class Place(Protocol):
    """Where a market trades: a pool, and the FlowTrader contract that trades with it."""

    @property
    def pool(self) -> PoolKey: ...

    @property
    def flow_trader(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketReport:
    """What a market has done so far. `largest_deviation` is that of the pool's price from the
    expected one after a block, relative to the expected one; None where none was expected.
    `largest_shift_s` is by how much the latest block came after its own time."""

    blocks: int
    orders: int
    swaps: int
    largest_deviation: Fraction | None
    largest_shift_s: int


class Market:
    """Carries out blocks of orders, through the second dev account and the market's trader.

    Between two advances the chain mines each transaction at once, so others can act; its time
    moves one second per transaction. Where that leads past the next block's time, the block is
    mined one second after the head, and the report says how late that was.
    """

    def __init__(self, backend: Backend, place: Place, blocks: Iterable[BlockOrders]) -> None:
        self._controls = Controls(backend)
        self._transport = backend.transport
        self._sender = backend.accounts[1]
        self._place = place
        self._blocks = iter(blocks)
        self._coming = next(self._blocks, None)
        self._nonce = self._controls.nonce(self._sender)
        self._report = MarketReport(
            blocks=0, orders=0, swaps=0, largest_deviation=None, largest_shift_s=0
        )

    @property
    def next_timestamp(self) -> int | None:
        """The time of the next block, or None at the market's end."""
        return None if self._coming is None else self._coming.timestamp

    @property
    def report(self) -> MarketReport:
        """What has been done so far."""
        return self._report

    def provide(self, profile: Sequence[AddLiquidity]) -> None:
        """Put up the market's starting liquidity, a block for each range."""
        for order in profile:
            self._controls.execute(
                self._sender,
                self._place.flow_trader,
                order.calldata(self._place.pool.address),
                what=f"mint {order.liquidity} in {order.range}",
            )
            self._nonce += 1

    def advance(self) -> bool:
        """Send and mine the next block; False where there is none left.

        Raises TransactionFailed where one of its orders did not go through.
        """
        if self._coming is None:
            return False
        self.advance_until(self._coming.timestamp)
        return True

    def advance_until(self, timestamp: int) -> int:
        """Send and mine all blocks up to and including this time; how many there were."""
        if self._coming is None or self._coming.timestamp > timestamp:
            return 0
        done, head = 0, self._controls.node.head().timestamp
        self._controls.set_automine(False)
        try:
            before: BlockOrders | None = None
            while self._coming is not None and self._coming.timestamp <= timestamp:
                block = self._coming
                self._send(block, before)
                head = self._mine(block, head)
                before, self._coming = block, next(self._blocks, None)
                done += 1
            if before is not None:
                self._settle(before, self._ask([_receipts_request()])[0])
        finally:
            self._controls.set_automine(True)
        return done

    def _mine(self, block: BlockOrders, head: int) -> int:
        """Mine a block at its time, or after the head where that is later; when that was."""
        mined_at = max(block.timestamp, head + 1)
        self._controls.mine(mined_at)
        shift = max(self._report.largest_shift_s, mined_at - block.timestamp)
        self._report = replace(self._report, largest_shift_s=shift)
        return mined_at

    def _send(self, block: BlockOrders, before: BlockOrders | None) -> None:
        """Queue a block's orders; the receipts of the block before come in the same round trip."""
        sends: list[Request] = [
            ("eth_sendTransaction", [self._transaction(position, order.calldata(self._pool))])
            for position, order in enumerate(block.orders)
        ]
        self._nonce += len(sends)
        if before is None:
            self._ask(sends)
        else:
            self._settle(before, self._ask([_receipts_request(), *sends])[0])

    @property
    def _pool(self) -> str:
        return self._place.pool.address

    def _transaction(self, position: int, data: bytes) -> dict[str, str]:
        return transaction(
            self._sender, self._place.flow_trader, data, nonce=self._nonce + position
        )

    def _ask(self, requests: list[Request]) -> list[Any]:
        answers = self._transport.request_many(requests)
        for answer in answers:
            if isinstance(answer, RpcError):
                raise ChainError(f"the devnet refused a market order: {answer.message}")
        return answers

    def _settle(self, block: BlockOrders, receipts: list[dict[str, Any]]) -> None:
        """Account for a mined block; TransactionFailed unless every order went through."""
        ours = [r for r in receipts if r["from"].lower() == self._sender.lower()]
        failed = [
            order
            for order, receipt in zip(block.orders, ours, strict=False)
            if receipt["status"] != "0x1"
        ]
        if failed or len(ours) != len(block.orders):
            raise TransactionFailed(
                f"market block at {block.timestamp}: {len(block.orders)} orders, {len(ours)} "
                f"mined, {len(failed)} reverted" + (f", first {failed[0]}" if failed else "")
            )
        prices = self._prices(ours)
        self._report = replace(
            self._report,
            blocks=self._report.blocks + 1,
            orders=self._report.orders + len(block.orders),
            swaps=self._report.swaps + len(prices),
            largest_deviation=_larger(
                self._report.largest_deviation,
                _deviation(prices[-1] if prices else None, block.expected_sqrt_price_x96),
            ),
        )

    def _prices(self, receipts: list[dict[str, Any]]) -> list[SqrtPriceX96]:
        """The pool's price after each swap in the receipts."""
        return [
            SqrtPriceX96(SWAP_EVENT.decode(bytes.fromhex(log["data"][2:]))[2])
            for receipt in receipts
            for log in receipt["logs"]
            if log["topics"][0] == SWAP_EVENT.topic and log["address"].lower() == self._pool.lower()
        ]


def _receipts_request() -> Request:
    return "eth_getBlockReceipts", ["latest"]


def _deviation(price: SqrtPriceX96 | None, expected: SqrtPriceX96 | None) -> Fraction | None:
    if price is None or expected is None:
        return None
    return abs(Fraction(price**2, expected**2) - 1)


def _larger(one: Fraction | None, other: Fraction | None) -> Fraction | None:
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)
