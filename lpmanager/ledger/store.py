"""The books on disk: one Ledger for all campaigns of a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select

from lpmanager.errors import ConfigError
from lpmanager.ledger import tables as t
from lpmanager.ledger.accounting import WALLET, swap_account
from lpmanager.ledger.database import copy_in_memory, open_database, read_database, writing
from lpmanager.ledger.entry_row import EntryRow
from lpmanager.ledger.journal import TransactionJournal
from lpmanager.ledger.unallocated import Unallocated, read_unallocated, write_unallocated
from lpmanager.ledger.writing import Batch, kept_balances, write_batch
from lpmanager.model import Amounts, Basis, Liquidity, PoolKey, SqrtPriceX96, SwapPurpose, TickRange


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRow:
    """Whose books these are, and up to which block they are written.

    `account` is the holder of the campaign's tokens: an account, or a vault. `budget` are the raw
    amounts of both tokens the campaign began with, or None where all that the holder has of them
    is its own.
    """

    name: str
    chain_id: int
    account: str
    pool: str
    budget: tuple[int, int] | None
    last_block: int


class Ledger:
    """Reads and writes the books. What to write is decided in `accounting` and `bookkeeping`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._journals: dict[int, TransactionJournal] = {}

    @classmethod
    def open(cls, url: str) -> Ledger:
        """The books at a database URL, made or migrated where needed. Raises StoreError."""
        return cls(open_database(url))

    @classmethod
    def read(cls, url: str) -> Ledger:
        """A copy in memory of the books at a database URL; empty where there are none yet.

        Nothing is made or written on disk. Raises StoreError.
        """
        return cls(read_database(url))

    def rehearsal(self) -> Ledger:
        """The same books in memory: what is written there is forgotten. For dry runs."""
        return Ledger(copy_in_memory(self._engine))

    def campaign(self, name: str) -> CampaignRow | None:
        """The row of a campaign, or None before it was opened."""
        with self._engine.connect() as connection:
            row = connection.execute(select(t.campaigns).where(t.campaigns.c.name == name)).first()
        return None if row is None else _campaign(row)

    def open_campaign(
        self, row: CampaignRow, pool: PoolKey, held: Amounts, share: Amounts, batch: Batch
    ) -> None:
        """Write a new campaign with its first deposit.

        `held` is what the account holds on chain, `share` the campaign's part of it. Raises
        ConfigError where the account's tokens are not free for it.
        """
        with writing(self._engine) as connection:
            self._take_share(connection, row, held, share)
            connection.execute(
                insert(t.campaigns).values(
                    name=row.name,
                    chain_id=row.chain_id,
                    account=row.account,
                    pool=row.pool,
                    token0=pool.token0.address,
                    token1=pool.token1.address,
                    budget0=row.budget and row.budget[0],
                    budget1=row.budget and row.budget[1],
                    last_block=batch.last_block,
                )
            )
            write_batch(connection, row.name, batch)

    def post(self, campaign: str, batch: Batch) -> None:
        """Write a batch of a campaign, in one transaction of the database."""
        with writing(self._engine) as connection:
            write_batch(connection, campaign, batch)

    def balances(self, campaign: str) -> dict[tuple[str, str], int]:
        """Raw balance of every account of a campaign, by account and token address."""
        with self._engine.connect() as connection:
            return kept_balances(connection, campaign)

    def entries(self, campaign: str, kinds: Iterable[str], since: int = 0) -> list[EntryRow]:
        """Entries of some kinds from a time on, in the order written, with their postings."""
        query = (
            select(t.entries, t.postings.c.account, t.postings.c.token, t.postings.c.raw)
            .outerjoin(t.postings)
            .where(
                t.entries.c.campaign == campaign,
                t.entries.c.kind.in_(list(kinds)),
                t.entries.c.timestamp >= since,
            )
            .order_by(t.entries.c.id, t.postings.c.id)
        )
        found: dict[int, EntryRow] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                if row.id not in found:
                    found[row.id] = _entry_row(row)
                if row.account is None:  # books were opened with nothing
                    continue
                raw, key = found[row.id].raw, (row.account, row.token)
                raw[key] = raw.get(key, 0) + row.raw
        return list(found.values())

    def last_move_at(self, campaign: str) -> int | None:
        """When a position was last minted, or the inventory hedged by a swap."""
        hedged = t.postings.c.account == swap_account(SwapPurpose.HEDGE)
        query = (
            select(func.max(t.entries.c.timestamp))
            .join_from(t.entries, t.postings)
            .where(t.entries.c.campaign == campaign, (t.entries.c.kind == "minted") | hedged)
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def bases(self, campaign: str, pool: PoolKey) -> dict[int, Basis]:
        """What each open position held when it was minted or adopted, by its id."""
        query = select(t.positions).where(
            t.positions.c.campaign == campaign, t.positions.c.closed_at.is_(None)
        )
        with self._engine.connect() as connection:
            return {row.token_id: _basis(row, pool) for row in connection.execute(query)}

    def holder(self, campaign: str, token_id: int, pool: PoolKey) -> str | None:
        """Another campaign, of the pool, whose books hold that position open; None where none's."""
        query = (
            select(t.positions.c.campaign)
            .join(t.campaigns)
            .where(
                t.positions.c.campaign != campaign,
                t.positions.c.token_id == token_id,
                t.positions.c.closed_at.is_(None),
                t.campaigns.c.pool == pool.address,
                t.campaigns.c.chain_id == pool.token0.chain_id,
            )
        )
        with self._engine.connect() as connection:
            return connection.execute(query).scalars().first()

    def wallet_totals(self, chain_id: int, account: str, token: str) -> int:
        """What the books say an account holds of a token: all campaigns' shares and the rest."""
        shares = (
            select(t.balances.c.raw)
            .join(t.campaigns)
            .where(
                t.campaigns.c.chain_id == chain_id,
                t.campaigns.c.account == account,
                t.balances.c.account == WALLET,
                t.balances.c.token == token,
            )
        )
        with self._engine.connect() as connection:
            total: int = sum(connection.execute(shares).scalars())
            rest = read_unallocated(connection, chain_id, account, token)
            return total + (rest.raw if rest else 0)

    def unallocated(self, chain_id: int, account: str, token: str) -> Unallocated | None:
        """What of an account's token belongs to no campaign; None where none has a budget."""
        with self._engine.connect() as connection:
            return read_unallocated(connection, chain_id, account, token)

    def add_unallocated(
        self, chain_id: int, account: str, raw: Mapping[str, int], last_block: int
    ) -> None:
        """Tokens, by address, came to (or left) an account whose campaigns have budgets, up to and
        including a block."""
        with writing(self._engine) as connection:
            for token, came in raw.items():
                rest = read_unallocated(connection, chain_id, account, token)
                before = rest.raw if rest else 0
                write_unallocated(connection, chain_id, account, token, before + came, last_block)

    def booked_transactions(self, chain_id: int, account: str) -> frozenset[str]:
        """Hashes of all transactions that are in the books of a holder's campaigns, whoever signed
        them."""
        query = (
            select(t.entries.c.tx_hash)
            .distinct()
            .join(t.campaigns)
            .where(
                t.campaigns.c.chain_id == chain_id,
                t.campaigns.c.account == account,
                t.entries.c.tx_hash.is_not(None),
            )
        )
        with self._engine.connect() as connection:
            return frozenset(connection.execute(query).scalars())

    def journal(self, chain_id: int) -> TransactionJournal:
        """What was about to be done, signed, sent and seen mined on a chain.

        It is kept: what it has read and verified once it does not read again.
        """
        if chain_id not in self._journals:
            self._journals[chain_id] = TransactionJournal(self._engine, chain_id)
        return self._journals[chain_id]

    @property
    def engine(self) -> Engine:
        """The database, for the other tables of the store."""
        return self._engine

    def _take_share(
        self,
        connection: Connection,
        row: CampaignRow,
        held: Amounts,
        share: Amounts,
    ) -> None:
        for amount, wanted in ((held.amount0, share.amount0), (held.amount1, share.amount1)):
            token = amount.token
            neighbours = _sharing(connection, row, token.address)
            without = row.budget is None or any(n.budget0 is None for n in neighbours)
            if neighbours and without:
                raise ConfigError(
                    f"campaigns.{row.name}: shares {token.symbol} of account {row.account} with "
                    f"campaigns.{neighbours[0].name}; give every one of them a budget"
                )
            if row.budget is None:
                continue
            rest = read_unallocated(connection, row.chain_id, row.account, token.address)
            free = amount.raw if rest is None else rest.raw
            if free < wanted.raw:
                raise ConfigError(
                    f"campaigns.{row.name}.budget: asks for {wanted}, but the account has only "
                    f"{free} raw units of {token.symbol} free; lower it, or send tokens"
                )
            # Transfers that were not told of yet are still to be found behind what the rest holds.
            found_up_to = row.last_block if rest is None else rest.last_block
            left = free - wanted.raw
            write_unallocated(
                connection, row.chain_id, row.account, token.address, left, found_up_to
            )


def _sharing(connection: Connection, row: CampaignRow, token: str) -> list[Row[Any]]:
    query = select(t.campaigns).where(
        t.campaigns.c.chain_id == row.chain_id,
        t.campaigns.c.account == row.account,
        (t.campaigns.c.token0 == token) | (t.campaigns.c.token1 == token),
    )
    return list(connection.execute(query))


def _campaign(row: Row[Any]) -> CampaignRow:
    return CampaignRow(
        name=row.name,
        chain_id=row.chain_id,
        account=row.account,
        pool=row.pool,
        budget=None if row.budget0 is None else (row.budget0, row.budget1),
        last_block=row.last_block,
    )


def _entry_row(row: Row[Any]) -> EntryRow:
    return EntryRow(
        kind=row.kind,
        block_number=row.block_number,
        timestamp=row.timestamp,
        tx_hash=row.tx_hash,
        sqrt_price_x96=row.sqrt_price_x96,
        decided_at=row.decided_at,
        raw={},
    )


def _basis(row: Row[Any], pool: PoolKey) -> Basis:
    return Basis(
        token_id=row.token_id,
        range=TickRange(row.lower, row.upper),
        liquidity=Liquidity(row.liquidity),
        amounts=pool.amounts(row.raw0, row.raw1),
        sqrt_price_x96=SqrtPriceX96(row.sqrt_price_x96),
        timestamp=row.opened_at,
    )
