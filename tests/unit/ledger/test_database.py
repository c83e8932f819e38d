"""Opening the store: ours, whole and of a schema we know, or refused without touching it."""

from __future__ import annotations

import errno
import gc
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from builders import a_pool, a_purpose
from calibration_builders import a_calibration
from sqlalchemy import Engine, create_engine, insert, text

from lpmanager.errors import StoreError
from lpmanager.ledger import tables as t
from lpmanager.ledger.calibrations import keep_calibration, kept_calibration
from lpmanager.ledger.database import copy_in_memory, open_database, read_database, writing
from lpmanager.ledger.report import lineage
from lpmanager.ledger.store import Ledger
from lpmanager.ledger.tables import metadata
from lpmanager.ledger.writing import Batch, Opened
from lpmanager.model import Basis, Liquidity, SqrtPriceX96, TickRange
from lpmanager.risk.calibration.calibration import NOT_MADE


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_new_store_is_made_and_opens_again(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    open_database(url(path)).dispose()
    open_database(url(path)).dispose()
    assert path.exists()


def test_opening_a_store_leaves_nothing_behind_in_memory(tmp_path: Path) -> None:
    def objects_after_opening() -> int:
        open_database(url(tmp_path / "books.db")).dispose()
        gc.collect()
        # by type: an object that stands for another, which is gone, answers to nothing else
        return sum(issubclass(type(each), ExitStack) for each in gc.get_objects())

    once = objects_after_opening()
    assert [objects_after_opening() for _ in range(3)] == [once] * 3


def test_the_migrations_make_exactly_the_tables_the_program_uses(tmp_path: Path) -> None:
    engine = open_database(url(tmp_path / "books.db"))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": "lpmanager_schema", "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_commits_survive_a_power_cut_and_rows_keep_their_parents(tmp_path: Path) -> None:
    engine = open_database(url(tmp_path / "books.db"))
    with engine.connect() as connection:
        pragmas = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()
    assert pragmas == ["wal", 2, 1]


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    content = b"Dear database, " * 500
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"letter\.txt.*restore"):
        open_database(url(path))
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "recipes.db"
    run_sql(path, "create table recipes (name text)")
    content = path.read_bytes()
    with pytest.raises(StoreError, match=r"another program.*'recipes'"):
        open_database(url(path))
    assert path.read_bytes() == content


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    open_database(url(path)).dispose()
    run_sql(path, "update lpmanager_schema set version_num = '9999'")
    with pytest.raises(StoreError, match="newer lpmanager"):
        open_database(url(path))


def test_a_damaged_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    open_database(url(path)).dispose()
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xa5" * 4096
    path.write_bytes(bytes(content))
    with pytest.raises(StoreError, match=r"books\.db.*restore it from a copy"):
        open_database(url(path))


def test_a_store_whose_schema_is_no_text_any_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    open_database(url(path)).dispose()
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE journal", b"CREATE \xa8ABLE journal"))
    with pytest.raises(StoreError, match=r"books\.db.*restore it from a copy"):
        open_database(url(path))


def test_a_truncated_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    open_database(url(path)).dispose()
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(StoreError, match=r"books\.db"):
        open_database(url(path))


def test_a_store_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        open_database(url(tmp_path / "missing" / "books.db"))


def test_a_store_that_another_program_is_writing_to_is_to_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "books.db"
    engine = open_database(f"{url(path)}?timeout=0.01")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"books\.db.*locked.*try again"), writing(engine):
            pass
    engine.dispose()


def test_a_store_that_is_deleted_while_it_is_in_use_takes_nothing_more(tmp_path: Path) -> None:
    """What SQLite would go on writing to has no name any more."""
    path = tmp_path / "books.db"
    engine = open_database(url(path))
    add_a_chain(engine, 1)
    path.unlink()
    for _ in range(2):
        with pytest.raises(StoreError, match="was deleted, or another file put in its place"):
            add_a_chain(engine, 2)
    assert not path.exists()
    open_database(url(path)).dispose()
    with pytest.raises(StoreError, match="put it back, and start again"):
        add_a_chain(engine, 2)
    engine.dispose()


