"""A campaign's books in memory, by the very entries and readings of the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from lpmanager.ledger import accounting as a
from lpmanager.ledger.entry_row import EntryRow
from lpmanager.ledger.reading import campaign_record, flows_with, with_swaps_of
from lpmanager.ledger.result import Exchanged, Flows
from lpmanager.model import (
    Basis,
    CampaignRecord,
    Minted,
    Outcome,
    PoolKey,
    Snapshot,
    SwapPurpose,
    Withdrawn,
)


class MemoryBooks:
    """The books of one campaign from its deposit on; what a Ledger tells, it tells the same way."""

    def __init__(self, opening: Snapshot) -> None:
        """Books whose first deposit is all that the snapshot's wallet holds."""
        self._balances: dict[tuple[str, str], int] = {}
        self._entries: list[EntryRow] = []
        # every decision asks for single kinds from the very beginning on
        self._by_kind: defaultdict[str, list[EntryRow]] = defaultdict(list)
        self._bases: dict[int, Basis] = {}
        # every decision asks for the result: each swap is valued once
        self._pool, self._quote = opening.pool, opening.quote
        self._swaps: Mapping[SwapPurpose, Exchanged] = {}
        self._post([a.opening(opening, opening.wallet.balances)], decided_at=None)

    def bring_up_to(self, snapshot: Snapshot) -> CampaignRecord:
        """Mark all positions to a snapshot; what a decision needs of the books."""
        marked = a.mark(snapshot, self._balances, snapshot.positions)
        self._balances = a.added(self._balances, [marked])
        return campaign_record(self, "", snapshot)

    def book(self, outcome: Outcome, decided_at: int) -> None:
        """Enter what a plan did."""
        for step in outcome.steps:
            self._post(a.of_step(step, self._balances), decided_at)
            for fact in step.facts:
                match fact:
                    case Minted():
                        self._bases[fact.token_id] = Basis(
                            token_id=fact.token_id,
                            range=fact.range,
                            liquidity=fact.liquidity,
                            amounts=fact.principal,
                            sqrt_price_x96=fact.sqrt_price_x96,
                            timestamp=step.block.timestamp,
                        )
                    case Withdrawn():
                        del self._bases[fact.token_id]

    def flows(self, snapshot: Snapshot) -> Flows:
        """All that happened up to a snapshot the books were brought up to."""
        return flows_with(self, "", snapshot, self._swaps)

    def balances(self, campaign: str) -> dict[tuple[str, str], int]:
        """Raw balance of every account, by account and token address."""
        return self._balances

    def entries(self, campaign: str, kinds: Iterable[str], since: int = 0) -> list[EntryRow]:
        """Entries of some kinds from a time on, in the order written; marks are not kept."""
        wanted = set(kinds)
        (kind,) = wanted if len(wanted) == 1 else (None,)
        found = []
        for entry in reversed(self._entries if kind is None else self._by_kind[kind]):
            if entry.timestamp < since:
                break
            if entry.kind in wanted:
                found.append(entry)
        return found[::-1]

    def bases(self, campaign: str, pool: PoolKey) -> dict[int, Basis]:
        """What each open position held when it was minted, by its id."""
        return dict(self._bases)

    def last_move_at(self, campaign: str) -> int | None:
        """When a position was last minted, or the inventory hedged by a swap."""
        hedged = a.swap_account(SwapPurpose.HEDGE)
        for entry in reversed(self._entries):
            if entry.kind == "minted" or any(account == hedged for account, _ in entry.raw):
                return entry.timestamp
        return None

    def _post(self, entries: list[a.Entry], decided_at: int | None) -> None:
        self._balances = a.added(self._balances, entries)
        rows = [_row(entry, decided_at) for entry in entries]
        for row in rows:
            self._entries.append(row)
            self._by_kind[row.kind].append(row)
        swapped = (row for row in rows if row.kind == "swapped")
        self._swaps = with_swaps_of(self._swaps, swapped, self._pool, self._quote)


def _row(entry: a.Entry, decided_at: int | None) -> EntryRow:
    raw: dict[tuple[str, str], int] = {}
    for posting in entry.postings:
        key = posting.account, posting.amount.token.address
        raw[key] = raw.get(key, 0) + posting.amount.raw
    return EntryRow(
        kind=entry.kind,
        block_number=entry.block.number,
        timestamp=entry.block.timestamp,
        tx_hash=entry.tx_hash,
        sqrt_price_x96=entry.sqrt_price_x96,
        decided_at=decided_at,
        raw=raw,
    )
