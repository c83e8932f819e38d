"""What the books of a campaign say of each time since it began."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, or_, select

from lpmanager.ledger import tables as t
from lpmanager.ledger.accounting import FEES, POSITION, UNCOLLECTED, WALLET
from lpmanager.model import Amounts, PoolKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """All that a campaign held after the entries of a time, and the fees that it had earned."""

    timestamp: int
    held: Amounts
    fees: Amounts


def balances_over_time(engine: Engine, campaign: str, pool: PoolKey) -> tuple[Balance, ...]:
    """One for each time with entries on these accounts, oldest first."""
    account = t.postings.c.account
    assets = or_(
        account == WALLET,
        account.startswith(POSITION, autoescape=True),
        account.startswith(UNCOLLECTED, autoescape=True),
    )
    query = (
        select(t.entries.c.timestamp, account, t.postings.c.token, t.postings.c.raw)
        .join_from(t.entries, t.postings)
        .where(t.entries.c.campaign == campaign, assets | (account == FEES))
        .order_by(t.entries.c.timestamp, t.entries.c.id)
    )
    tokens = pool.token0.address, pool.token1.address
    held, fees = dict.fromkeys(tokens, 0), dict.fromkeys(tokens, 0)
    found: dict[int, Balance] = {}
    with engine.connect() as connection:
        for timestamp, posted_to, token, raw in connection.execute(query):
            if posted_to == FEES:
                fees[token] -= raw
            else:
                held[token] += raw
            found[timestamp] = Balance(
                timestamp=timestamp,
                held=pool.amounts(*held.values()),
                fees=pool.amounts(*fees.values()),
            )
    return tuple(found.values())
