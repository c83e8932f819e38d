"""The books in PostgreSQL, on a real server: what is written live, every command reads."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from threading import Thread

import pytest
from live_desk import Desk
from sqlalchemy import create_engine, func, make_url, select, text

from lpmanager.errors import StoreError
from lpmanager.ledger import tables
from lpmanager.ledger.database import open_database, read_database, writing

SERVER = os.environ.get("LPM_TEST_POSTGRES")

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(
        SERVER is None, reason="LPM_TEST_POSTGRES names no server, as postgresql+psycopg://..."
    ),
]


@pytest.fixture
def store() -> Iterator[str]:
    """The URL of a new database on the server."""
    server, name = make_url(str(SERVER)), f"lpm_{secrets.token_hex(6)}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        yield server.set(database=name).render_as_string(hide_password=False)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def rows_of(url: str) -> dict[str, int]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: int(
                connection.execute(select(func.count()).select_from(table)).scalar_one()
            )
            for table in tables.metadata.sorted_tables
        }
    engine.dispose()
    return found


def test_a_campaign_is_run_read_halted_and_resumed(desk: Desk, store: str) -> None:
    desk.edit("sqlite:///lpmanager.db", store)
    desk.config.chmod(0o600)  # the store's URL may hold a password
    for command in (
        "run --once --live",
        "doctor",
        "status",
        "report",
        "risk",
        "run --once",
        "halt main --reason test",
        "resume main --yes",
        "run --once --live",
    ):
        done = desk.lpm(*command.split())
        assert done.returncode == 0, f"{command}: {done.stderr}"
    report = desk.json("report")["campaigns"]["main"]
    assert report["identity_error"] == "0"
    assert len(desk.json("status")["campaigns"]["main"]["positions"]) == 2


def test_one_writes_at_a_time(store: str) -> None:
    """So a halt is either before a signature, or waits for it."""
    engine, order = open_database(store), []

    def second() -> None:
        with writing(engine):
            order.append("second")

    other = Thread(target=second)
    with writing(engine):
        other.start()
        other.join(0.5)
        assert other.is_alive()
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]
    engine.dispose()


def test_what_only_reads_writes_nothing(desk: Desk, store: str) -> None:
    desk.edit("sqlite:///lpmanager.db", store)
    assert desk.lpm("run", "--once", "--live").returncode == 0
    before = rows_of(store)
    desk.config.chmod(0o600)
    for command in ("doctor", "status", "plan", "report", "risk", "run"):
        arguments = [command, *(["--once"] if command == "run" else [])]
        assert desk.lpm(*arguments).returncode in (0, 5)
    assert rows_of(store) == before


def test_a_copy_has_every_row_and_is_forgotten(desk: Desk, store: str) -> None:
    desk.edit("sqlite:///lpmanager.db", store)
    assert desk.lpm("run", "--once", "--live").returncode == 0
    copy, before = read_database(store), rows_of(store)
    with copy.begin() as connection:
        for table in tables.metadata.sorted_tables:
            count = connection.execute(select(func.count()).select_from(table)).scalar_one()
            assert count == before[table.name], table.name
        connection.execute(tables.halts.delete())
        connection.execute(tables.marks.delete())
    assert rows_of(store) == before


def test_a_database_without_books_is_read_as_empty_and_left_alone(desk: Desk, store: str) -> None:
    read_database(store).dispose()
    desk.edit("sqlite:///lpmanager.db", store)
    desk.config.chmod(0o600)
    assert desk.json("doctor")["healthy"] is True
    engine = create_engine(store)
    with engine.connect() as connection:
        assert (
            connection.execute(
                text("select count(*) from information_schema.tables where table_schema = 'public'")
            ).scalar_one()
            == 0
        )
    engine.dispose()


def test_books_of_another_version_are_not_read_as_if_they_were_of_this_one(
    desk: Desk, store: str
) -> None:
    engine = open_database(store)
    with engine.begin() as connection:
        connection.execute(text("update lpmanager_schema set version_num = '0001'"))
    engine.dispose()
    with pytest.raises(StoreError, match="another version"):
        read_database(store)
    desk.edit("sqlite:///lpmanager.db", store)
    desk.config.chmod(0o600)
    told = json.loads(desk.lpm("doctor", "--json").stdout)["checks"]
    (database,) = (check for check in told if check["name"] == "database")
    assert not database["passed"]
    assert "the first `lpm run --live` of this one brings an older one up" in database["found"]
    with engine.connect() as connection:
        found = connection.execute(text("select version_num from lpmanager_schema")).scalar_one()
    engine.dispose()
    assert found == "0001"
