"""Every intent whole, as its rows tell it: the journal itself forgets most of what is closed."""

from __future__ import annotations

from sqlalchemy import Engine

from lpmanager.execution.intent import Intent
from lpmanager.ledger.chained import verified_rows
from lpmanager.ledger.journal import _after


def whole_intents(engine: Engine, account: str, chain_id: int) -> list[Intent]:
    """The intents of an account on a chain, by nonce and in the order planned."""
    found: dict[str, Intent] = {}
    with engine.connect() as connection:
        for row, _ in verified_rows(connection):
            if (row.account, row.chain_id) == (account, chain_id):
                known = _after(found.get(row.intent), row)
                assert isinstance(known, Intent)
                found[row.intent] = known
    return sorted(found.values(), key=lambda i: i.nonce)
