"""A campaign's books against what the chain holds: they differ by nothing, or by what may be taken
in, or the campaign halts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from operator import sub

import structlog

from lpmanager.errors import BooksDoNotClose, ChainError, MaybeSent
from lpmanager.execution.calldata import Call
from lpmanager.execution.intent import Purpose
from lpmanager.execution.whose import next_nonce, something_else_signs
from lpmanager.ledger import accounting as a
from lpmanager.ledger.by_hand import ByHand, Change, changes, found_basis
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.landmarks import MAY_BE_TAKEN_OUT_S, Landmark, Landmarks
from lpmanager.ledger.store import CampaignRow, Ledger
from lpmanager.ledger.writing import Batch, BegunAnew, Closed, PositionEvent
from lpmanager.model import Amount, Amounts, Outcome, Snapshot, Token

#: (first block, last block, hashes of our own transactions) -> what others moved in or out
OutsideTransfers = Callable[[int, int, frozenset[str]], Amounts]

#: The kinds of entries that are made when books and chain are compared. The first of a campaign is
#: its opening, unless it was opened again.
_LOOKS = ("deposit", "mark", a.OPENED_AGAIN)

#: More than any reorganisation takes out, and as many as an RPC searches at once.
_UNSETTLED_BLOCKS = 2_000

_BY_HAND = (
    '; it was changed by hand: set changed_by_hand = "adopt" to take that into the books, or begin '
    "new books in another store"
)

_OPENING_GONE = "the block that the books were opened at was taken out by a reorganisation"


class Reconciliation:
    """Compares the books of one campaign with snapshots. `by_hand` is what becomes of the campaign
    where somebody else changed what it holds.

    What does not close raises BooksDoNotClose, and halts the campaign.
    """

    def __init__(
        self, name: str, ledger: Ledger, outside_transfers: OutsideTransfers, by_hand: ByHand
    ) -> None:
        self._name = name
        self._ledger = ledger
        self._outside_transfers = outside_transfers
        self._by_hand = by_hand

    def require_settled(self, snapshot: Snapshot) -> None:
        """Raise MaybeSent while something of ours may still happen: books and chain cannot be
        compared until then."""
        journal = self._ledger.journal(snapshot.chain_id)
        for intent in journal.open_intents(snapshot.wallet.signer):
            raise MaybeSent(
                f"{intent.purpose.call.what} of campaign {intent.purpose.campaign} is under way "
                f"({intent.status}); `lpm run --once --live {intent.purpose.campaign}` sees it "
                "through"
            )
        for intent in journal.open_of_campaign(self._name):
            raise MaybeSent(
                f"{intent.purpose.call.what} of campaign {self._name} is under way "
                f"({intent.status}), signed by {intent.account}; set [account] to that until `lpm "
                f"run --once --live {self._name}` has seen it through, or begin new books in "
                "another store"
            )

    def bring_up_to(self, row: CampaignRow, snapshot: Snapshot, marks: Landmarks) -> None:
        """Mark the positions to a snapshot that was read with the heights of `marks`, and take in
        transfers, and what was changed by hand where that is the rule.

        Raises ChainError where the snapshot is older than the books.
        """
        self._require_not_behind(row, snapshot, marks)
        self._require_transactions_stand(snapshot, marks)
        gone = _gone_opening(snapshot, marks)
        self._mark_positions(row, snapshot, marks, gone)
        if gone is not None:
            self._open_again(row, snapshot)
        self._take_in_transfers(row, snapshot)

    def require_nobody_else_signed(self, snapshot: Snapshot) -> None:
        """Raise StrangersTransaction, and halt the campaign, where the account's next nonce is
        beyond what is known to be used, unless the owner may sign too. Nothing of ours is open."""
        if self._by_hand is ByHand.ADOPT:
            return
        journal, block = self._ledger.journal(snapshot.chain_id), snapshot.block
        account, nonce = snapshot.wallet.signer, snapshot.wallet.nonce
        expected = next_nonce(journal.history(account), self._name, nonce)
        if nonce <= expected:  # fewer are an RPC that lags, or a reorganisation
            return
        error = something_else_signs(account, expected, str(nonce), self._name)
        looked = Purpose(
            campaign=self._name,
            call=Call(what="look", to=account, data=b""),
            actions=(),
            deadline=block.timestamp,
            decided_block=block.number,
            decided_at=block.timestamp,
        )
        journal.replaced(journal.plan(account, nonce - 1, looked), str(error))
        raise error

    def take_in_for_neighbours(self, row: CampaignRow, snapshot: Snapshot) -> None:
        """What comes to a holder whose campaigns have budgets belongs to none of them."""
        explained = {}
        for token, found in _by_token(self._wallet_difference(snapshot)).items():
            rest = self._ledger.unallocated(row.chain_id, row.account, token.address)
            if rest is None:
                continue
            if found == 0:
                self._look_no_further_back(row, token, rest.last_block, snapshot)
                continue
            moved = self._moved_outside(row, rest.last_block, snapshot)
            if _by_token(moved)[token] != found:
                continue
            if rest.raw + found < 0:
                self._halt(
                    snapshot,
                    f"account {row.account}: {Amount(token, -found)} were taken from it, but only "
                    f"{Amount(token, rest.raw)} belong to no campaign's budget; send the rest back",
                )
            explained[token.address] = found
        self._ledger.add_unallocated(row.chain_id, row.account, explained, snapshot.block.number)

    def _look_no_further_back(
        self, row: CampaignRow, token: Token, looked_up_to: int, snapshot: Snapshot
    ) -> None:
        """Where books and chain are one, transfers of long ago need no more looking for.

        What moved lately is left to be, as a reorganisation may change it. What came to nothing
        with it since came to nothing before it too.
        """
        settled = snapshot.block.number - _UNSETTLED_BLOCKS
        if settled - looked_up_to < _UNSETTLED_BLOCKS:
            return
        if _by_token(self._moved_outside(row, settled, snapshot))[token] == 0:
            nothing = {token.address: 0}
            self._ledger.add_unallocated(row.chain_id, row.account, nothing, settled)

    def require_wallet_explained(self, snapshot: Snapshot) -> None:
        """The wallet is what the books of all campaigns of the account say."""
        if not self._wallet_difference(snapshot).is_zero:
            self._halt(
                snapshot,
                f"account {snapshot.wallet.address}: {self._expected_and_found(snapshot)}, and no "
                "transfer explains it",
            )

    def require_gas_explained(self, before: Snapshot, outcome: Outcome, after: Snapshot) -> None:
        """Native coin must not go but for our gas, unless the owner may spend it by transactions of
        his own. More may come: anybody can send some."""
        spent = before.wallet.native - after.wallet.native
        gas = sum((s.gas_paid for s in outcome.steps), Amount(spent.token, 0))
        if spent <= gas:
            return
        text = f"native coin: {spent} went, our transactions paid {gas}"
        owner_signed = after.wallet.nonce - before.wallet.nonce > len(outcome.steps)
        if self._by_hand is ByHand.HALT or not owner_signed:
            self._halt(after, text)
        self._post((a.native_by_hand(after.block, text),), last_block=before.block.number)
        self._tell_of([text])

    def _require_not_behind(self, row: CampaignRow, snapshot: Snapshot, marks: Landmarks) -> None:
        """An RPC of several nodes may answer from one that has not seen our last block yet: that
        is no difference between books and chain."""
        newest = max((row.last_block, *marks.heights))
        if snapshot.block.number < newest:
            raise ChainError(
                f"campaign {self._name}: the RPC is at block {snapshot.block.number}, its books at "
                f"{newest}; it lags behind, try again"
            )

    def _require_transactions_stand(self, snapshot: Snapshot, marks: Landmarks) -> None:
        """A reorganisation deeper than what counts as final takes out what is booked."""
        last = marks.transaction
        if last is not None and _is_taken_out(snapshot, last):
            self._halt(
                snapshot,
                f"transaction {last.tx_hash} was booked in block {last.number}, expected "
                f"{last.block_hash} there, found {snapshot.hash_at(last.number)}: a reorganisation "
                "took it out; raise transactions.confirmations, and begin new books in another "
                "store",
            )

    def _mark_positions(
        self, row: CampaignRow, snapshot: Snapshot, marks: Landmarks, gone: Landmark | None
    ) -> None:
        """Positions change only by what we book, unless a change by hand may be taken in, or the
        block that they were opened with is `gone`."""
        balances = self._ledger.balances(self._name)
        changed = changes(snapshot, self._ledger.bases(self._name, snapshot.pool), balances)
        if marks.marked is not None and _is_taken_out(snapshot, marks.marked):
            # Swaps that had paid these fees went with the block they were marked at.
            changed = tuple(change for change in changed if not change.of_fees_alone)
        changed = tuple(self._ours_to_adopt(snapshot, change, gone) for change in changed)
        others = {change.token_id for change in changed}
        untouched = [p for p in snapshot.positions if p.token_id not in others]
        entries = [a.mark(snapshot, balances, untouched)]
        for change in changed:
            entries += a.taken_in(
                snapshot, balances, change.booked, change.found, change.difference
            )
        batch = Batch(
            entries=tuple(entries),
            last_block=row.last_block,
            positions=tuple(_new_life(snapshot, change) for change in changed),
        )
        self._ledger.post(self._name, batch)
        self._tell_of(change.difference for change in changed)

    def _ours_to_adopt(self, snapshot: Snapshot, change: Change, gone: Landmark | None) -> Change:
        if gone is not None and _was_there(change, gone):
            change = replace(change, difference=f"{_OPENING_GONE}; {change.difference}")
        elif self._by_hand is ByHand.HALT:
            self._halt(snapshot, change.difference + _BY_HAND)
        holder = self._ledger.holder(self._name, change.token_id, snapshot.pool)
        if holder is not None:
            self._halt(
                snapshot,
                f"{change.difference}, and it is in the books of campaign {holder}; give each of "
                "them its own `positions`",
            )
        return change

    def _tell_of(self, changed_by_hand: Iterable[str]) -> None:
        for text in changed_by_hand:
            structlog.get_logger().warning(
                "changed by hand, and taken into the books", campaign=self._name, change=text
            )

    def _open_again(self, row: CampaignRow, snapshot: Snapshot) -> None:
        """A reorganisation took out the block that the books were opened at: what had come and gone
        before it may have gone and come back, and no transfer since tells that.

        This is the block that they stand on from now on, so that it explains nothing a second time.
        """
        difference, text = snapshot.pool.amounts(0, 0), None
        if row.budget is None:  # else what differs is not the campaign's
            difference = self._wallet_difference(snapshot)
        if not difference.is_zero:
            text = f"{_OPENING_GONE}; {self._expected_and_found(snapshot)}"
        self._post((a.opened_again(snapshot, difference, text),), snapshot.block.number)
        self._tell_of([text] if text else [])

    def _take_in_transfers(self, row: CampaignRow, snapshot: Snapshot) -> None:
        """Where the wallet differs from the books, look for the transfers that explain it.

        Such as do not are left for the next look: an RPC may tell of them late. What was booked as
        it was seen may also have been taken out since, by a reorganisation.
        """
        if row.budget is not None:
            self.take_in_for_neighbours(row, snapshot)
            return
        difference = self._wallet_difference(snapshot)
        if difference.is_zero:
            self._post((), last_block=snapshot.block.number)
        elif (
            self._moved_outside(row, row.last_block, snapshot) == difference
            or self._moved_otherwise(row, snapshot) == difference
        ):
            self._post((a.transfer(snapshot, difference),), last_block=snapshot.block.number)

    def _moved_otherwise(self, row: CampaignRow, snapshot: Snapshot) -> Amounts:
        """What others moved lately, as the chain has it now, beyond what is booked of that."""
        since = snapshot.block.timestamp - MAY_BE_TAKEN_OUT_S
        looks = self._ledger.entries(self._name, _LOOKS)
        begun = (look.kind == a.OPENED_AGAIN or look.timestamp < since for look in looks)
        last = max((at for at, it_is in enumerate(begun) if it_is), default=0)
        moved = self._moved_outside(row, looks[last].block_number, snapshot)
        return reduce(
            sub, (look.amounts(a.WALLET, snapshot.pool) for look in looks[last + 1 :]), moved
        )

    def _moved_outside(self, row: CampaignRow, after_block: int, snapshot: Snapshot) -> Amounts:
        """What came to the wallet after a block, or (negative) left it, without us."""
        ours = self._ledger.booked_transactions(row.chain_id, row.account)
        return self._outside_transfers(after_block + 1, snapshot.block.number, ours)

    def _wallet_difference(self, snapshot: Snapshot) -> Amounts:
        """What the chain holds in the wallet beyond what the books say."""
        return snapshot.wallet.balances - self._booked_wallet(snapshot)

    def _expected_and_found(self, snapshot: Snapshot) -> str:
        return f"expected {self._booked_wallet(snapshot)}, found {snapshot.wallet.balances}"

    def _booked_wallet(self, snapshot: Snapshot) -> Amounts:
        chain_id, wallet = snapshot.chain_id, snapshot.wallet
        totals = [
            self._ledger.wallet_totals(chain_id, wallet.address, token.address)
            for token in _by_token(wallet.balances)
        ]
        return snapshot.pool.amounts(*totals)

    def _halt(self, snapshot: Snapshot, difference: str) -> None:
        reason = f"the books do not close at block {snapshot.block.number}: {difference}"
        Diary(self._ledger.engine, self._name).halt(reason, snapshot.block.timestamp)
        raise BooksDoNotClose(f"campaign {self._name}: {reason}")

    def _post(self, entries: tuple[a.Entry, ...], last_block: int) -> None:
        self._ledger.post(self._name, Batch(entries=entries, last_block=last_block))


def _new_life(snapshot: Snapshot, change: Change) -> PositionEvent:
    if change.found is None:
        return Closed(change.token_id, snapshot.block.timestamp)
    return BegunAnew(found_basis(snapshot, change.found))


def _gone_opening(snapshot: Snapshot, marks: Landmarks) -> Landmark | None:
    """The block that the books were opened at, where a reorganisation took it out. After an hour it
    did not, whatever a node says."""
    opened = marks.opened
    if opened is None or not _is_taken_out(snapshot, opened):
        return None
    young = snapshot.block.timestamp - opened.timestamp < MAY_BE_TAKEN_OUT_S
    return opened if young else None


def _was_there(change: Change, opened: Landmark) -> bool:
    """Whether a position may have changed with the opening: not one that we have minted since,
    whose transaction stands."""
    return change.booked is None or change.booked.timestamp <= opened.timestamp


def _is_taken_out(snapshot: Snapshot, mark: Landmark) -> bool:
    """Whether the snapshot's chain has another block there. A node that has none, though its chain
    is as long, has lost it: that tells nothing."""
    return snapshot.hash_at(mark.number) not in (None, mark.block_hash)


def _by_token(amounts: Amounts) -> dict[Token, int]:
    return {amount.token: amount.raw for amount in (amounts.amount0, amounts.amount1)}
