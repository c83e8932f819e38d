"""Keeps a campaign's books in step with the chain, and halts it where they do not close."""

from __future__ import annotations

from collections.abc import Callable

from lpmanager.errors import BooksDoNotClose, ChainError, ConfigError, Halted
from lpmanager.execution.plan_file import decision_to_json
from lpmanager.inventory.holdings import measure_holdings
from lpmanager.ledger import accounting as a
from lpmanager.ledger.journal import CycleRow, Diary
from lpmanager.ledger.reading import campaign_flows, campaign_record
from lpmanager.ledger.report import PositionLife, lineage
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
    PoolKey,
    Snapshot,
    Withdrawn,
)

#: (first block, last block, hashes of our own transactions) -> what others moved in or out
OutsideTransfers = Callable[[int, int, frozenset[str]], Amounts]


class Bookkeeper:
    """The books of one campaign. `budget` None means all the account holds of both tokens."""

    def __init__(
        self, name: str, ledger: Ledger, budget: Amounts | None, outside_transfers: OutsideTransfers
    ) -> None:
        self._name = name
        self._ledger = ledger
        self._budget = budget
        self._outside_transfers = outside_transfers
        self._diary = Diary(ledger.engine, name)

    def require_running(self) -> None:
        """Raise Halted while the campaign is stopped."""
        reason = self._diary.halted()
        if reason is not None:
            raise Halted(f"campaign {self._name} is halted: {reason}")

    def bring_up_to(self, snapshot: Snapshot) -> CampaignRecord:
        """Open the books at the first snapshot; later mark them to it and take in transfers.

        Raises BooksDoNotClose, and halts the campaign, where the chain holds anything else than
        the books say; ChainError where the snapshot is older than the books.
        """
        row = self._ledger.campaign(self._name)
        if row is None:
            self._open(snapshot)
        else:
            self._require_same(row, snapshot)
            self._require_not_behind(row, snapshot)
            mark = a.mark(snapshot, self._ledger.balances(self._name))
            self._require_untouched_positions(snapshot, mark)
            self._post((mark,), last_block=row.last_block)
            self._take_in_transfers(row, snapshot)
        self._require_wallet_explained(snapshot)
        return campaign_record(self._ledger, self._name, snapshot)

    def close(self, before: Snapshot, outcome: Outcome, read_after: Callable[[], Snapshot]) -> None:
        """Book what a plan did after `before`, then bring the books up to what is read after it.

        Raises as `bring_up_to`.
        """
        self._book(before, outcome)
        after = read_after()
        self._require_gas_explained(before, outcome, after)
        self.bring_up_to(after)

    def write_down(self, snapshot: Snapshot, decision: Decision, outcome: Outcome | None) -> None:
        """Keep the decision, and whether it was carried out, for the reports."""
        self._diary.write(
            CycleRow(
                block_number=snapshot.block.number,
                timestamp=snapshot.block.timestamp,
                sqrt_price_x96=snapshot.state.sqrt_price_x96,
                decision=decision_to_json(decision),
                acted=outcome is not None and bool(outcome.steps),
                stopped=None if outcome is None else outcome.stopped,
            )
        )

    def open_positions(self, pool: PoolKey) -> frozenset[int]:
        """The ids of the positions the books hold open."""
        return frozenset(self._ledger.bases(self._name, pool))

    def result(self, snapshot: Snapshot) -> Result:
        """The campaign's result up to a snapshot that the books were brought up to."""
        record = campaign_record(self._ledger, self._name, snapshot)
        flows = campaign_flows(self._ledger, self._name, snapshot)
        return result_of(flows, measure_holdings(snapshot, record), snapshot)

    def diary(self) -> list[CycleRow]:
        """Every cycle, oldest first."""
        return self._diary.cycles()

    def halted(self) -> str | None:
        """Why the campaign is halted, or None."""
        return self._diary.halted()

    def lineage(self) -> tuple[PositionLife, ...]:
        """Every position the campaign ever had, oldest first."""
        return lineage(self._ledger.engine, self._name)

    def _book(self, before: Snapshot, outcome: Outcome) -> None:
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
            last_block=before.block.number,
            opened=tuple(_basis(fact, time) for fact, time in facts if isinstance(fact, Minted)),
            closed={fact.token_id: time for fact, time in facts if isinstance(fact, Withdrawn)},
            decided_at=before.block.timestamp,
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
        if self._budget is not None:
            self._take_in_for_neighbours(row, snapshot)
        share = held if self._budget is None else self._budget
        entry = a.opening(snapshot, share)
        batch = Batch(
            entries=(entry,),
            last_block=snapshot.block.number,
            opened=_adopted(snapshot, entry),
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

    def _require_not_behind(self, row: CampaignRow, snapshot: Snapshot) -> None:
        """An RPC of several nodes may answer from one that has not seen our last block yet: that
        is no difference between books and chain."""
        newest = max(row.last_block, self._ledger.newest_block(self._name) or 0)
        if snapshot.block.number < newest:
            raise ChainError(
                f"campaign {self._name}: the RPC is at block {snapshot.block.number}, its books at "
                f"{newest}; it lags behind, try again"
            )

    def _require_untouched_positions(self, snapshot: Snapshot, mark: a.Entry) -> None:
        """Positions change only by what we book: nobody else added, took out or collected."""
        on_chain = {p.token_id: p for p in snapshot.positions}
        booked = self._ledger.bases(self._name, snapshot.pool)
        for token_id in sorted(on_chain.keys() ^ booked.keys()):
            here, there = ("chain", "books") if token_id in on_chain else ("books", "chain")
            self._halt(
                snapshot, f"position {token_id} is in the {here} but not in the {there}{_BY_HAND}"
            )
        for token_id, basis in booked.items():
            found = on_chain[token_id].liquidity
            if found != basis.liquidity:
                self._halt(
                    snapshot,
                    f"position {token_id}: expected liquidity {basis.liquidity}, found {found}"
                    f"{_BY_HAND}",
                )
        for posting in mark.postings:
            if posting.account.startswith(a.UNCOLLECTED) and posting.amount.raw < 0:
                self._halt(
                    snapshot,
                    f"{posting.account}: {-posting.amount} went without a transaction of ours"
                    f"{_BY_HAND}",
                )

    def _take_in_transfers(self, row: CampaignRow, snapshot: Snapshot) -> None:
        """Where the wallet differs from the books, look for the transfers that explain it."""
        if row.budget is not None:
            self._take_in_for_neighbours(row, snapshot)
            return
        if self._wallet_difference(snapshot).is_zero:
            self._post((), last_block=snapshot.block.number)
            return
        moved = self._outside_transfers(
            row.last_block + 1, snapshot.block.number, self._ledger.our_transactions(row.account)
        )
        self._post((a.transfer(snapshot, moved),), last_block=snapshot.block.number)

    def _take_in_for_neighbours(self, row: CampaignRow, snapshot: Snapshot) -> None:
        """What comes to an account whose campaigns have budgets belongs to none of them."""
        difference, moved = self._wallet_difference(snapshot), {}
        for token, found in _by_token(difference).items():
            rest = self._ledger.unallocated(row.chain_id, row.account, token)
            if rest is None or found == 0:
                continue
            came = self._outside_transfers(
                rest.last_block + 1,
                snapshot.block.number,
                self._ledger.our_transactions(row.account),
            )
            moved[token] = _by_token(came)[token]
        self._ledger.add_unallocated(row.chain_id, row.account, moved, snapshot.block.number)

    def _wallet_difference(self, snapshot: Snapshot) -> Amounts:
        """What the chain holds in the wallet beyond what the books say."""
        return snapshot.wallet.balances - self._booked_wallet(snapshot)

    def _booked_wallet(self, snapshot: Snapshot) -> Amounts:
        chain_id, wallet = snapshot.chain_id, snapshot.wallet
        totals = [
            self._ledger.wallet_totals(chain_id, wallet.address, token)
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
        """Native coin must not go but for our gas. More may come: anybody can send some."""
        spent = before.wallet.native - after.wallet.native
        gas = sum((s.gas_paid for s in outcome.steps), Amount(spent.token, 0))
        if gas < spent:
            self._halt(after, f"native coin: {spent} went, our transactions paid {gas}")

    def _halt(self, snapshot: Snapshot, difference: str) -> None:
        reason = f"the books do not close at block {snapshot.block.number}: {difference}"
        self._diary.halt(reason, snapshot.block.timestamp)
        raise BooksDoNotClose(f"campaign {self._name}: {reason}")

    def _post(self, entries: tuple[a.Entry, ...], last_block: int) -> None:
        self._ledger.post(self._name, Batch(entries=entries, last_block=last_block))


_BY_HAND = "; it was changed by hand: begin new books under another campaign name to go on from it"


def _adopted(snapshot: Snapshot, opening: a.Entry) -> tuple[Basis, ...]:
    """The basis of every position that was there when the books were opened."""
    return tuple(
        Basis(
            token_id=p.token_id,
            range=p.range,
            liquidity=p.liquidity,
            amounts=_posted(opening, a.position_account(p.token_id), snapshot.pool),
            sqrt_price_x96=snapshot.state.sqrt_price_x96,
            timestamp=snapshot.block.timestamp,
        )
        for p in snapshot.positions
    )


def _basis(fact: Minted, timestamp: int) -> Basis:
    return Basis(
        token_id=fact.token_id,
        range=fact.range,
        liquidity=fact.liquidity,
        amounts=fact.principal,
        sqrt_price_x96=fact.sqrt_price_x96,
        timestamp=timestamp,
    )


def _by_token(amounts: Amounts) -> dict[str, int]:
    return {amount.token.address: amount.raw for amount in (amounts.amount0, amounts.amount1)}


def _posted(entry: a.Entry, account: str, pool: PoolKey) -> Amounts:
    raw = {p.amount.token.address: p.amount.raw for p in entry.postings if p.account == account}
    return pool.amounts(raw.get(pool.token0.address, 0), raw.get(pool.token1.address, 0))
