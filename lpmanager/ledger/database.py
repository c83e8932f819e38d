"""Opening the database of the books: its own file, whole, and at this program's schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util.exc import CommandError
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, DatabaseError, InternalError, OperationalError
from sqlalchemy.pool import StaticPool

from lpmanager.errors import StoreError
from lpmanager.ledger.tables import metadata

_SCHEMA_TABLE = "lpmanager_schema"

#: The number, of all that a PostgreSQL database can lock, which is the writers' here ("lpm").
_WRITERS_LOCK = 0x6C706D

#: What a database refuses though nothing in this program is wrong.
_TROUBLES = frozenset({DatabaseError, InternalError, OperationalError})

#: A path: where a folder within a package is named, alembic keeps something of it each time it is
#: looked up. A percent sign would begin a placeholder.
_MIGRATIONS = str(Path(__file__).with_name("migrations")).replace("%", "%%")

#: By SQLite's primary result code; for what is not here the database is taken for damaged.
_MENDING: dict[int | None, str] = {
    sqlite3.SQLITE_BUSY: "another program writes to it; try again",
    sqlite3.SQLITE_FULL: "make room on the disk, then try again",
    sqlite3.SQLITE_IOERR: "make room on the disk, or look in the system's log why it fails",
    sqlite3.SQLITE_READONLY: "let this user write the file, its -wal and -shm, and their folder",
    sqlite3.SQLITE_PERM: "let this user write the file, its -wal and -shm, and their folder",
    sqlite3.SQLITE_CANTOPEN: "make its folder, and let this user write there",
}


def open_database(url: str) -> Engine:
    """A migrated database at `url`; a SQLite file is made where there is none.

    Raises StoreError where it is damaged, another program's, or of a newer lpmanager. Later on all
    work with the engine raises it where the disk or the database fails.
    """
    engine = _connected(_address(url))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "begin", _one_writer)
    _prepare(engine, engine.url.database or "memory")
    if engine.dialect.name == "sqlite" and engine.url.database:
        _stay_with(engine, Path(engine.url.database))
    return engine


def read_database(url: str) -> Engine:
    """A migrated copy in memory of the database at `url`, empty where there is none.

    Nothing is made, migrated or written where it comes from. Raises StoreError as `open_database`,
    and where a PostgreSQL database is of an older lpmanager.
    """
    address = _address(url)
    if address.get_backend_name() != "sqlite":
        engine = _connected(address)
        with ExitStack() as at_last:
            at_last.callback(engine.dispose)
            return _copied_row_by_row(engine)
    path = Path(address.database) if address.database else None
    there = path is not None and identity(path) is not None
    memory = sqlite3.connect(":memory:", check_same_thread=False)
    if path is not None and there:
        try:
            with closing(_read_only(path)) as source:
                source.backup(memory)
        except sqlite3.Error as error:
            memory.close()
            raise _refused(str(path), error) from error
    engine = _over(memory)
    _prepare(engine, address.database or "memory")
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes, or is rolled back where anything is raised in it.

    It waits for other processes that write. One that reads first and writes later would not: SQLite
    refuses it where somebody, such as `lpm halt`, has written in between.
    """
    with (
        engine.connect().execution_options(lpmanager_writes=True) as connection,
        connection.begin(),
    ):
        yield connection


def copy_in_memory(engine: Engine) -> Engine:
    """A SQLite database in memory with the content of another: whatever is written there is
    forgotten."""
    if engine.dialect.name != "sqlite":
        return _copied_row_by_row(engine)
    with closing(engine.raw_connection()) as pooled:
        source = pooled.driver_connection
        assert isinstance(source, sqlite3.Connection)
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        source.backup(memory)
    return _over(memory)


def _copied_row_by_row(source: Engine) -> Engine:
    """The rows of a PostgreSQL database as they all were at one moment; empty where it has none."""
    copy = _over(sqlite3.connect(":memory:", check_same_thread=False))
    _prepare(copy, "memory")
    if not inspect(source).get_table_names():
        return copy
    name = source.url.database or "store"
    _require_ours(source, name)
    reading = source.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    with reading, reading.begin(), writing(copy) as written:
        if _version(reading) != _version(written):
            raise StoreError(
                f"{name}: was written by another version of lpmanager; the first `lpm run --live` "
                "of this one brings an older one up to date"
            )
        for table in metadata.sorted_tables:
            rows = [dict(row) for row in reading.execute(select(table)).mappings()]
            if rows:
                written.execute(insert(table), rows)
    return copy


