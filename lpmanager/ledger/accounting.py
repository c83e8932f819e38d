"""Double-entry bookkeeping of a campaign. Pure: from what happened to balanced entries.

Accounts of one campaign; assets are positive:

* `wallet`             its share of the account's two tokens
* `position:<id>`      principal of a position, marked to what burning it would pay
* `uncollected:<id>`   its fees not collected yet, marked to what collecting would pay
* `deposits`           what the owner put in (negative) or took out
* `pool_exchange`      what the pool swapped inside our positions as the price moved
* `fees`               what positions earned
* `swap:rerange`, `swap:hedge`   the other side of our own swaps
* `rounding`           the units the pool keeps when it rounds a mint up
* `gas_wallet`, `gas`  native coin spent, and on what
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lpmanager.amm import amounts_for_liquidity_down, principal_down, uncollected_fees
from lpmanager.model import (
    Amount,
    Amounts,
    Basis,
    Block,
    Collected,
    Fact,
    Minted,
    Position,
    Snapshot,
    SqrtPriceX96,
    Step,
    Swapped,
    Token,
    Withdrawn,
)

WALLET = "wallet"
DEPOSITS = "deposits"
POOL_EXCHANGE = "pool_exchange"
FEES = "fees"
ROUNDING = "rounding"
GAS_WALLET = "gas_wallet"
GAS = "gas"
POSITION = "position:"
UNCOLLECTED = "uncollected:"

#: The kind of the entry that books are opened again with.
OPENED_AGAIN = "opened again"

Balances = Mapping[tuple[str, str], int]
"""Raw balance by (account, token address); an account never posted to is absent."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A signed amount on one account."""

    account: str
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Postings that belong together and sum to zero for each token.

    `sqrt_price_x96` is the pool's price the entry is dated with: of a deposit, or just before a
    swap or mint. `by_hand` says what somebody changed without us, where this takes it in.
    """

    kind: str
    block: Block
    tx_hash: str | None
    sqrt_price_x96: SqrtPriceX96 | None
    postings: tuple[Posting, ...]
    by_hand: str | None = None

    def __post_init__(self) -> None:
        sums: dict[Token, int] = {}
        for posting in self.postings:
            token = posting.amount.token
            sums[token] = sums.get(token, 0) + posting.amount.raw
        for token, total in sums.items():
            if total:
                raise ValueError(f"entry {self.kind} is {total} {token.symbol} out of balance")


def position_account(token_id: int) -> str:
    """The account of a position's principal."""
    return f"{POSITION}{token_id}"


def uncollected_account(token_id: int) -> str:
    """The account of a position's fees that are not collected yet."""
    return f"{UNCOLLECTED}{token_id}"


def swap_account(purpose: str) -> str:
    """The account of our own swaps of one purpose."""
    return f"swap:{purpose}"


def balance(balances: Balances, account: str, like: Amounts) -> Amounts:
    """Both tokens' balance of an account; `like` names the tokens."""
    return Amounts(
        *(
            Amount(amount.token, balances.get((account, amount.token.address), 0))
            for amount in (like.amount0, like.amount1)
        )
    )


def added(balances: Balances, entries: Iterable[Entry]) -> dict[tuple[str, str], int]:
    """The balances after some entries."""
    after = dict(balances)
    for entry in entries:
        for posting in entry.postings:
            key = posting.account, posting.amount.token.address
            after[key] = after.get(key, 0) + posting.amount.raw
    return after


def opening(snapshot: Snapshot, wallet: Amounts) -> Entry:
    """The first deposit: the campaign's share of the wallet, and every position that is there."""
    assets = [(WALLET, wallet)]
    for position in snapshot.positions:
        principal, uncollected = _worth(snapshot, position)
        assets += [
            (position_account(position.token_id), principal),
            (uncollected_account(position.token_id), uncollected),
        ]
    postings = [p for account, amounts in assets for p in _moved(DEPOSITS, account, amounts)]
    return _entry("deposit", snapshot.block, postings, price=snapshot.state.sqrt_price_x96)


def transfer(snapshot: Snapshot, amounts: Amounts) -> Entry:
    """Tokens the owner sent to the wallet, or (negative) took from it, dated with the snapshot."""
    postings = _moved(DEPOSITS, WALLET, amounts)
    return _entry("deposit", snapshot.block, postings, price=snapshot.state.sqrt_price_x96)


def opened_again(snapshot: Snapshot, amounts: Amounts, text: str | None) -> Entry:
    """As a transfer, though none tells of it: the books go on from what is there now."""
    postings = _moved(DEPOSITS, WALLET, amounts)
    price = snapshot.state.sqrt_price_x96
    return _entry(OPENED_AGAIN, snapshot.block, postings, price=price, by_hand=text)


def mark(snapshot: Snapshot, balances: Balances, positions: Iterable[Position]) -> Entry:
    """Bring the principal and fees of positions to what the chain says they are now."""
    postings: list[Posting] = []
    for position in positions:
        principal, uncollected = _worth(snapshot, position)
        for source, account, truth in (
            (POOL_EXCHANGE, position_account(position.token_id), principal),
            (FEES, uncollected_account(position.token_id), uncollected),
        ):
            postings += _moved(source, account, truth - balance(balances, account, truth))
    return _entry("mark", snapshot.block, postings)