@pytest.mark.parametrize("log", ["books.db-wal", "books.db-shm"])
def test_a_store_whose_log_is_deleted_while_it_is_in_use_takes_nothing_more(
    tmp_path: Path, log: str
) -> None:
    """What another process writes then, such as a halt, goes to another log, and is not seen."""
    engine = open_database(url(tmp_path / "books.db"))
    (tmp_path / log).unlink()
    with pytest.raises(StoreError, match=rf"{log}: was deleted, or another file put in its place"):
        add_a_chain(engine, 1)
    engine.dispose()


def test_a_store_that_cannot_be_looked_for_is_an_error_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network's disk that has gone, or in a folder that was closed."""
    engine = open_database(url(tmp_path / "books.db"))

    def gone(_path: Path) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", gone)
        with pytest.raises(
            StoreError, match=r"books\.db.*cannot be looked for \(Stale file handle"
        ):
            add_a_chain(engine, 1)
    add_a_chain(engine, 1)
    engine.dispose()


def add_a_chain(engine: Engine, chain_id: int) -> None:
    with writing(engine) as connection:
        connection.execute(insert(t.chains).values(chain_id=chain_id, genesis="0x0"))


@pytest.mark.parametrize("wrong", ["books.db", "nosuch://host/books", ""])
def test_something_that_is_no_database_url_is_refused(wrong: str) -> None:
    with pytest.raises(StoreError, match="not a database URL"):
        open_database(wrong)


def test_a_database_whose_driver_is_missing_is_refused_with_what_to_install() -> None:
    with pytest.raises(StoreError, match=r"pg8000.*lpmanager\[postgres\]"):
        open_database("postgresql+pg8000://localhost/books")


def test_a_migration_that_fails_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "books.db"
    whole = op.create_table

    def breaks_at_the_journal(name: str, *columns: object, **options: object) -> object:
        if name == "journal":
            raise sqlite3.OperationalError("disk full")
        return whole(name, *columns, **options)

    monkeypatch.setattr("alembic.op.create_table", breaks_at_the_journal)
    with pytest.raises(StoreError, match="disk full"):
        open_database(url(path))
    monkeypatch.undo()
    open_database(url(path)).dispose()


# ---- stores of earlier versions ----


def store_of(path: Path, revision: str, *rows: str) -> None:
    """A store as an earlier version left it: a campaign, and what else it wrote."""
    engine = create_engine(url(path))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "lpmanager:ledger/migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.execute(
            text(
                "insert into campaigns (name, chain_id, account, pool, token0, token1, last_block) "
                "values ('main', 1, '0xA1', '0xF0', '0x01', '0x02', 100)"
            )
        )
        for row in rows:
            connection.execute(text(row))
    engine.dispose()


def store_of_the_first_version(path: Path, status: str) -> None:
    """With one transaction in its journal."""
    journalled = (
        f"insert into journal values ('0xabc', 1, '0xA1', 7, 'a swap', x'02', 5, '{status}')"
    )
    store_of(path, "0001", journalled)


@pytest.mark.parametrize("status", ["mined", "failed"])
def test_a_store_of_the_first_version_whose_transactions_are_settled_goes_on(
    tmp_path: Path, status: str
) -> None:
    path = tmp_path / "books.db"
    store_of_the_first_version(path, status)
    ledger = Ledger.open(url(path))
    assert ledger.campaign("main") is not None
    journal = ledger.journal(1)
    planned = journal.plan("0xA1", 8, a_purpose())
    assert journal.open_intents("0xA1") == [planned]
    ledger.engine.dispose()


def test_a_store_of_the_first_version_with_an_open_transaction_is_refused_and_left_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "books.db"
    store_of_the_first_version(path, "open")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"transaction 0xabc .* never settled: look it up"):
            open_database(url(path))
    with closing(sqlite3.connect(path)) as connection:
        (left,) = connection.execute("select tx_hash, nonce, status from journal")
        (version,) = connection.execute("select version_num from lpmanager_schema")
    assert left == ("0xabc", 7, "open")
    assert version == ("0001",)


