"""Keeps a campaign's books in step with the chain, and halts it where they do not close."""

from __future__ import annotations

from collections.abc import Callable

from lpmanager.errors import BooksDoNotClose, ConfigError, Halted
from lpmanager.execution.plan_file import decision_to_json
from lpmanager.inventory.holdings import measure_holdings
from lpmanager.ledger import accounting as a
from lpmanager.ledger.journal import CycleRow, Diary
from lpmanager.ledger.report import PositionLife, lineage
from lpmanager.ledger.result import Flows, Result, SwapRecord, result_of, total_cost
from lpmanager.ledger.store import Batch, CampaignRow, EntryRow, Ledger
from lpmanager.model import (
    Amount,
    Amounts,
    Basis,
    CampaignRecord,
    Decision,
    Deposit,
    Minted,
    Outcome,
    PoolKey,
    Snapshot,
    SqrtPriceX96,
    SwapPurpose,
    Usage,
    Withdrawn,
)

_DAY_S = 86_400

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
        reason = self.halted()
        if reason is not None:
            raise Halted(
                f"campaign {self._name} is halted: {reason}; look into it, then "
                f"`lpm resume {self._name}`"
            )

    def bring_up_to(self, snapshot: Snapshot) -> CampaignRecord:
        """Open the books at the first snapshot; later mark them to it and take in transfers.

        Raises BooksDoNotClose, and halts the campaign, where the chain holds anything else than
        the books say.
        """
        row = self._ledger.campaign(self._name)
        if row is None:
            self._open(snapshot)
        else:
            self._require_same(row, snapshot)
            self._require_known_positions(snapshot)
            balances = self._ledger.balances(self._name)
            self._post(snapshot, (a.mark(snapshot, balances),), last_block=row.last_block)
            self._take_in_transfers(row, snapshot)
        self._reconcile(snapshot)
        return self._record(snapshot)

    def close(self, before: Snapshot, outcome: Outcome, after: Snapshot) -> None:
        """Book what a plan did, then mark and reconcile at the snapshot after it."""
        for step in outcome.steps:
            entries = a.of_step(step, self._ledger.balances(self._name))
            fact, time = step.fact, step.block.timestamp
            opened = (_basis(fact, time),) if isinstance(fact, Minted) else ()
            closed = (fact.token_id,) if isinstance(fact, Withdrawn) else ()
            batch = Batch(
                entries=tuple(entries),
                last_block=before.block.number,
                timestamp=time,
                opened=opened,
                closed=closed,
                decided_at=before.block.timestamp,
            )
            self._ledger.post(self._name, batch)
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

    def result(self, snapshot: Snapshot) -> Result:
        """The campaign's result up to a snapshot that the books were brought up to."""
        record = self._record(snapshot)
        return result_of(self._flows(snapshot), measure_holdings(snapshot, record), snapshot)

    def diary(self) -> list[CycleRow]:
        """Every cycle, oldest first."""
        return self._diary.cycles()

    def halted(self) -> str | None:
        """Why the campaign is halted, or None."""
        return self._diary.halted()

    def lineage(self) -> tuple[PositionLife, ...]:
        """Every position the campaign ever had, oldest first."""
        return lineage(self._ledger.engine, self._name)

    def _open(self, snapshot: Snapshot) -> None:
        held = snapshot.wallet.balances
        share = held if self._budget is None else self._budget
        row = CampaignRow(
            name=self._name,
            chain_id=snapshot.chain_id,
            account=snapshot.wallet.address,
            pool=snapshot.pool.address,
            budgeted=self._budget is not None,
            last_block=snapshot.block.number,
        )
        entry = a.opening(snapshot, share)
        opened = tuple(
            Basis(
                token_id=p.token_id,
                range=p.range,
                amounts=_posted(entry, a.position_account(p.token_id), snapshot.pool),
                sqrt_price_x96=snapshot.state.sqrt_price_x96,
                timestamp=snapshot.block.timestamp,
            )
            for p in snapshot.positions
        )
        batch = Batch(
            entries=(entry,),
            last_block=snapshot.block.number,
            timestamp=snapshot.block.timestamp,
            opened=opened,
        )
        self._ledger.open_campaign(row, snapshot.pool, held, share, batch)

    def _require_same(self, row: CampaignRow, snapshot: Snapshot) -> None:
        for what, booked, found in (
            ("chain", str(row.chain_id), str(snapshot.chain_id)),
            ("account", row.account, snapshot.wallet.address),
            ("pool", row.pool, snapshot.pool.address),
        ):
            if booked != found:
                raise ConfigError(
                    f"campaigns.{self._name}: its books are for {what} {booked}, the configuration "
                    f"says {found}; give the new one another name, or another store"
                )

    def _require_known_positions(self, snapshot: Snapshot) -> None:
        on_chain = {p.token_id for p in snapshot.positions}
        booked = self._ledger.bases(self._name, snapshot.pool).keys()
        for token_id in sorted(on_chain ^ booked):
            here, there = ("chain", "books") if token_id in on_chain else ("books", "chain")
            self._halt(
                snapshot,
                f"position {token_id} is in the {here} but not in the {there}; "
                "it was changed by hand",
            )

    def _take_in_transfers(self, row: CampaignRow, snapshot: Snapshot) -> None:
        """Where the wallet differs from the books, look for the transfers that explain it."""
        if self._wallet_difference(snapshot).is_zero:
            self._post(snapshot, (), last_block=snapshot.block.number)
            return
        moved = self._outside_transfers(
            row.last_block + 1,
            snapshot.block.number,
            self._ledger.our_transactions(row.account),
        )
        if row.budgeted:
            for amount in (moved.amount0, moved.amount1):
                self._ledger.add_unallocated(
                    row.chain_id, row.account, amount.token.address, amount.raw
                )
        entries = () if row.budgeted else (a.transfer(snapshot, moved),)
        self._post(snapshot, entries, last_block=snapshot.block.number)

    def _wallet_difference(self, snapshot: Snapshot) -> Amounts:
        """What the chain holds in the wallet beyond what the books say."""
        held, wallet = snapshot.wallet.balances, snapshot.wallet.address
        booked = [
            self._ledger.wallet_totals(snapshot.chain_id, wallet, amount.token.address)
            for amount in (held.amount0, held.amount1)
        ]
        return held - snapshot.pool.amounts(*booked)

    def _reconcile(self, snapshot: Snapshot) -> None:
        """Every asset account against the chain, to the unit."""
        balances = self._ledger.balances(self._name)
        difference = self._wallet_difference(snapshot)
        if not difference.is_zero:
            self._halt(snapshot, f"wallet: the chain holds {difference} beyond the books")
        marked = a.mark(snapshot, balances)
        if marked.postings:
            first = marked.postings[0]
            self._halt(snapshot, f"{first.account}: the chain holds {first.amount} more")

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

    def _record(self, snapshot: Snapshot) -> CampaignRecord:
        pool = snapshot.pool
        balances = self._ledger.balances(self._name)
        return CampaignRecord(
            wallet=a.balance(balances, a.WALLET, pool.amounts(0, 0)),
            fees=-a.balance(balances, a.FEES, pool.amounts(0, 0)),
            deposits=self._deposits(pool),
            bases=self._ledger.bases(self._name, pool),
            usage=self._usage(snapshot),
        )

    def _deposits(self, pool: PoolKey) -> tuple[Deposit, ...]:
        return tuple(
            Deposit(
                amounts=-entry.amounts(a.DEPOSITS, pool),
                sqrt_price_x96=_price(entry),
                block_number=entry.block_number,
                timestamp=entry.timestamp,
            )
            for entry in self._ledger.entries(self._name, ["deposit"])
        )

    def _usage(self, snapshot: Snapshot) -> Usage:
        """What the last day's entries say was done. A move is a plan that minted or hedged."""
        since = snapshot.block.timestamp - _DAY_S
        done = self._ledger.entries(self._name, ["gas", "minted", "swapped"], since)
        native = snapshot.wallet.native.token.address
        swaps = [s for e in done if e.kind == "swapped" for s in _swaps_in(e, snapshot.pool)]
        cost = total_cost(swaps, snapshot)
        moved = self._ledger.entries(self._name, ["minted", "swapped"])
        moves = [e for e in moved if _is_move(e, snapshot.pool)]
        return Usage(
            moves=len({e.decided_at for e in moves if e.timestamp >= since}),
            gas_raw=sum(e.raw.get((a.GAS, native), 0) for e in done),
            swap_cost_quote_raw=max(0, -(-cost.numerator // cost.denominator)),
            last_move_at=moves[-1].timestamp if moves else None,
        )

    def _flows(self, snapshot: Snapshot) -> Flows:
        pool, balances = snapshot.pool, self._ledger.balances(self._name)
        nothing = pool.amounts(0, 0)
        native = snapshot.wallet.native.token
        swaps = self._ledger.entries(self._name, ["swapped"])
        return Flows(
            deposits=self._deposits(pool),
            pool_exchange=-a.balance(balances, a.POOL_EXCHANGE, nothing),
            fees=-a.balance(balances, a.FEES, nothing),
            rounding=a.balance(balances, a.ROUNDING, nothing),
            swaps=tuple(s for e in swaps for s in _swaps_in(e, pool)),
            gas=Amount(native, balances.get((a.GAS, native.address), 0)),
        )

    def _post(self, snapshot: Snapshot, entries: tuple[a.Entry, ...], last_block: int) -> None:
        batch = Batch(entries=entries, last_block=last_block, timestamp=snapshot.block.timestamp)
        self._ledger.post(self._name, batch)


def _is_move(entry: EntryRow, pool: PoolKey) -> bool:
    hedges = a.swap_account(SwapPurpose.HEDGE)
    return entry.kind == "minted" or not entry.amounts(hedges, pool).is_zero


def _basis(fact: Minted, timestamp: int) -> Basis:
    return Basis(
        token_id=fact.token_id,
        range=fact.range,
        amounts=fact.principal,
        sqrt_price_x96=fact.sqrt_price_x96,
        timestamp=timestamp,
    )


def _posted(entry: a.Entry, account: str, pool: PoolKey) -> Amounts:
    raw = {p.amount.token.address: p.amount.raw for p in entry.postings if p.account == account}
    return pool.amounts(raw.get(pool.token0.address, 0), raw.get(pool.token1.address, 0))


def _swaps_in(entry: EntryRow, pool: PoolKey) -> list[SwapRecord]:
    return [
        SwapRecord(purpose=purpose, delta=delta, sqrt_price_before_x96=_price(entry))
        for purpose in SwapPurpose
        if not (delta := -entry.amounts(a.swap_account(purpose), pool)).is_zero
    ]


def _price(entry: EntryRow) -> SqrtPriceX96:
    if entry.sqrt_price_x96 is None:
        raise ValueError(f"entry {entry.kind} at block {entry.block_number} carries no price")
    return SqrtPriceX96(entry.sqrt_price_x96)