def _version(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": _SCHEMA_TABLE})
    return context.get_current_revision()


def _connected(address: URL) -> Engine:
    try:
        engine = create_engine(address)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"store: the driver {error.name} is not installed; for PostgreSQL install "
            'lpmanager[postgres] and write "postgresql+psycopg://..."'
        ) from error
    event.listen(engine, "handle_error", _as_store_error)
    return engine


def _over(memory: sqlite3.Connection) -> Engine:
    engine = create_engine("sqlite://", creator=lambda: memory, poolclass=StaticPool)
    event.listen(engine, "handle_error", _as_store_error)
    return engine


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


def is_damage(error: StoreError) -> bool:
    """Whether what the database holds has rotted, and not only its disk or access to it fails."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error | UnicodeDecodeError) and _code(cause) not in _MENDING


def store_files(path: Path) -> tuple[Path, ...]:
    """The file of a SQLite store, and those of its log, which may not be there."""
    return path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))


def identity(path: Path) -> tuple[int, int] | None:
    """Which file a path names now, by device and inode; None where it names none. Raises StoreError
    where that cannot be told: what may not be looked for is not taken for missing."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be looked for ({error.strerror}); see that its disk is there, and let "
            "this user enter its folder, or name another one"
        ) from error
    return status.st_dev, status.st_ino


def _as_store_error(context: ExceptionContext) -> StoreError | None:
    """What is raised instead, where a disk or a database fails: something a user can mend."""
    rotten = isinstance(context.original_exception, UnicodeDecodeError)  # in SQLite's own words
    if not rotten and type(context.sqlalchemy_exception) not in _TROUBLES:
        return None
    name = context.engine.url.database if context.engine else None
    return _refused(name or "memory", context.original_exception)


def _refused(name: str, error: BaseException) -> StoreError:
    mending = _MENDING.get(_code(error), "restore it from a copy, or name another store")
    reason = str(error).splitlines()[0]
    return StoreError(f"{name}: the database cannot be read or written ({reason}); {mending}")


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
    except (
        sqlite3.Error,
        UnicodeDecodeError,
    ) as error:  # from its own connection, which SQLAlchemy does not watch
        raise _refused(name, error) from error


def _migrate(engine: Engine, name: str) -> None:
    _require_ours(engine, name)
    if engine.dialect.name == "sqlite":
        _let_readers_in(engine)
    with writing(engine) as connection:
        config = Config()
        config.set_main_option("script_location", _MIGRATIONS)
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
    writes = connection.get_execution_options().get("lpmanager_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _one_writer(connection: Connection) -> None:
    """PostgreSQL lets many write at once. Here one does, as in SQLite: the journal's rows are a
    chain, and whoever signs must know that nobody has halted the campaign meanwhile."""
    if connection.get_execution_options().get("lpmanager_writes", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")


def _stay_with(engine: Engine, path: Path) -> None:
    """Use the file that was opened, with its log, and no other. SQLite goes on with one that was
    deleted: what is written there is gone with the process, and what others write, such as a halt,
    is not seen."""
    opened = {file: found for file in store_files(path) if (found := identity(file))}

    def require_same_files(_connection: Connection) -> None:
        for file, found in opened.items():
            if identity(file) != found:
                raise StoreError(
                    f"{file}: was deleted, or another file put in its place, while it was in use; "
                    "stop lpm, put it back, and start again"
                )

    event.listen(engine, "begin", require_same_files, insert=True)


def _let_readers_in(engine: Engine) -> None:
    """Write-ahead logging, kept in the file: readers and the writer do not block each other."""
    with closing(engine.raw_connection()) as pooled:
        pooled.cursor().execute("PRAGMA journal_mode=WAL")


def _code(error: BaseException) -> int | None:
    """SQLite's primary result code; None where there is none, as for bytes that are no text."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