def test_positions_of_the_third_version_are_kept_to_the_unit_and_may_live_again(
    tmp_path: Path,
) -> None:
    path, most = tmp_path / "books.db", 2**256 - 1
    kept = f"'main', '{{}}', -600, 600, '{2**128 - 1}', '{most}', '7', '{2**96}', 5"
    store_of(
        path,
        "0003",
        f"insert into positions values ({kept.format(most)}, null)",
        f"insert into positions values ({kept.format(8)}, 9)",
    )
    ledger, pool = Ledger.open(url(path)), a_pool()
    (basis,) = ledger.bases("main", pool).values()
    assert basis == Basis(
        token_id=most,
        range=TickRange(-600, 600),
        liquidity=Liquidity(2**128 - 1),
        amounts=pool.amounts(most, 7),
        sqrt_price_x96=SqrtPriceX96(2**96),
        timestamp=5,
    )
    again = Opened(replace(basis, token_id=8, timestamp=11))
    ledger.post("main", Batch(entries=(), last_block=101, positions=(again,)))
    lives = lineage(ledger.engine, "main")
    assert [(life.token_id, life.opened_at, life.closed_at) for life in lives] == [
        (most, 5, None),
        (8, 5, 9),
        (8, 11, None),
    ]
    ledger.engine.dispose()


def test_a_copy_in_memory_has_the_content_and_forgets_what_is_added(tmp_path: Path) -> None:
    engine = open_database(url(tmp_path / "books.db"))
    add = text("insert into halts (campaign, reason, timestamp) values ('a', 'why', 1)")
    count = text("select count(*) from halts")
    with engine.begin() as connection:
        connection.execute(add)
    copy = copy_in_memory(engine)
    with copy.begin() as connection:
        connection.execute(add)
        assert connection.execute(count).scalar() == 2
    with engine.connect() as connection:
        assert connection.execute(count).scalar() == 1
    copy.dispose()
    engine.dispose()


def test_a_store_whose_path_has_signs_of_a_url_can_be_copied(tmp_path: Path) -> None:
    engine = open_database(url(tmp_path / "50% books#1.db"))
    with engine.begin() as connection:
        connection.execute(
            text("insert into halts (campaign, reason, timestamp) values ('a', 'why', 1)")
        )
    copy = copy_in_memory(engine)
    with copy.connect() as connection:
        assert connection.execute(text("select count(*) from halts")).scalar() == 1
    copy.dispose()
    engine.dispose()


def test_reading_where_there_are_no_books_yet_makes_no_file(tmp_path: Path) -> None:
    engine = read_database(url(tmp_path / "books.db"))
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from campaigns")).scalar() == 0
    engine.dispose()
    assert list(tmp_path.iterdir()) == []


def test_reading_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "50% books#1.db"
    engine = open_database(url(path))
    with engine.begin() as connection:
        connection.execute(
            text("insert into halts (campaign, reason, timestamp) values ('a', 'why', 1)")
        )
    engine.dispose()
    content = path.read_bytes()
    copy = read_database(url(path))
    with copy.connect() as connection:
        assert connection.execute(text("select reason from halts")).scalar() == "why"
    copy.dispose()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == content


def test_reading_sees_what_a_running_manager_has_just_written(tmp_path: Path) -> None:
    running = open_database(url(tmp_path / "books.db"))
    with running.begin() as connection:
        connection.execute(
            text("insert into halts (campaign, reason, timestamp) values ('a', 'why', 1)")
        )
    copy = read_database(url(tmp_path / "books.db"))
    with copy.connect() as connection:
        assert connection.execute(text("select reason from halts")).scalar() == "why"
    copy.dispose()
    running.dispose()


def test_reading_refuses_what_opening_refuses(tmp_path: Path) -> None:
    letter, recipes, newer = (tmp_path / name for name in ("letter.txt", "recipes.db", "books.db"))
    letter.write_bytes(b"Dear database, " * 500)
    run_sql(recipes, "create table recipes (name text)")
    open_database(url(newer)).dispose()
    run_sql(newer, "update lpmanager_schema set version_num = '9999'")
    for path, message in (
        (letter, "cannot be read"),
        (recipes, "another program"),
        (newer, "newer lpmanager"),
    ):
        with pytest.raises(StoreError, match=rf"{path.name}.*{message}"):
            read_database(url(path))


def test_a_store_of_the_fifth_version_goes_on_with_a_place_for_calibrations(
    tmp_path: Path,
) -> None:
    path = tmp_path / "books.db"
    store_of(path, "0005")
    ledger = Ledger.open(url(path))
    assert ledger.campaign("main") is not None
    assert kept_calibration(ledger.engine, "main") is NOT_MADE
    keep_calibration(ledger.engine, "main", a_calibration(7))
    assert kept_calibration(ledger.engine, "main") == a_calibration(7)
    ledger.engine.dispose()
