"""What the books say of a campaign, as decisions and reports need it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from lpmanager.ledger import accounting as a
from lpmanager.ledger.entry_row import EntryRow
from lpmanager.ledger.result import Exchanged, Flows, SwapRecord, total_cost, with_swap
from lpmanager.model import (
    Amount,
    Basis,
    CampaignRecord,
    Deposit,
    PoolKey,
    Snapshot,
    SqrtPriceX96,
    SwapPurpose,
    Token,
    Usage,
)
from lpmanager.model.units import DAY_S


class Books(Protocol):
    """What is read of campaigns' books: of the Ledger, or of a backtest's."""

    def balances(self, campaign: str) -> dict[tuple[str, str], int]: ...

    def entries(self, campaign: str, kinds: Iterable[str], since: int = 0) -> list[EntryRow]: ...

    def bases(self, campaign: str, pool: PoolKey) -> dict[int, Basis]: ...

    def last_move_at(self, campaign: str) -> int | None: ...


def campaign_record(ledger: Books, campaign: str, snapshot: Snapshot) -> CampaignRecord:
    """The campaign's books at a snapshot they were brought up to."""
    pool, balances = snapshot.pool, ledger.balances(campaign)
    nothing = pool.amounts(0, 0)
    return CampaignRecord(
        wallet=a.balance(balances, a.WALLET, nothing),
        fees=-a.balance(balances, a.FEES, nothing),
        gas_raw=_gas(balances, snapshot).raw,
        deposits=_deposits(ledger, campaign, pool),
        bases=ledger.bases(campaign, pool),
        usage=_usage(ledger, campaign, snapshot),
    )


def campaign_flows(ledger: Books, campaign: str, snapshot: Snapshot) -> Flows:
    """All that happened to the campaign up to a snapshot its books were brought up to."""
    swaps = with_swaps_of({}, ledger.entries(campaign, ["swapped"]), snapshot.pool, snapshot.quote)
    return flows_with(ledger, campaign, snapshot, swaps)


def with_swaps_of(
    swaps: Mapping[SwapPurpose, Exchanged], rows: Iterable[EntryRow], pool: PoolKey, quote: Token
) -> Mapping[SwapPurpose, Exchanged]:
    """Sums of swaps with those in more entries, each at the price just before it."""
    for row in rows:
        for swap in _swaps_in(row, pool):
            swaps = with_swap(swaps, swap, pool, quote)
    return swaps


def flows_with(
    ledger: Books, campaign: str, snapshot: Snapshot, swaps: Mapping[SwapPurpose, Exchanged]
) -> Flows:
    """As `campaign_flows`, with the sums of swaps as they are given."""
    pool, balances = snapshot.pool, ledger.balances(campaign)
    nothing = pool.amounts(0, 0)
    return Flows(
        deposits=_deposits(ledger, campaign, pool),
        pool_exchange=-a.balance(balances, a.POOL_EXCHANGE, nothing),
        fees=-a.balance(balances, a.FEES, nothing),
        rounding=a.balance(balances, a.ROUNDING, nothing),
        swaps=swaps,
        gas=_gas(balances, snapshot),
    )


def _gas(balances: a.Balances, snapshot: Snapshot) -> Amount:
    native = snapshot.wallet.native.token
    return Amount(native, balances.get((a.GAS, native.address), 0))


def _deposits(ledger: Books, campaign: str, pool: PoolKey) -> tuple[Deposit, ...]:
    return tuple(
        Deposit(
            amounts=-entry.amounts(a.DEPOSITS, pool),
            sqrt_price_x96=_price(entry),
            block_number=entry.block_number,
            timestamp=entry.timestamp,
        )
        for entry in ledger.entries(campaign, ["deposit", a.OPENED_AGAIN])
        if entry.raw  # books may be opened with nothing, and begin with the first deposit
    )


def _usage(ledger: Books, campaign: str, snapshot: Snapshot) -> Usage:
    """What the last day's entries say was done. A move is a plan that minted or hedged."""
    since = snapshot.block.timestamp - DAY_S
    done = ledger.entries(campaign, ["gas", "minted", "swapped"], since)
    native = snapshot.wallet.native.token.address
    swapped = (e for e in done if e.kind == "swapped")
    cost = total_cost((s for e in swapped for s in _swaps_in(e, snapshot.pool)), snapshot)
    return Usage(
        moves=len({e.decided_at for e in done if _is_move(e, snapshot.pool)}),
        gas_raw=sum(e.raw.get((a.GAS, native), 0) for e in done),
        swap_cost_quote_raw=max(0, -(-cost.numerator // cost.denominator)),
        last_move_at=ledger.last_move_at(campaign),
    )


def _is_move(entry: EntryRow, pool: PoolKey) -> bool:
    hedges = a.swap_account(SwapPurpose.HEDGE)
    return entry.kind == "minted" or not entry.amounts(hedges, pool).is_zero


def _swaps_in(entry: EntryRow, pool: PoolKey) -> list[SwapRecord]:
    posted_to = {account for account, _ in entry.raw}
    return [
        SwapRecord(
            purpose=purpose,
            delta=-entry.amounts(a.swap_account(purpose), pool),
            sqrt_price_before_x96=_price(entry),
        )
        for purpose in SwapPurpose
        if a.swap_account(purpose) in posted_to
    ]


def _price(entry: EntryRow) -> SqrtPriceX96:
    if entry.sqrt_price_x96 is None:
        raise ValueError(f"entry {entry.kind} at block {entry.block_number} carries no price")
    return SqrtPriceX96(entry.sqrt_price_x96)
