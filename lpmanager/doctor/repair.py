"""Mending a damaged journal, once the chain shows that nothing of its accounts is under way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from sqlalchemy import make_url

from lpmanager.account_lock import holder, only_one
from lpmanager.chain.node import nonce_question, pending_nonce_question
from lpmanager.chain.presets import Chain
from lpmanager.desk.nodes import booked_genesis, open_node
from lpmanager.desk.signing import lock_paths, state_folder
from lpmanager.errors import LpmError, StoreError
from lpmanager.ledger.database import writing
from lpmanager.ledger.repair import Damage, begin_anew, find_damage, loose_ends
from lpmanager.ledger.store import Ledger
from lpmanager.private_file import write_private
from lpmanager.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What is wrong with the journal, what stands in the way of mending it, and where all its rows
    go before it is begun anew, or went where that is `done`."""

    damage: Damage
    obstacles: tuple[str, ...]
    aside: Path
    done: bool = False


def plan_repair(
    settings: Settings, clock: Callable[[], int], used_up: frozenset[str] = frozenset()
) -> Repair | None:
    """What would be done about the journal; None where it is whole. Changes nothing.

    `used_up` are nonces of which the owner says that he used them up since it was damaged, as the
    obstacles name them. Raises StoreError where the database does not even open.
    """
    repair = _planned(settings, clock, used_up)
    return repair and replace(repair, obstacles=(*_who_signs(settings), *repair.obstacles))


def carry_out(
    settings: Settings, clock: Callable[[], int], used_up: frozenset[str] = frozenset()
) -> Repair | None:
    """Move a damaged journal aside and begin a new one, unless something stands in the way; None
    where it is whole.

    Raises UsageError where another program signs, StoreError where a file cannot be written.
    """
    with only_one(
        path
        for account, chain in _accounts(settings)
        for path in lock_paths(settings, chain, account)
    ):
        repair = _planned(settings, clock, used_up)
        if repair is None or repair.obstacles:
            return repair
        _write_aside(repair)
        engine = Ledger.open(settings.store).engine
        try:
            with writing(engine) as connection:
                begin_anew(connection, repair.damage)
        finally:
            engine.dispose()
    return replace(repair, done=True)


def _planned(
    settings: Settings, clock: Callable[[], int], used_up: frozenset[str]
) -> Repair | None:
    ledger = Ledger.read(settings.store)
    try:
        with ledger.engine.connect() as connection:
            damage = find_damage(connection)
    finally:
        ledger.engine.dispose()
    if damage is None:
        return None
    obstacles = tuple(dict.fromkeys(_obstacles(settings, damage, clock, used_up)))
    return Repair(damage=damage, obstacles=obstacles, aside=_aside(settings, clock()))


def _who_signs(settings: Settings) -> Iterator[str]:
    for account, chain in _accounts(settings):
        for path in sorted(lock_paths(settings, chain, account)):
            program = holder(path)
            if program is not None:
                yield (
                    f"{chain.name}: another lpm signs for {account}: {program} holds {path}; stop "
                    "it, or wait until it ends"
                )


def _obstacles(
    settings: Settings, damage: Damage, clock: Callable[[], int], used_up: frozenset[str]
) -> Iterator[str]:
    for account, chain in _accounts(settings):
        try:
            mined, pending = _nonces(settings, account, chain, clock)
        except LpmError as error:
            yield f"{chain.name}: what is under way cannot be told: {error}"
            continue
        if pending > mined:
            yield (
                f"{chain.name}: {pending - mined} transactions of {account} are pending; wait "
                "until they are mined"
            )
        for end in loose_ends(damage, account, chain.chain_id):
            if end.nonce is None and f"{chain.name}:{account}:{mined - 1}" not in used_up:
                yield (
                    f"{chain.name}: no row tells what {account} signed last, which may still be "
                    f"mined with nonce {mined}; use that up from a wallet (send nothing to "
                    f"yourself), then add --used-up {chain.name}:{account}:{mined}"
                )
            if end.nonce is not None and end.nonce >= mined:
                yield (
                    f"{chain.name}: {end.tx_hash or f'a transaction of {account}'}, nonce "
                    f"{end.nonce}, was signed and may still be mined; use the nonce up from a "
                    "wallet (send nothing to yourself), then try again"
                )


def _nonces(
    settings: Settings, account: str, chain: Chain, clock: Callable[[], int]
) -> tuple[int, int]:
    """How many transactions of the account are mined, and how many with those that wait."""
    node = open_node(settings, chain, clock, booked_genesis(settings, chain))
    head = node.head()
    mined, pending = node.ask_many([nonce_question(account, head), pending_nonce_question(account)])
    return mined, pending


def _accounts(settings: Settings) -> list[tuple[str, Chain]]:
    """Every account that may have signed, on every chain."""
    chains = {settings.chain_of(name).name: settings.chain_of(name) for name in settings.campaigns}
    accounts = [who.table.address for who in settings.signatories()]
    return list(product(accounts, chains.values()))


def _aside(settings: Settings, now: int) -> Path:
    """A new file beside the store, or in the user's state folder where it is no file."""
    store = make_url(settings.store)
    in_file = store.get_backend_name() == "sqlite" and store.database
    folder = Path(store.database).parent if in_file and store.database else state_folder()
    return folder / f"journal-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}.jsonl"


def _write_aside(repair: Repair) -> None:
    # What rotted may have become bytes: they are told as Python writes them.
    text = "".join(json.dumps(dict(row), default=repr) + "\n" for row in repair.damage.rows)
    try:
        repair.aside.parent.mkdir(parents=True, exist_ok=True)
        write_private(repair.aside, text)
    except OSError as error:
        raise StoreError(
            f"{repair.aside}: cannot be written ({error.strerror}); nothing was changed"
        ) from error