def taken_in(
    snapshot: Snapshot, balances: Balances, booked: Basis | None, found: Position | None, text: str
) -> tuple[Entry, Entry]:
    """A position that somebody changed without us, from how it is `booked` to how it is `found`.

    What is booked is marked to the snapshot's price first. What then differs is a deposit of the
    owner, or (negative) a withdrawal: fees that it earned since the last mark too, because nothing
    tells them apart from what he did. None stands for a position that is not there.
    """
    nothing = snapshot.pool.amounts(0, 0)
    token_id = _id_of(booked, found)
    principal, fees = (nothing, nothing) if found is None else _worth(snapshot, found)
    kept = nothing if booked is None else _principal(snapshot, booked)
    position, uncollected = position_account(token_id), uncollected_account(token_id)
    marked = _moved(POOL_EXCHANGE, position, kept - balance(balances, position, nothing))
    moved = [
        *_moved(DEPOSITS, position, principal - kept),
        *_moved(DEPOSITS, uncollected, fees - balance(balances, uncollected, nothing)),
    ]
    price = snapshot.state.sqrt_price_x96
    return (
        _entry("mark", snapshot.block, marked),
        _entry("deposit", snapshot.block, moved, price=price, by_hand=text),
    )


def native_by_hand(block: Block, text: str) -> Entry:
    """Native coin that the owner spent. No account holds any, so nothing is posted."""
    return _entry("native", block, (), by_hand=text)


def of_step(step: Step, balances: Balances) -> list[Entry]:
    """The entries of one mined transaction: its gas, and what it moved, in the order it did."""
    gas = _moved_one(GAS_WALLET, GAS, step.gas_paid)
    entries = [_entry("gas", step.block, gas, tx_hash=step.tx_hash)]
    for fact in step.facts:
        # What one fact leaves on a position's accounts is what the next one finds there.
        entry = _of_fact(fact, step, balances)
        balances = added(balances, [entry])
        entries.append(entry)
    return entries


def _of_fact(fact: Fact, step: Step, balances: Balances) -> Entry:
    match fact:
        case Minted() as minted:
            account = position_account(minted.token_id)
            postings = [
                *_moved(WALLET, account, minted.principal),
                *_moved(WALLET, ROUNDING, minted.paid - minted.principal),
            ]
            price: SqrtPriceX96 | None = minted.sqrt_price_x96
        case Withdrawn() as withdrawn:
            postings, price = _withdrawal(withdrawn, balances), None
        case Collected() as collected:
            account = uncollected_account(collected.token_id)
            before = balance(balances, account, collected.fees)
            postings = [
                *_moved(FEES, account, collected.fees - before),
                *_moved(account, WALLET, collected.fees),
            ]
            price = None
        case Swapped() as swapped:
            postings = _moved(swap_account(swapped.purpose), WALLET, swapped.delta)
            price = swapped.sqrt_price_before_x96
    kind = type(fact).__name__.lower()
    return _entry(kind, step.block, postings, tx_hash=step.tx_hash, price=price)


def _withdrawal(fact: Withdrawn, balances: Balances) -> list[Posting]:
    """Mark the position to what it really paid, then move all of it to the wallet."""
    postings: list[Posting] = []
    for source, account, paid in (
        (POOL_EXCHANGE, position_account(fact.token_id), fact.principal),
        (FEES, uncollected_account(fact.token_id), fact.fees),
    ):
        postings += _moved(source, account, paid - balance(balances, account, paid))
        postings += _moved(account, WALLET, paid)
    return postings


def _worth(snapshot: Snapshot, position: Position) -> tuple[Amounts, Amounts]:
    pool = snapshot.pool
    principal = principal_down(position, snapshot.state.sqrt_price_x96)
    return pool.amounts(*principal), pool.amounts(*uncollected_fees(position))


def _principal(snapshot: Snapshot, basis: Basis) -> Amounts:
    """What burning a position as the books have it would pay at the snapshot's price."""
    price = snapshot.state.sqrt_price_x96
    raw = amounts_for_liquidity_down(price, basis.range, basis.liquidity)
    return snapshot.pool.amounts(*raw)


def _id_of(booked: Basis | None, found: Position | None) -> int:
    there = booked or found
    if there is None:
        raise ValueError("a position that is neither booked nor found has not changed")
    return there.token_id


def _moved(source: str, destination: str, amounts: Amounts) -> list[Posting]:
    return [
        posting
        for amount in (amounts.amount0, amounts.amount1)
        for posting in _moved_one(source, destination, amount)
    ]


def _moved_one(source: str, destination: str, amount: Amount) -> list[Posting]:
    return [Posting(destination, amount), Posting(source, -amount)] if amount.raw else []


def _entry(
    kind: str,
    block: Block,
    postings: Iterable[Posting],
    *,
    tx_hash: str | None = None,
    price: SqrtPriceX96 | None = None,
    by_hand: str | None = None,
) -> Entry:
    return Entry(
        kind=kind,
        block=block,
        tx_hash=tx_hash,
        sqrt_price_x96=price,
        postings=tuple(postings),
        by_hand=by_hand,
    )
