"""Keeps a campaign's books in step with the chain, and halts it where they do not close."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

import structlog

from lpmanager.errors import (
    BooksDoNotClose,
    ChainError,
    ConfigError,
    Halted,
    MaybeSent,
    PlanRefused,
)
from lpmanager.execution.plan_file import decision_to_json
from lpmanager.inventory.holdings import measure_holdings
from lpmanager.ledger import accounting as a
from lpmanager.ledger.alarms import loss_alarm, nav_mark
from lpmanager.ledger.by_hand import ByHand, Change, changes, found_basis
from lpmanager.ledger.campaign_intents import begun, came_to_nothing, last_decision
from lpmanager.ledger.diary import CycleRow, Diary
from lpmanager.ledger.landmarks import Landmark, Landmarks, landmarks
from lpmanager.ledger.reading import campaign_flows, campaign_record
from lpmanager.ledger.report import Adoption, PositionLife, adoptions, lineage
from lpmanager.ledger.result import Result, result_of
from lpmanager.ledger.store import CampaignRow, Ledger
from lpmanager.ledger.writing import Batch
from lpmanager.model import (
    Amount,
    Amounts,
    Basis,
    CampaignRecord,
    Decision,
    Minted,
    Outcome,
    Plan,
    PoolKey,
    Snapshot,
    StopKind,
    Token,
    Withdrawn,
)

#: (first block, last block, hashes of our own transactions) -> what others moved in or out
OutsideTransfers = Callable[[int, int, frozenset[str]], Amounts]


class Bookkeeper:
    """The books of one campaign. `budget` None means all the account holds of both tokens;
    `by_hand` is what becomes of the campaign where somebody else changed what it holds."""

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        budget: Amounts | None,
        outside_transfers: OutsideTransfers,
        by_hand: ByHand = ByHand.HALT,
    ) -> None:
        self._name = name
        self._ledger = ledger
        self._budget = budget
        self._outside_transfers = outside_transfers
        self._by_hand = by_hand
        self._diary = Diary(ledger.engine, name)

    def require_running(self) -> None:
        """Raise Halted while the campaign is stopped."""
        self._diary.require_running()

    def require_not_begun(self, plan: Plan) -> None:
        """Raise PlanRefused where something was signed for that very plan before: one that was
        stopped half way is not done again from its beginning."""
        journal = self._ledger.journal(plan.chain_id)
        intent = begun(journal.intents(plan.account), plan)
        if intent is not None:
            raise PlanRefused(
                f"the plan was begun before: {intent.purpose.call.what} is {intent.status}; make a "
                "new one"
            )

    def bring_up_to(self, snapshot: Snapshot) -> CampaignRecord:
        """Open the books at the first snapshot; later mark them to it and take in transfers, and
        what was changed by hand where that is the rule.

        Raises BooksDoNotClose, and halts the campaign, where the chain holds anything else than
        the books say then; ChainError where the snapshot is older than the books, MaybeSent while
        something of ours is under way.
        """
        self._require_settled(snapshot)
        row = self._ledger.campaign(self._name)
        if row is None:
            self._open(snapshot)
        else:
            self._require_same(row, snapshot)
            marks = self.landmarks()
            self._require_not_behind(row, snapshot, marks)
            self._require_transactions_stand(snapshot, marks)
            self._mark_positions(row, snapshot, marks)
            self._take_in_transfers(row, snapshot)
        self._require_wallet_explained(snapshot)
        return campaign_record(self._ledger, self._name, snapshot)

    def close(self, before: Snapshot, outcome: Outcome, read_after: Callable[[], Snapshot]) -> None:
        """Book what a plan did after `before`, then bring the books up to what is read after it.

        Raises as `bring_up_to`; Halted, and halts the campaign, where nothing may be signed any
        more.
        """
        self._book(outcome, before.block.number, before.block.timestamp)
        self._halt_if_told(outcome, before.block.timestamp)
        after = read_after()
        self._require_settled(after)
        self._require_gas_explained(before, outcome, after)
        self.bring_up_to(after)

    def catch_up(self, outcome: Outcome) -> None:
        """Book what an earlier run had done and did not come to book.

        Raises Halted, and halts the campaign, where nothing may be signed any more, or the plan was
        one failure too many.
        """
        row = self._ledger.campaign(self._name)
        if row is None:
            if outcome.steps:
                raise Halted(f"campaign {self._name}: has transactions of its own but no books")
            return
        intents = self._ledger.journal(row.chain_id).intents(row.account)
        decided_at = last_decision(intents, self._name)
        failed = came_to_nothing(intents, self._name)
        self._book(outcome, row.last_block, decided_at)
        self._halt_if_told(outcome, decided_at)
        if failed:
            self._diary.failed_after_all(decided_at, "; ".join(failed))
            self._diary.require_running()

    def require_loss_within(
        self, limit: Fraction, snapshot: Snapshot, record: CampaignRecord
    ) -> None:
        """Note what the campaign is worth at a snapshot that the books were brought up to.

        Raises Halted, and halts the campaign, where it has lost more than `limit`, a share of its
        value, since any such note of the last day. A campaign that never held anything loses none.
        """
        if not record.deposits:
            return
        now = nav_mark(self._result(snapshot, record), snapshot)
        alarm = loss_alarm(self._diary.marks(now.timestamp), now, snapshot.quote, limit)
        if alarm is None:
            self._diary.mark(now)
        else:
            self._diary.halt(alarm, now.timestamp)
            self._diary.require_running()

    def write_down(self, snapshot: Snapshot, decision: Decision, outcome: Outcome | None) -> None:
        """Keep the decision, and whether it was carried out, for the reports and the alarms."""
        self._diary.write(
            CycleRow(
                block_number=snapshot.block.number,
                timestamp=snapshot.block.timestamp,
                sqrt_price_x96=snapshot.state.sqrt_price_x96,
                decision=decision_to_json(decision),
                acted=outcome is not None and bool(outcome.steps),
                stopped=None if outcome is None else outcome.stopped,
                stop_kind=None if outcome is None or outcome.stop is None else outcome.stop.kind,
            )
        )

    def landmarks(self) -> Landmarks:
        """The blocks that the books stand on. A snapshot for them is read with their heights."""
        return landmarks(self._ledger.engine, self._name)

    def open_positions(self, pool: PoolKey) -> frozenset[int]:
        """The ids of the positions the books hold open."""
        return frozenset(self._ledger.bases(self._name, pool))

    def result(self, snapshot: Snapshot) -> Result:
        """The campaign's result up to a snapshot that the books were brought up to."""
        return self._result(snapshot, campaign_record(self._ledger, self._name, snapshot))

    def diary(self) -> list[CycleRow]:
        """Every cycle, oldest first."""
        return self._diary.cycles()

    def halted(self) -> str | None:
        """Why the campaign is halted, or None."""
        return self._diary.halted()

    def lineage(self) -> tuple[PositionLife, ...]:
        """Every position the campaign ever had, oldest first."""
        return lineage(self._ledger.engine, self._name)

    def adoptions(self) -> tuple[Adoption, ...]:
        """All that was changed by hand and taken into the books, oldest first."""
        return adoptions(self._ledger.engine, self._name)

    def _result(self, snapshot: Snapshot, record: CampaignRecord) -> Result:
        flows = campaign_flows(self._ledger, self._name, snapshot)
        return result_of(flows, measure_holdings(snapshot, record), snapshot)

    def _book(self, outcome: Outcome, last_block: int, decided_at: int) -> None:
        """Write all that a plan did at once."""
        if not outcome.steps:
            return
        balances = self._ledger.balances(self._name)
        entries: list[a.Entry] = []
        for step in outcome.steps:
            done = a.of_step(step, balances)
            balances = a.added(balances, done)
            entries += done
        facts = [(step.fact, step.block.timestamp) for step in outcome.steps]
        batch = Batch(
            entries=tuple(entries),
            last_block=last_block,
            opened=tuple(_basis(fact, time) for fact, time in facts if isinstance(fact, Minted)),
            closed={fact.token_id: time for fact, time in facts if isinstance(fact, Withdrawn)},
            decided_at=decided_at,
            transactions=tuple(step.tx_hash for step in outcome.steps),
        )
        self._ledger.post(self._name, batch)

    def _open(self, snapshot: Snapshot) -> None:
        held = snapshot.wallet.balances
        row = CampaignRow(
            name=self._name,
            chain_id=snapshot.chain_id,
            account=snapshot.wallet.address,
            pool=snapshot.pool.address,
            budget=None if self._budget is None else self._budget.raw,
            last_block=snapshot.block.number,
        )
        for position in snapshot.positions:
            holder = self._ledger.holder(self._name, position.token_id, snapshot.pool)
            if holder is not None:
                raise ConfigError(
                    f"campaigns.{self._name}.positions: position {position.token_id} is in the "
                    f"books of campaigns.{holder}; name the positions of each of them"
                )
        if self._budget is not None:
            self._take_in_for_neighbours(row, snapshot)
        share = held if self._budget is None else self._budget
        batch = Batch(
            entries=(a.opening(snapshot, share),),
            last_block=snapshot.block.number,
            opened=tuple(found_basis(snapshot, position) for position in snapshot.positions),
        )
        self._ledger.open_campaign(row, snapshot.pool, held, share, batch)

    def _require_same(self, row: CampaignRow, snapshot: Snapshot) -> None:
        budget = None if self._budget is None else self._budget.raw
        for what, booked, found in (
            ("chain", str(row.chain_id), str(snapshot.chain_id)),
            ("account", row.account, snapshot.wallet.address),
            ("pool", row.pool, snapshot.pool.address),
            ("budget in raw units", str(row.budget), str(budget)),
        ):
            if booked != found:
                raise ConfigError(
                    f"campaigns.{self._name}: its books are for {what} {booked}, the configuration "
                    f"says {found}; give the new one another name, or another store"
                )

    def _require_not_behind(self, row: CampaignRow, snapshot: Snapshot, marks: Landmarks) -> None:
        """An RPC of several nodes may answer from one that has not seen our last block yet: that
        is no difference between books and chain."""
        newest = max(row.last_block, *marks.heights)
        if snapshot.block.number < newest:
            raise ChainError(
                f"campaign {self._name}: the RPC is at block {snapshot.block.number}, its books at "
                f"{newest}; it lags behind, try again"
            )

    def _require_settled(self, snapshot: Snapshot) -> None:
        """While something of ours may still happen, books and chain cannot be compared."""
        journal = self._ledger.journal(snapshot.chain_id)
        for intent in journal.open_intents(snapshot.wallet.address):
            raise MaybeSent(
                f"{intent.purpose.call.what} of campaign {intent.purpose.campaign} is under way "
                f"({intent.status}); `lpm run --once --live {intent.purpose.campaign}` sees it "
                "through"
            )

    def _require_transactions_stand(self, snapshot: Snapshot, marks: Landmarks) -> None:
        """A reorganisation deeper than what counts as final takes out what is booked."""
        last = marks.transaction
        if last is not None and not _stands(snapshot, last):
            self._halt(
                snapshot,
                f"transaction {last.tx_hash} was booked in block {last.number}, expected "
                f"{last.block_hash} there, found {snapshot.earlier[last.number]}: a reorganisation "
                "took it out; raise transactions.confirmations, and begin new books under another "
                "campaign name",
            )

    def _mark_positions(self, row: CampaignRow, snapshot: Snapshot, marks: Landmarks) -> None:
        """Positions change only by what we book, unless a change by hand may be taken in."""
        balances = self._ledger.balances(self._name)
        changed = changes(snapshot, self._ledger.bases(self._name, snapshot.pool), balances)
        if marks.newest is not None and not _stands(snapshot, marks.newest):
            # Swaps that had paid these fees went with the block they were marked at.
            changed = tuple(change for change in changed if not change.of_fees_alone)
        for change in changed:
            self._require_ours_to_adopt(snapshot, change)
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
            changed=tuple(
                found_basis(snapshot, change.found) for change in changed if change.found
            ),
            closed={c.token_id: snapshot.block.timestamp for c in changed if c.found is None},
        )
        self._ledger.post(self._name, batch)
        self._tell_of(change.difference for change in changed)

    def _require_ours_to_adopt(self, snapshot: Snapshot, change: Change) -> None:
        if self._by_hand is ByHand.HALT:
            self._halt(snapshot, change.difference + _BY_HAND)
        holder = self._ledger.holder(self._name, change.token_id, snapshot.pool)
        if holder is not None:
            self._halt(
                snapshot,
                f"{change.difference}, and it is in the books of campaign {holder}; give each of "
                "them its own `positions`",
            )

    def _tell_of(self, changed_by_hand: Iterable[str]) -> None:
        for text in changed_by_hand:
            structlog.get_logger().warning(
                "changed by hand, and taken into the books", campaign=self._name, change=text
            )

    def _take_in_transfers(self, row: CampaignRow, snapshot: Snapshot) -> None:
        """Where the wallet differs from the books, look for the transfers that explain it.

        Such as do not are left for the next look: an RPC may tell of them late.
        """
        if row.budget is not None:
            self._take_in_for_neighbours(row, snapshot)
            return
        difference = self._wallet_difference(snapshot)
        if difference.is_zero:
            self._post((), last_block=snapshot.block.number)
        elif self._moved_outside(row.account, row.last_block, snapshot) == difference:
            self._post((a.transfer(snapshot, difference),), last_block=snapshot.block.number)

    def _take_in_for_neighbours(self, row: CampaignRow, snapshot: Snapshot) -> None:
        """What comes to an account whose campaigns have budgets belongs to none of them."""
        explained = {}
        for token, found in _by_token(self._wallet_difference(snapshot)).items():
            rest = self._ledger.unallocated(row.chain_id, row.account, token.address)
            if rest is None or found == 0:
                continue
            moved = self._moved_outside(row.account, rest.last_block, snapshot)
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

    def _moved_outside(self, account: str, after_block: int, snapshot: Snapshot) -> Amounts:
        """What came to the wallet after a block, or (negative) left it, without us."""
        ours = self._ledger.our_transactions(account)
        return self._outside_transfers(after_block + 1, snapshot.block.number, ours)

    def _wallet_difference(self, snapshot: Snapshot) -> Amounts:
        """What the chain holds in the wallet beyond what the books say."""
        return snapshot.wallet.balances - self._booked_wallet(snapshot)

    def _booked_wallet(self, snapshot: Snapshot) -> Amounts:
        chain_id, wallet = snapshot.chain_id, snapshot.wallet
        totals = [
            self._ledger.wallet_totals(chain_id, wallet.address, token.address)
            for token in _by_token(wallet.balances)
        ]
        return snapshot.pool.amounts(*totals)

    def _require_wallet_explained(self, snapshot: Snapshot) -> None:
        if not self._wallet_difference(snapshot).is_zero:
            self._halt(
                snapshot,
                f"account {snapshot.wallet.address}: expected {self._booked_wallet(snapshot)}, "
                f"found {snapshot.wallet.balances}, and no transfer explains it",
            )

    def _require_gas_explained(self, before: Snapshot, outcome: Outcome, after: Snapshot) -> None:
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

    def _halt_if_told(self, outcome: Outcome, timestamp: int) -> None:
        """A halt that a person asked for meanwhile stays as it is. A plan that failed may have been
        one too many."""
        if outcome.stop is None or outcome.stop.kind not in (StopKind.HALT, StopKind.ERROR):
            return
        if outcome.stop.kind is StopKind.HALT and self._diary.halted() is None:
            self._diary.halt(outcome.stop.reason, timestamp)
        self._diary.require_running()

    def _halt(self, snapshot: Snapshot, difference: str) -> None:
        reason = f"the books do not close at block {snapshot.block.number}: {difference}"
        self._diary.halt(reason, snapshot.block.timestamp)
        raise BooksDoNotClose(f"campaign {self._name}: {reason}")

    def _post(self, entries: tuple[a.Entry, ...], last_block: int) -> None:
        self._ledger.post(self._name, Batch(entries=entries, last_block=last_block))


_BY_HAND = (
    '; it was changed by hand: set changed_by_hand = "adopt" to take that into the books, or begin '
    "new books under another campaign name"
)


def _stands(snapshot: Snapshot, mark: Landmark) -> bool:
    """Whether the snapshot's chain has that block."""
    return snapshot.earlier[mark.number] == mark.block_hash


def _basis(fact: Minted, timestamp: int) -> Basis:
    return Basis(
        token_id=fact.token_id,
        range=fact.range,
        liquidity=fact.liquidity,
        amounts=fact.principal,
        sqrt_price_x96=fact.sqrt_price_x96,
        timestamp=timestamp,
    )


def _by_token(amounts: Amounts) -> dict[Token, int]:
    return {amount.token: amount.raw for amount in (amounts.amount0, amounts.amount1)}
