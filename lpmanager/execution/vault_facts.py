"""What a mined transaction of a vault did, from the vault's own events: to the wei."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lpmanager.chain.history import read_swap
from lpmanager.chain.node import Log, Node, Receipt
from lpmanager.errors import ChainError
from lpmanager.execution.facts import minted_before, price_before
from lpmanager.model import (
    Action,
    Amounts,
    Collect,
    Collected,
    Fact,
    Liquidity,
    Mint,
    Minted,
    PoolKey,
    Swap,
    Swapped,
    TickRange,
    Withdraw,
    Withdrawn,
)
from lpmanager.venues.liquidity_vault import (
    BURNED,
    COLLECTED,
    MINTED,
    REBALANCED,
    SWAPPED,
    position_id,
)
from lpmanager.venues.uniswap_v3 import SWAP_EVENT


def read_vault_facts(
    node: Node, pool: PoolKey, vault: str, actions: Sequence[Action], receipt: Receipt
) -> tuple[Fact, ...]:
    """All that a transaction moved that was to carry out these actions, in order.

    A vault collects the fees of all it holds at once, also of what no action names. Raises
    ChainError where the logs do not tell of every action, or of anything else.
    """
    reading = _Reading(node, pool, vault, actions, receipt)
    facts = reading.facts()
    asked = {_asked(action, vault) for action in actions}
    done = {_done(fact) for fact in facts if not isinstance(fact, Collected)}
    collected = {_done(fact) for fact in facts if isinstance(fact, Collected)}
    if not done <= asked <= done | collected:
        raise ChainError(
            f"transaction {receipt.tx_hash} of vault {vault}: was sent to {_words(asked)}, its "
            f"logs tell of {_words(done | collected)}"
        )
    return facts


class _Reading:
    """One transaction of a vault, being read."""

    def __init__(
        self,
        node: Node,
        pool: PoolKey,
        vault: str,
        actions: Sequence[Action],
        receipt: Receipt,
    ) -> None:
        self._node = node
        self._pool = pool
        self._vault = vault
        self._swaps = [action for action in actions if isinstance(action, Swap)]
        self._receipt = receipt
        self._logs = [log for log in receipt.logs if log.address == vault]
        self._rebalances = any(log.is_of(REBALANCED) for log in self._logs)

    def facts(self) -> tuple[Fact, ...]:
        """What the vault's events tell. A burn is told of with the collect that follows it."""
        tell = {COLLECTED: self._collected, SWAPPED: self._swapped, MINTED: self._minted}
        return tuple(
            read(log) for log in self._logs for event, read in tell.items() if log.is_of(event)
        )

    def _collected(self, log: Log) -> Fact:
        """A rebalance collects nothing but what it closes."""
        lower, upper, raw0, raw1 = COLLECTED.decode(log.data)
        tick_range, received = self._range(lower, upper), self._pool.amounts(raw0, raw1)
        token_id = position_id(self._vault, tick_range)
        if not self._rebalances:
            return Collected(token_id=token_id, fees=received)
        principal = self._burned(tick_range)
        return Withdrawn(token_id=token_id, principal=principal, fees=received - principal)

    def _range(self, lower: int, upper: int) -> TickRange:
        try:
            return TickRange(lower, upper)
        except ValueError as error:
            raise ChainError(
                f"transaction {self._receipt.tx_hash} of vault {self._vault}: its logs tell of a "
                f"range that cannot be ({error})"
            ) from error

    def _burned(self, tick_range: TickRange) -> Amounts:
        """The principal that left a range; none where it had no liquidity."""
        principal = self._pool.amounts(0, 0)
        for log in self._logs:
            if log.is_of(BURNED):
                lower, upper, _liquidity, raw0, raw1 = BURNED.decode(log.data)
                if (lower, upper) == (tick_range.lower, tick_range.upper):
                    principal += self._pool.amounts(raw0, raw1)
        return principal

    def _swapped(self, log: Log) -> Fact:
        raw0, raw1 = SWAPPED.decode(log.data)
        in_pool = self._swap_in_pool(log)
        event = read_swap(in_pool)
        if len(self._swaps) != 1 or (event.amount0, event.amount1) != (raw0, raw1):
            raise ChainError(
                f"transaction {log.tx_hash}: vault {self._vault} swapped {raw0} and {raw1} by its "
                f"own log, {event.amount0} and {event.amount1} by the pool's, in one of "
                f"{len(self._swaps)} swaps it was sent for"
            )
        return Swapped(
            purpose=self._swaps[0].purpose,
            delta=self._pool.amounts(-raw0, -raw1),
            sqrt_price_before_x96=price_before(self._node, self._pool, in_pool),
        )

    def _swap_in_pool(self, log: Log) -> Log:
        """The pool's own log of a swap: the last before the vault's."""
        earlier = [
            entry
            for entry in self._receipt.logs
            if entry.address == self._pool.address
            and entry.is_of(SWAP_EVENT)
            and entry.log_index < log.log_index
        ]
        if not earlier:
            raise ChainError(
                f"transaction {log.tx_hash}: vault {self._vault} swapped, but pool "
                f"{self._pool.address} did not"
            )
        return earlier[-1]

    def _minted(self, log: Log) -> Fact:
        lower, upper, liquidity, raw0, raw1 = MINTED.decode(log.data)
        tick_range = self._range(lower, upper)
        return minted_before(
            self._node,
            self._pool,
            log,
            token_id=position_id(self._vault, tick_range),
            tick_range=tick_range,
            liquidity=Liquidity(liquidity),
            paid=self._pool.amounts(raw0, raw1),
        )


def _asked(action: Action, vault: str) -> str:
    """What a fact of the action would be told as."""
    match action:
        case Withdraw():
            return f"withdraw {action.token_id}"
        case Collect():
            return f"collect {action.token_id}"
        case Swap():
            return "swap"
        case Mint():
            return f"mint {position_id(vault, action.range)}"


def _done(fact: Fact) -> str:
    match fact:
        case Withdrawn():
            return f"withdraw {fact.token_id}"
        case Collected():
            return f"collect {fact.token_id}"
        case Swapped():
            return "swap"
        case Minted():
            return f"mint {fact.token_id}"


def _words(things: Iterable[str]) -> str:
    return ", ".join(sorted(things)) or "nothing"
