"""Fills a store with a pool's events from a chain, and goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lpmanager.backtest.store.day_writer import DayWriter
from lpmanager.backtest.store.fold import Fold
from lpmanager.backtest.store.kept import Kept, kept_in, nothing_kept, rewind
from lpmanager.backtest.store.shelf import Mark, Shelf, write_terms
from lpmanager.chain.event_log import EventLog, LogKind, Piece, PoolEvent, Standing, creation_block
from lpmanager.chain.node import Node
from lpmanager.errors import ChainError, EventsMissing, Reorganised, RpcUnavailable, UsageError
from lpmanager.execution.looking import final_block
from lpmanager.model import Block, PoolKey
from lpmanager.venues import uniswap_v3

#: How often the newest blocks are read again where a reorganisation took them out meanwhile.
_ATTEMPTS = 5

#: Told of how many blocks of how many are read, and of how many events were in them.
Tell = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The blocks asked for, both ends included. `first` None means from where the store ends, or
    else from the pool's creation; `last` None the newest."""

    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a store holds of a pool now: all events of the blocks from `first` to `last`.

    Up to `final` they will not be read again. `events` counts those that were read by this call.
    `whole` says that the pool is known from its beginning, `checked` that the pool itself, asked at
    the last block, stood where the events say.
    """

    first: int
    last: int
    final: int
    events: int
    whole: bool
    checked: bool


def fetch(
    node: Node,
    pool: PoolKey,
    shelf: Shelf,
    window: Window,
    confirmations: int | None,
    tell: Tell,
    stop_asked: Callable[[], bool] = lambda: False,
) -> Fetched:
    """Read the pool's events into the shelf, from where it ends; hold `only_writer` meanwhile.

    Blocks that are not final yet, as `final_block` counts `confirmations`, are kept too, and read
    again by the next call. Everything that is written is complete, so a call that is interrupted,
    or killed, loses no more than the piece in hand; `stop_asked` is looked at between pieces.

    Raises UsageError for a window that does not join what the store has, Reorganised where the
    newest blocks are not at rest, and ChainError where the node refuses or what it tells cannot be
    true, also of what it called final before.
    """
    write_terms(shelf, pool)
    attempts = 1
    while True:
        try:
            return _Fetching(node, pool, shelf, window, tell, stop_asked).run(confirmations)
        except Reorganised:
            if attempts == _ATTEMPTS:
                raise
            attempts += 1


class _Fetching:
    """One reading of the chain, from what a store holds for certain."""

    def __init__(
        self,
        node: Node,
        pool: PoolKey,
        shelf: Shelf,
        window: Window,
        tell: Tell,
        stop_asked: Callable[[], bool],
    ) -> None:
        self._node = node
        self._pool = pool
        self._shelf = shelf
        self._window = window
        self._tell = tell
        self._stop_asked = stop_asked

    def run(self, confirmations: int | None) -> Fetched:
        """Raises as `fetch`, and Reorganised wherever what was read is not the chain's any more."""
        head = self._node.head()
        final = final_block(self._node, head, confirmations)
        kept = kept_in(self._shelf, self._pool.tick_spacing) or self._nothing_yet(head)
        first, last = self._blocks(kept, head)
        self._require_same_chain(kept)
        if first <= last:
            rewind(self._shelf, kept.day, kept.rows)
        end, events, checked = self._read(kept, first, last, final)
        return Fetched(
            first=kept.first,
            last=end,
            final=max(first - 1, min(end, final)),
            events=events,
            whole=kept.fold.ticks is not None,
            checked=checked,
        )

    def _read(self, kept: Kept, first: int, last: int, final: int) -> tuple[int, int, bool]:
        """Read the blocks and write them down: the last that was read, how many events there were,
        and whether the pool itself agrees.

        What a piece holds is proved right by the next swap, or by the pool. Where it turns out to
        be wrong, nothing stays of it.
        """
        log, writer = EventLog(self._node, self._pool.address), DayWriter.of(self._shelf, kept)
        fold, proved, end, events = kept.fold, writer.state, None, 0
        parent = None if kept.mark is None else kept.mark.hash
        self._tell(0, last - first + 1, 0)
        try:
            while (at := first if end is None else end.number + 1) <= last:
                if end is not None and self._stop_asked():
                    break
                piece = log.piece(at, min(last, final) if at <= final else last, parent)
                told = self._follow(fold, piece)
                if any(event.kind is LogKind.SWAP for event, _ in told):
                    proved = writer.state
                end, parent, events = piece.last, piece.last.hash, events + len(told)
                writer.add(piece, told, _mark(end, fold.standing), final=end.number <= final)
                self._tell(end.number - first + 1, last - first + 1, events)
            checked = end is not None and self._agrees(fold, end)
        except EventsMissing:
            rewind(self._shelf, *proved)
            raise
        return first - 1 if end is None else end.number, events, checked

    def _nothing_yet(self, head: Block) -> Kept:
        first = self._window.first
        if first is None:
            first = creation_block(self._node, self._pool.address, head)
        return nothing_kept(first, self._pool.tick_spacing)

    def _blocks(self, kept: Kept, head: Block) -> tuple[int, int]:
        """The first and the last block to read."""
        next_one = kept.first if kept.mark is None else kept.mark.number + 1
        first, last = self._window.first, self._window.last
        if first is not None and not kept.first <= first <= next_one:
            raise UsageError(
                f"--from: {self._shelf.folder} has blocks {kept.first} to {next_one - 1}, which "
                f"does not join with {first}: leave --from out to go on where it ends, or fetch "
                "into another store"
            )
        if last is not None and last > head.number:
            raise UsageError(f"--to: block {last} is not there yet; the newest is {head.number}")
        return next_one, head.number if last is None else last

    def _require_same_chain(self, kept: Kept) -> None:
        if kept.mark is None:
            return
        found = self._node.block(kept.mark.number).hash
        if found != kept.mark.hash:
            raise ChainError(
                f"block {kept.mark.number} was final with hash {kept.mark.hash} when "
                f"{self._shelf.folder} was filled, the RPC tells {found}: it serves another chain, "
                "or more blocks are reorganised than transactions.confirmations allows for; "
                "correct the RPC URL, or fetch into another store"
            )

    def _follow(self, fold: Fold, piece: Piece) -> list[tuple[PoolEvent, Standing]]:
        """The events of a piece, with where the pool stood behind each."""
        if piece.events and fold.needs_standing(piece.events[0]):
            fold.standing = self._standing_before(piece)
        return [(event, fold.apply(event)) for event in piece.events]

    def _standing_before(self, piece: Piece) -> Standing:
        """Where the pool stood before a piece whose events do not tell it."""
        before = piece.first.number - 1
        try:
            return self._standing_at(self._node.block(before))
        except RpcUnavailable:
            raise
        except ChainError as error:
            raise ChainError(
                f"block {before}: the node does not tell where the pool stood ({error}); use an "
                "archive RPC, or begin with the block in which the pool was made"
                + _better_beginning(piece)
            ) from error

    def _agrees(self, fold: Fold, last: Block) -> bool:
        """Whether the pool says itself that it stands where its events lead; False where the node
        does not tell. Raises EventsMissing where it stands elsewhere."""
        if fold.standing is None:
            return False
        try:
            found = self._standing_at(last)
        except RpcUnavailable:
            raise
        except ChainError:
            return False
        if found != fold.standing:
            raise EventsMissing(
                f"block {last.number}: by its events the pool stands at {fold.standing}, it says "
                f"itself {found}: the node has left events out; fetch from another RPC"
            )
        return True

    def _standing_at(self, block: Block) -> Standing:
        pool = self._pool.address
        slot0, liquidity = self._node.call_many(
            [uniswap_v3.slot0(pool), uniswap_v3.liquidity(pool)], block
        )
        return Standing(sqrt_price_x96=slot0.sqrt_price_x96, tick=slot0.tick, liquidity=liquidity)


def _mark(block: Block, standing: Standing | None) -> Mark:
    return Mark(number=block.number, hash=block.hash, time=block.timestamp, standing=standing)


def _better_beginning(piece: Piece) -> str:
    """The first block of a piece whose first event tells the pool's state, as advice."""
    blocks: dict[int, bool] = {}
    for event in piece.events:
        blocks.setdefault(event.block, event.after is not None)
    found = next((block for block, tells in blocks.items() if tells), None)
    return "" if found is None else f", or with --from {found}, whose first event is a swap"
