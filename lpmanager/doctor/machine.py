"""What lies on this machine: the store, its journal, keys and locks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path

from sqlalchemy import make_url

from lpmanager.account_lock import holder
from lpmanager.chain.presets import Chain
from lpmanager.desk.signing import lock_paths, password_path, remote_signer
from lpmanager.doctor.check import Check, attempt
from lpmanager.errors import ConfigError, Halted, MaybeSent, StoreError
from lpmanager.execution.keystore import is_private, look_at, read_password
from lpmanager.execution.whose import how_to_settle, in_words
from lpmanager.ledger.chained import verified_rows
from lpmanager.ledger.database import store_files
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.settings import Settings, Signatory

#: What must be free on the disk. A full one stops all signing, because nothing is signed that is
#: not written down first.
_LEAST_FREE = 256 * 2**20
_MIB = 2**20


def look_at_machine(
    settings: Settings, names: Sequence[str], chains: Sequence[Chain]
) -> Iterator[Check]:
    """The store first: what is in it is looked at only where it opens."""
    folder = _store_folder(settings.store)
    if folder is not None:
        yield attempt("store", "disk", partial(_disk, folder))
    opened = attempt("store", "database", partial(_database, settings.store), needed=True)
    yield opened
    if opened.passed:
        yield from _content(settings, names, chains)
    yield attempt("configuration", "secrets", partial(_secrets, settings))
    for who in settings.signatories():
        yield attempt(who.key, "signing key", partial(_key, who, chains))
        yield attempt(who.key, "password", partial(_password, who))
        for chain in chains:
            look = partial(_lock, settings, chain, who.table.address)
            yield attempt(who.key, f"lock on {chain.name}", look)


def at_work(settings: Settings, chain: Chain, account: str) -> str | None:
    """Who signs for an account of a chain now, in words; None where nobody does. Raises UsageError
    where that cannot be told."""
    holders = (holder(path) for path in sorted(lock_paths(settings, chain, account)))
    return next((other for other in holders if other is not None), None)


def _store_folder(store: str) -> Path | None:
    """Where a SQLite store is or will be; None for another database."""
    address = make_url(store)
    if address.get_backend_name() != "sqlite" or not address.database:
        return None
    return Path(address.database).parent


def _disk(folder: Path) -> str:
    """Whether the folder takes a file, by making a nameless one."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0")
            file.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StoreError(
            f"{folder}: takes no file ({error.strerror}); correct its rights, or name another store"
        ) from error
    if free < _LEAST_FREE:
        raise StoreError(
            f"{folder}: expected {_LEAST_FREE // _MIB} MiB free, found {free // _MIB}; make room"
        )
    return f"{folder} takes files, {free // _MIB:,} MiB free"


def _database(store: str) -> str:
    address = make_url(store)
    Ledger.read(store).engine.dispose()
    if address.get_backend_name() != "sqlite" or not address.database:
        return f"{address.get_backend_name()} opens"
    path = Path(address.database)
    for file in store_files(path):
        if file.exists() and not os.access(file, os.W_OK):
            raise StoreError(
                f"{file}: this user may not write it, so nothing can be signed; let this user "
                "write it"
            )
    return f"{path} opens" if path.exists() else f"{path} will be made by the first live run"


def _content(settings: Settings, names: Sequence[str], chains: Sequence[Chain]) -> Iterator[Check]:
    ledger = Ledger.read(settings.store)
    try:
        whole = attempt("store", "journal", partial(_journal, ledger))
        yield whole
        if whole.passed:
            for who, chain in product(settings.signatories(), chains):
                look = partial(_nothing_open, settings, ledger, chain, who.table.address)
                yield attempt(who.key, f"open transactions on {chain.name}", look)
        for name in names:
            yield attempt(name, "halt", partial(_running, ledger, name))
    finally:
        ledger.engine.dispose()


def _journal(ledger: Ledger) -> str:
    with ledger.engine.connect() as connection:
        rows = sum(1 for _ in verified_rows(connection))
    return f"{rows:,} rows, each as it was written"


def _nothing_open(settings: Settings, ledger: Ledger, chain: Chain, account: str) -> str:
    for intent in ledger.journal(chain.chain_id).open_intents(account):
        name, call = intent.purpose.campaign, intent.purpose.call
        found = f"{call.what} of {in_words(name)}, nonce {intent.nonce}, is {intent.status}"
        other = at_work(settings, chain, account)
        if other is not None:
            return f"{found}; {other}, sees to it"
        raise MaybeSent(f"{found}; {how_to_settle(name)}")
    return "none"


def _running(ledger: Ledger, name: str) -> str:
    reason = Diary(ledger.engine, name).halted()
    if reason is not None:
        raise Halted(f"halted: {reason}; look into it, then `lpm resume {name}`")
    return "not halted"


def _secrets(settings: Settings) -> str:
    for path, key in settings.secret_files.items():
        if not is_private(path):
            raise ConfigError(f"others may read {path}, which holds {key}; run `chmod 600 {path}`")
    names = " and ".join(str(path) for path in settings.secret_files)
    return f"in {names}, for its owner alone" if names else "none in the configuration's files"


def _key(who: Signatory, chains: Sequence[Chain]) -> str:
    account = who.table
    if who.private_key is not None:
        return _clear_key(who, chains)
    if account.signer_url is not None:
        signer = remote_signer(who)
        signer.require_account()
        return f"{signer.name} answers"
    if account.keystore is None:
        return "none, so dry runs only"
    keystore = look_at(account.keystore, f"{who.key}.keystore")
    if not keystore.private:
        raise ConfigError(
            f"{who.key}.keystore: others may read {keystore.path}; run `chmod 600 {keystore.path}`"
        )
    if keystore.address not in (None, account.address):
        raise ConfigError(
            f"{who.key}.keystore: {keystore.path} is of {keystore.address}, {who.key}.address is "
            f"{account.address}; correct one of them"
        )
    return f"{keystore.path}, for its owner alone"


def _clear_key(who: Signatory, chains: Sequence[Chain]) -> str:
    for chain in chains:
        if not chain.devnet:
            raise ConfigError(
                f"{who.variable}PRIVATE_KEY: a key in clear text is refused on {chain.name}; take "
                f"it into a keystore with `lpm keys import`, set {who.key}.keystore, and delete it "
                "here"
            )
    return "in clear text, which a devnet accepts"


def _password(who: Signatory) -> str:
    if who.table.keystore is None:
        return "none is needed"
    if who.keystore_password is not None:
        return f"in {who.variable}KEYSTORE_PASSWORD"
    place = password_path(who)
    if place is None:
        return "asked for at each start"
    key, path = place
    read_password(path, key)
    if path != who.table.password_file:
        return f"in {path}, as systemd keeps it"
    if not is_private(path):
        raise ConfigError(f"{key}: others may read {path}; run `chmod 600 {path}`")
    return f"in {path}, for its owner alone"


def _lock(settings: Settings, chain: Chain, account: str) -> str:
    other = at_work(settings, chain, account)
    return "free" if other is None else f"held by {other}"
