"""Opening the database of the books: its own file, whole, and at this program's schema."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import StaticPool

from lpmanager.errors import StoreError

_SCHEMA_TABLE = "lpmanager_schema"


def open_database(url: str) -> Engine:
    """A migrated database at `url`; a SQLite file is made where there is none.

    Raises StoreError where it is damaged, another program's, or of a newer lpmanager.
    """
    try:
        engine = create_engine(_address(url))
    except ModuleNotFoundError as error:
        raise StoreError(
            f"store: the driver {error.name} is not installed; for PostgreSQL install "
            'lpmanager[postgres] and write "postgresql+psycopg://..."'
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable)
        event.listen(engine, "begin", _begin)
    _prepare(engine, engine.url.database or "memory")
    return engine


def read_database(url: str) -> Engine:
    """A migrated copy in memory of the database at `url`, empty where there is none.

    Nothing is made, migrated or written on disk. Raises StoreError as `open_database`, and where
    `url` is not SQLite.
    """
    address = _address(url)
    if address.get_backend_name() != "sqlite":
        raise _not_copied(address.get_backend_name())
    memory = sqlite3.connect(":memory:", check_same_thread=False)
    if address.database and Path(address.database).exists():
        try:
            with closing(_read_only(Path(address.database))) as source:
                source.backup(memory)
        except sqlite3.Error as error:
            memory.close()
            raise _unreadable(address.database, error) from error
    engine = create_engine("sqlite://", creator=lambda: memory, poolclass=StaticPool)
    _prepare(engine, address.database or "memory")
    return engine


def copy_in_memory(engine: Engine) -> Engine:
    """A SQLite database in memory with the content of another: whatever is written there is
    forgotten. Raises StoreError where the other is not SQLite."""
    with closing(engine.raw_connection()) as pooled:
        source = pooled.driver_connection
        if not isinstance(source, sqlite3.Connection):
            raise _not_copied(engine.dialect.name)
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        source.backup(memory)
    return create_engine("sqlite://", creator=lambda: memory, poolclass=StaticPool)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        address.get_dialect()
    except ArgumentError as error:
        raise StoreError('store: not a database URL; write "sqlite:///lpmanager.db"') from error
    return address


def _read_only(path: Path) -> sqlite3.Connection:
    """Where no log lies beside the file nobody writes to it; SQLite would make one even to read,
    and leave it there, unless told that the file does not change."""
    log = path.with_name(path.name + "-wal")
    how = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)


def _not_copied(dialect: str) -> StoreError:
    return StoreError(
        f"store: a {dialect} database cannot be copied for a dry run; name a SQLite store for dry "
        "runs"
    )


def _unreadable(name: str, error: sqlite3.Error | DBAPIError) -> StoreError:
    return StoreError(
        f"{name}: the database cannot be read ({_cause(error)}); restore it from a copy, or "
        "name another store"
    )


def _prepare(engine: Engine, name: str) -> None:
    try:
        with ExitStack() as on_error:
            on_error.callback(engine.dispose)
            _migrate(engine, name)
            on_error.pop_all()
    except CommandError as error:
        raise StoreError(
            f"{name}: was written by a newer lpmanager; update this one, or name another store"
        ) from error
    except DBAPIError as error:
        raise _unreadable(name, error) from error


def _migrate(engine: Engine, name: str) -> None:
    _require_ours(engine, name)
    if engine.dialect.name == "sqlite":
        _let_readers_in(engine)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "lpmanager:ledger/migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _require_ours(engine: Engine, name: str) -> None:
    tables = inspect(engine).get_table_names()
    if tables and _SCHEMA_TABLE not in tables:
        raise StoreError(
            f"{name}: is another program's database (it has a table {tables[0]!r}); name another "
            "store"
        )
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if found != "ok":
            shown = " ".join(str(found).split())
            raise StoreError(f"{name}: the database is damaged ({shown}); restore it from a copy")


def _durable(connection: sqlite3.Connection, _record: object) -> None:
    """A row that was committed survives a power cut. Nothing here writes to the file: it may turn
    out to be another program's."""
    connection.isolation_level = None
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Python's driver alone begins no transaction before DDL, which would leave a migration that
    fails half made."""
    connection.exec_driver_sql("BEGIN")


def _let_readers_in(engine: Engine) -> None:
    """Write-ahead logging, kept in the file: readers and the writer do not block each other."""
    with closing(engine.raw_connection()) as pooled:
        pooled.cursor().execute("PRAGMA journal_mode=WAL")


def _cause(error: sqlite3.Error | DBAPIError) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]
