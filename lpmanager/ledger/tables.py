"""The tables of the books. Raw amounts are text: a uint256 fits no integer of a database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class RawInteger(TypeDecorator[int]):
    """An integer of any size, kept as decimal text."""

    impl = String(80)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)


metadata = MetaData()

campaigns = Table(
    "campaigns",
    metadata,
    Column("name", String, primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("account", String, nullable=False),
    Column("pool", String, nullable=False),
    Column("token0", String, nullable=False),
    Column("token1", String, nullable=False),
    Column("budget0", RawInteger),
    Column("budget1", RawInteger),
    Column("last_block", BigInteger, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("campaign", ForeignKey("campaigns.name"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", String, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("tx_hash", String, index=True),
    Column("sqrt_price_x96", RawInteger),
    Column("decided_at", BigInteger),
    #: What was found to be changed by hand, where the entry takes that into the books.
    Column("by_hand", String),
)

postings = Table(
    "postings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry", ForeignKey("entries.id"), nullable=False, index=True),
    Column("account", String, nullable=False),
    Column("token", String, nullable=False),
    Column("raw", RawInteger, nullable=False),
)

#: The sum of all postings of each account that is not zero, kept with every write so that reading
#: it is one query.
balances = Table(
    "balances",
    metadata,
    Column("campaign", ForeignKey("campaigns.name"), primary_key=True),
    Column("account", String, primary_key=True),
    Column("token", String, primary_key=True),
    Column("raw", RawInteger, nullable=False),
)

#: Every life of a position: a range of a vault, or an NFT that went and came back, has several. It
#: is open once at most.
positions = Table(
    "positions",
    metadata,
    Column("campaign", ForeignKey("campaigns.name"), primary_key=True),
    Column("token_id", RawInteger, primary_key=True),
    Column("lower", Integer, nullable=False),
    Column("upper", Integer, nullable=False),
    Column("liquidity", RawInteger, nullable=False),
    Column("raw0", RawInteger, nullable=False),
    Column("raw1", RawInteger, nullable=False),
    Column("sqrt_price_x96", RawInteger, nullable=False),
    Column("opened_at", BigInteger, primary_key=True, autoincrement=False),
    Column("closed_at", BigInteger),
)
Index(
    "positions_open_once",
    positions.c.campaign,
    positions.c.token_id,
    unique=True,
    sqlite_where=positions.c.closed_at.is_(None),
    postgresql_where=positions.c.closed_at.is_(None),
)

#: What of an account's tokens belongs to no campaign, where campaigns have budgets, and up to which
#: block transfers from outside are in it.
unallocated = Table(
    "unallocated",
    metadata,
    Column("chain_id", BigInteger, primary_key=True),
    Column("account", String, primary_key=True),
    Column("token", String, primary_key=True),
    Column("raw", RawInteger, nullable=False),
    Column("last_block", BigInteger, nullable=False),
)

cycles = Table(
    "cycles",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("campaign", ForeignKey("campaigns.name"), nullable=False, index=True),
    Column("block_number", BigInteger, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("sqrt_price_x96", RawInteger, nullable=False),
    Column("decision", JSON, nullable=False),
    Column("acted", Integer, nullable=False),
    Column("stopped", String),
    Column("stop_kind", String),
)

#: What each campaign was worth, and had gained since it began, at the cycles of its last day.
marks = Table(
    "marks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("campaign", ForeignKey("campaigns.name"), nullable=False, index=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("quote", String, nullable=False),
    Column("nav", RawInteger, nullable=False),
    Column("gain", RawInteger, nullable=False),
)

#: What each campaign held of what at its own last look, for the other campaigns of the store:
#: estimates in whole tokens. `pegs` are those that its pool tells, by token: whether it fails.
neighbours = Table(
    "neighbours",
    metadata,
    Column("campaign", ForeignKey("campaigns.name"), primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("pool", String, nullable=False),
    Column("base", String, nullable=False),
    Column("quote", String, nullable=False),
    Column("base_address", String, nullable=False),
    Column("quote_address", String, nullable=False),
    Column("price", Float, nullable=False),
    Column("idle_base", Float, nullable=False),
    Column("idle_quote", Float, nullable=False),
    Column("pooled_base", Float, nullable=False),
    Column("pooled_quote", Float, nullable=False),
    Column("pegs", JSON, nullable=False),
)

#: The newest calibration of each campaign, as JSON. One may be made before the books are opened.
calibrations = Table(
    "calibrations",
    metadata,
    Column("campaign", String, primary_key=True),
    Column("body", Text, nullable=False),
)

#: What was about to be done, signed, sent and seen mined, one row an event; see `chained`. It has
#: no index: that would be a copy that no digest is of.
journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("intent", String, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("account", String, nullable=False),
    Column("event", String, nullable=False),
    Column("tx_hash", String),
    Column("body", Text, nullable=False),
    Column("digest", String(64), nullable=False),
)

journal_tip = Table(
    "journal_tip",
    metadata,
    Column("rows", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
)

#: The hash of each chain's first block, as it was at the first use.
chains = Table(
    "chains",
    metadata,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("genesis", String, nullable=False),
)

halts = Table(
    "halts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("campaign", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("resumed_at", BigInteger),
    #: The id of the campaign's last cycle before that.
    Column("resumed_after", Integer),
)
