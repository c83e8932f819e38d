"""Keeps a campaign's books in step with the chain, and halts it where they do not close."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction

from lpmanager.errors import ConfigError, Halted, PlanRefused
from lpmanager.execution.plan_file import decision_to_json
from lpmanager.inventory.holdings import measure_holdings
from lpmanager.ledger import accounting as a
from lpmanager.ledger.alarms import loss_alarm, nav_mark
from lpmanager.ledger.by_hand import ByHand, found_basis
from lpmanager.ledger.campaign_intents import begun, came_to_nothing, last_decision
from lpmanager.ledger.diary import CycleRow, Diary
from lpmanager.ledger.efficiency import efficiency_of
from lpmanager.ledger.landmarks import Landmarks, landmarks
from lpmanager.ledger.neighbours import Neighbourhood
from lpmanager.ledger.over_time import balances_over_time
from lpmanager.ledger.reading import campaign_flows, campaign_record
from lpmanager.ledger.report import Adoption, PositionLife, adoptions, lineage
from lpmanager.ledger.result import Result, result_of
from lpmanager.ledger.store import CampaignRow, Ledger
from lpmanager.ledger.writing import Batch, Closed, Opened, PositionEvent
from lpmanager.model import (
    Amounts,
    Basis,
    CampaignRecord,
    Decision,
    Gate,
    Hold,
    Minted,
    Outcome,
    Plan,
    PoolKey,
    Snapshot,
    Step,
    Stop,
    StopKind,
    Withdrawn,
)
from lpmanager.reconciliation import OutsideTransfers, Reconciliation
from lpmanager.risk.contagion.neighbours import Surroundings
from lpmanager.risk.efficiency import Efficiency
from lpmanager.risk.missing import Missing


class Bookkeeper:
    """The books of one campaign.

    They are those of the holder of its tokens, the account itself or a vault. `signer` is the
    account that signs for it, which may become another. `budget` None means all the holder has of
    both tokens; `by_hand` is what becomes of the campaign where somebody else changed what it
    holds. Without a `neighbourhood` it is alone.
    """

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        signer: str,
        budget: Amounts | None,
        outside_transfers: OutsideTransfers,
        by_hand: ByHand = ByHand.HALT,
        neighbourhood: Neighbourhood | None = None,
    ) -> None:
        self._name = name
        self._ledger = ledger
        self._signer = signer
        self._budget = budget
        self._neighbourhood = neighbourhood
        self._reconciliation = Reconciliation(name, ledger, outside_transfers, by_hand)
        self._diary = Diary(ledger.engine, name)

    def require_running(self) -> None:
        """Raise Halted while the campaign is stopped."""
        self._diary.require_running()

    def require_not_begun(self, plan: Plan) -> None:
        """Raise PlanRefused where something was signed for that very plan before: one that was
        stopped half way is not done again from its beginning."""
        journal = self._ledger.journal(plan.chain_id)
        intent = begun(journal.history(plan.account), plan)
        if intent is not None:
            raise PlanRefused(
                f"the plan was begun before: {intent.what} is {intent.status}; make a new one"
            )

    def bring_up_to(self, snapshot: Snapshot) -> CampaignRecord:
        """Open the books at the first snapshot; later mark them to it and take in transfers, and
        what was changed by hand where that is the rule. Neighbours may know it from then on.

        Raises BooksDoNotClose, and halts the campaign, where the chain holds anything else than
        the books say then; ChainError where the snapshot is older than the books, MaybeSent while
        something of ours is under way.
        """
        self._reconciliation.require_settled(snapshot)
        row = self._ledger.campaign(self._name)
        if row is None:
            self._open(snapshot)
        else:
            self._require_same(row, snapshot)
            self._reconciliation.bring_up_to(row, snapshot, self.landmarks())
        self._reconciliation.require_wallet_explained(snapshot)
        record = campaign_record(self._ledger, self._name, snapshot)
        if self._neighbourhood is not None:
            self._neighbourhood.tell(snapshot, record)
        return record

    def require_nobody_else_signed(self, snapshot: Snapshot) -> None:
        """Raise StrangersTransaction, and halt the campaign, where a snapshot that the books were
        brought up to shows that something else signs for the account, and that may not be."""
        self._reconciliation.require_nobody_else_signed(snapshot)

    def surroundings(self) -> Surroundings:
        """What the other campaigns of the store have told of themselves."""
        return Surroundings() if self._neighbourhood is None else self._neighbourhood.surroundings()

    def close(self, before: Snapshot, outcome: Outcome, read_after: Callable[[], Snapshot]) -> None:
        """Book what a plan did after `before`, then bring the books up to what is read after it.

        Raises as `bring_up_to`; Halted, and halts the campaign, where nothing may be signed any
        more.
        """
        self._book(outcome, before.block.number, before.block.timestamp)
        self._halt_if_told(outcome, before.block.timestamp)
        after = read_after()
        self._reconciliation.require_settled(after)
        self._reconciliation.require_gas_explained(before, outcome, after)
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
        history = self._ledger.journal(row.chain_id).history(self._signer)
        decided_at = last_decision(history, self._name)
        failed = came_to_nothing(history, self._name)
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
        value, since any such note of the last day, or the last before it. A campaign that holds
        nothing loses none: what it paid for gas is worth more or less from day to day. Nor does one
        that nothing was put into.
        """
        holds_nothing = record.wallet.is_zero and not record.bases
        if holds_nothing or not record.deposits:
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

    def write_down_allowed(self, snapshot: Snapshot, stop: Stop) -> None:
        """Keep that an allowance could not be taken back, so that nothing was decided: by that a
        campaign fails as by a plan."""
        gate = Gate(
            name="allowances",
            passed=False,
            measured="not zero",
            limit="zero",
            reason="what others are allowed to take from the account is taken back first",
        )
        hold = Hold(
            campaign=self._name,
            block=snapshot.block,
            reason="an allowance could not be taken back",
            gates=(gate,),
        )
        self.write_down(snapshot, hold, Outcome(steps=(), stop=stop))

    def landmarks(self) -> Landmarks:
        """The blocks that the books stand on. A snapshot for them is read with their heights."""
        return landmarks(self._ledger.engine, self._name)

    def open_positions(self, pool: PoolKey) -> frozenset[int]:
        """The ids of the positions the books hold open."""
        return frozenset(self._ledger.bases(self._name, pool))

    def result(self, snapshot: Snapshot) -> Result:
        """The campaign's result up to a snapshot that the books were brought up to."""
        return self._result(snapshot, campaign_record(self._ledger, self._name, snapshot))

    def efficiency(self, snapshot: Snapshot, record: CampaignRecord) -> Efficiency | Missing:
        """How well market making paid up to a snapshot that the books were brought up to."""
        return efficiency_of(
            snapshot,
            record,
            balances_over_time(self._ledger.engine, self._name, snapshot.pool),
            self.lineage(),
            self._diary.prices(),
        )

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
        batch = Batch(
            entries=tuple(entries),
            last_block=last_block,
            positions=tuple(event for step in outcome.steps for event in _positions(step)),
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
            self._reconciliation.take_in_for_neighbours(row, snapshot)
        share = held if self._budget is None else self._budget
        batch = Batch(
            entries=(a.opening(snapshot, share),),
            last_block=snapshot.block.number,
            positions=tuple(Opened(found_basis(snapshot, p)) for p in snapshot.positions),
        )
        self._ledger.open_campaign(row, snapshot.pool, held, share, batch)

    def _require_same(self, row: CampaignRow, snapshot: Snapshot) -> None:
        budget = None if self._budget is None else self._budget.raw
        for what, booked, found in (
            ("chain", str(row.chain_id), str(snapshot.chain_id)),
            ("holder", row.account, snapshot.wallet.address),
            ("pool", row.pool, snapshot.pool.address),
            ("budget in raw units", str(row.budget), str(budget)),
        ):
            if booked != found:
                raise ConfigError(
                    f"campaigns.{self._name}: its books are for {what} {booked}, the configuration "
                    f"says {found}; begin new books in another store"
                )

    def _halt_if_told(self, outcome: Outcome, timestamp: int) -> None:
        """What the journal halted it for is not noted twice, nor what is found again at every tick
        with other numbers. A plan that failed may have been one too many, and whoever asked it to
        stop may have halted it."""
        if outcome.stop is None:
            return
        told = {_without_numbers(halt.reason) for halt in self._diary.standing()}
        new = _without_numbers(outcome.stop.reason) not in told
        if outcome.stop.kind is StopKind.HALT and new:
            self._diary.halt(outcome.stop.reason, timestamp)
        self._diary.require_running()


def _without_numbers(reason: str) -> str:
    return re.sub(r"\d+", "", reason)


def _positions(step: Step) -> Iterator[PositionEvent]:
    """What became of positions by a transaction, in order."""
    for fact in step.facts:
        match fact:
            case Minted():
                yield Opened(_basis(fact, step.block.timestamp))
            case Withdrawn():
                yield Closed(fact.token_id, step.block.timestamp)


def _basis(fact: Minted, timestamp: int) -> Basis:
    return Basis(
        token_id=fact.token_id,
        range=fact.range,
        liquidity=fact.liquidity,
        amounts=fact.principal,
        sqrt_price_x96=fact.sqrt_price_x96,
        timestamp=timestamp,
    )
