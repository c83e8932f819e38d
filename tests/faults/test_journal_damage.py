"""A journal that rots, is cut or is gone: found out before anything more is signed."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from a_person import resume
from builders import ACCOUNT, CHAIN_ID, a_hash, a_purpose, an_attempt, an_inclusion
from faults.kill_points import IN_FLIGHT, KILLED, POINTS, run_until
from faults.scenes import A_MOVE, STORE, Scene, delete_store
from faults.troubled_desk import NAME, Run
from faults.verdict import (
    CYCLES_TO_RECOVER,
    require_books_equal_chain,
    require_no_swap_more,
    require_normal_soon,
    require_sound_on_chain,
)
from faults.waiting import let_blocks_come, mined_again_afterwards, waiting

from lpmanager.errors import Halted, JournalDamaged, StoreError
from lpmanager.execution.intent import Status
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.ledger.writing import Batch

pytestmark = pytest.mark.fault_row("a journal row flipped; the database deleted")

_COLUMNS = ("id", "intent", "chain_id", "account", "event", "tx_hash", "body", "digest")

#: About as often as that the head is looked at before anything is signed.
_LOOKS_OF_A_FIRST_CYCLE = 8

Damage = Callable[[Path, random.Random], int | None]


@pytest.fixture(scope="module")
def scenes(wallet_scenes: list[Scene], vault_scenes: list[Scene]) -> list[Scene]:
    """Half of them are a vault's."""
    return [*wallet_scenes, *vault_scenes]


def with_history(scenes: list[Scene], *, in_vault: bool) -> Scene:
    """One that is about to sign."""
    return next(s for s in scenes if s.name == "re-ranges" and s.is_vaults == in_vault)


def chosen(scenes: list[Scene], dice: random.Random, figures: dict[str, int]) -> Scene:
    scene = dice.choice(scenes)
    figures["of a vault"] = int(scene.is_vaults)
    return scene


def bit_of_a_value(path: Path, dice: random.Random) -> int:
    """Of any column of any row."""
    row, column = dice.randint(1, rows(path)), dice.choice(_COLUMNS[1:])
    query = f"SELECT CAST({column} AS BLOB), typeof({column}) FROM journal WHERE id = {row}"
    ((found, kind),) = sql(path, query)
    value = bytearray(found or b"\x00")
    value[dice.randrange(len(value))] ^= 1 << dice.randrange(8)
    as_before = "TEXT" if kind == "null" else kind
    now = f"CAST(x'{value.hex()}' AS {as_before})"
    sql(path, f"UPDATE journal SET {column} = {now} WHERE id = {row}")
    return row


def row_gone(path: Path, dice: random.Random) -> int:
    row = dice.randint(1, rows(path))
    sql(path, f"DELETE FROM journal WHERE id = {row}")
    return row


def rows_swapped(path: Path, dice: random.Random) -> int:
    one, other = sorted(dice.sample(range(1, rows(path) + 1), 2))
    for now, then in ((one, 0), (other, one), (0, other)):
        sql(path, f"UPDATE journal SET id = {then} WHERE id = {now}")
    return one


def end_cut_off(path: Path, dice: random.Random) -> int:
    row = dice.randint(1, rows(path))
    sql(path, f"DELETE FROM journal WHERE id >= {row}")
    return row


def end_moved(path: Path, dice: random.Random) -> None:
    moved = dice.choice(("rows = rows - 1", "rows = rows + 1", "digest = substr(digest, 2) || 'x'"))
    sql(path, f"UPDATE journal_tip SET {moved}")


def byte_in_the_file(path: Path, dice: random.Random) -> None:
    """Anywhere in the file, as long as it concerns the journal: where every row reads as before,
    nothing was damaged."""
    whole, before = path.read_bytes(), journal(path)
    while True:
        content = bytearray(whole)
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        path.write_bytes(content)
        if journal(path) != before:
            return


DAMAGES: tuple[Damage, ...] = (
    bit_of_a_value,
    row_gone,
    rows_swapped,
    end_cut_off,
    end_moved,
    byte_in_the_file,
)


@pytest.mark.seeds(9, 167)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.replace("_", " "))
def test_a_damaged_journal_is_found_out_before_anything_is_signed(
    scenes: list[Scene], tmp_path: Path, figures: dict[str, int], damage: Damage, seed: int
) -> None:
    in_vault = seed % 2 == 1
    figures["of a vault"] = int(in_vault)
    with with_history(scenes, in_vault=in_vault).run(tmp_path, seed) as run:
        run.ledger.engine.dispose()
        row = damage(tmp_path / STORE, random.Random(f"{damage.__name__} {seed}"))
        with pytest.raises((JournalDamaged, StoreError)) as refused:
            restart_and_run(run)
        assert run.raw_transactions() == []
        if row is not None:
            assert f"row {row} of the journal" in str(refused.value)


@pytest.mark.parametrize("in_vault", [False, True], ids=["wallet", "vault"])
def test_the_undamaged_journal_signs(scenes: list[Scene], tmp_path: Path, in_vault: bool) -> None:
    """So that what the damaged ones do not is because of the damage."""
    with with_history(scenes, in_vault=in_vault).run(tmp_path, 0) as run:
        restart_and_run(run)
        assert len(run.raw_transactions()) >= (1 if in_vault else 6)


@pytest.mark.seeds(10, 500)
def test_without_its_database_a_campaign_adopts_what_is_there(
    scenes: list[Scene], tmp_path: Path, figures: dict[str, int], seed: int
) -> None:
    """It is killed anywhere, and the store deleted, before it starts anew."""
    dice = random.Random(seed)
    scene = chosen(scenes, dice, figures)
    with scene.run(tmp_path, seed) as run:
        assert run_until(run, tmp_path, dice.choice(POINTS), dice.randrange(5)) in (KILLED, 0)
        delete_store(run, tmp_path)
        run.restart()
        require_all_is_well(run, scene)


@pytest.mark.seeds(3, 200)
def test_without_its_database_what_a_block_takes_meanwhile_is_not_done_again(
    scenes: list[Scene], tmp_path: Path, figures: dict[str, int], seed: int
) -> None:
    """It is killed before a block takes what it has sent, with every other seed a swap; the store
    is deleted, and blocks come again while it starts anew. Where it halts, a person begins new
    books."""
    dice, swaps = random.Random(f"meanwhile {seed}"), seed % 2 == 0
    scene = chosen([s for s in scenes if s.usual.swapping or not swaps], dice, figures)
    with scene.run(tmp_path, seed) as run, mined_again_afterwards(run.stage):
        last = dice.choice(scene.usual.swapping if swaps else range(scene.usual.sends))
        assert run_until(run, tmp_path, dice.choice(IN_FLIGHT), 0, unmined=last) == KILLED
        assert waiting(run.stage) == 1
        delete_store(run, tmp_path)
        let_blocks_come(run, dice.randint(1, _LOOKS_OF_A_FIRST_CYCLE))
        run.restart()
        for _ in range(CYCLES_TO_RECOVER):
            if not goes_on(run) and run.halted() is not None:
                figures["halted, begun anew"] = 1
                delete_store(run, tmp_path)
                run.restart()
        require_all_is_well(run, scene)


def require_all_is_well(run: Run, scene: Scene) -> None:
    """Nothing was done twice, which no journal can tell."""
    require_normal_soon(run)
    run.come_to_rest()
    require_no_swap_more(run, scene.usual.swaps_anew)
    require_sound_on_chain(run)
    require_books_equal_chain(run)


@pytest.mark.seeds(3, 50)
@pytest.mark.least({"noticed while it waited": 2 / 3})
def test_without_its_database_what_is_under_way_is_noticed_before_signing(
    scenes: list[Scene], tmp_path: Path, figures: dict[str, int], seed: int
) -> None:
    """Or nothing is signed, where new books have nothing to do yet."""
    dice = random.Random(seed)
    scene = chosen(scenes, dice, figures)
    with scene.run(tmp_path, seed) as run:
        with mined_again_afterwards(run.stage):
            last = dice.randrange(scene.usual.sends)
            assert run_until(run, tmp_path, dice.choice(IN_FLIGHT), 0, unmined=last) == KILLED
            delete_store(run, tmp_path)
            before = run.raw_transactions()
            run.restart()
            figures["noticed while it waited"] = int(not goes_on(run))
            assert run.raw_transactions() == before
        resume(Diary(run.ledger.engine, NAME), 1)
        require_all_is_well(run, scene)


@pytest.mark.seeds(3, 100)
def test_a_store_of_some_time_ago_is_noticed_before_signing(
    scenes: list[Scene], tmp_path: Path, figures: dict[str, int], seed: int
) -> None:
    """As from a backup: whole in itself, but the chain has gone on."""
    dice = random.Random(seed)
    with chosen([s for s in scenes if s.store], dice, figures).run(tmp_path, seed) as run:
        old = tmp_path / "backup.db"
        run.ledger.engine.dispose()
        shutil.copy(tmp_path / STORE, old)
        run.restart()
        assert run.cycle(), run.errors
        before = run.raw_transactions()
        delete_store(run, tmp_path)
        shutil.copy(old, tmp_path / STORE)
        run.restart()
        with pytest.raises(Halted):
            run_until_it_would_sign(run)
        assert run.raw_transactions() == before


def run_until_it_would_sign(run: Run) -> None:
    """What was only a swap may pass for a transfer of the owner's as long as nothing is signed."""
    assert run.cycle(), run.errors
    run.stage.move_price(*A_MOVE)
    run.cycle()


def test_no_index_hides_what_the_rows_say(tmp_path: Path) -> None:
    """A digest is of rows: what is only looked up by a copy of them beside it could rot unseen."""
    path = tmp_path / STORE
    with an_open_ledger(path) as ledger:
        journal = ledger.journal(CHAIN_ID)
        intent = journal.signed(journal.plan(ACCOUNT, 1, a_purpose()), an_attempt(1))
        journal.note(journal.note(intent, Status.MINED, an_inclusion(1)), Status.FINAL)
    content = path.read_bytes()
    for place in re.finditer(a_hash(1).encode(), content):
        if content[place.end() :].startswith(b"{"):  # the row itself, with its body behind
            continue
        content = content[: place.start() + 2] + b"x" + content[place.start() + 3 :]
    path.write_bytes(content)
    with an_open_ledger(path) as ledger:
        ledger.post(NAME, Batch(entries=(), last_block=1, transactions=(a_hash(1),)))
        (booked,) = ledger.journal(CHAIN_ID).history(ACCOUNT)
    assert booked.status is Status.BOOKED


@contextmanager
def an_open_ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{path}")
    yield ledger
    ledger.engine.dispose()


@pytest.mark.seeds(5, 100)
def test_a_log_that_rots_after_a_kill_is_noticed_or_makes_no_difference(
    scenes: list[Scene], tmp_path: Path, figures: dict[str, int], seed: int
) -> None:
    """SQLite takes what is behind a damaged frame of its log as never written: the store is then
    one of some time ago."""
    dice = random.Random(seed)
    with chosen(scenes, dice, figures).run(tmp_path, seed) as run:
        run.ledger.engine.dispose()
        point = dice.choice(
            [p for p in POINTS if "on disk" in p.moment and "first" not in p.moment]
        )
        assert run_until(run, tmp_path, point, 0) == KILLED
        log = tmp_path / f"{STORE}-wal"
        content = bytearray(log.read_bytes())
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        log.write_bytes(content)
        (tmp_path / f"{STORE}-shm").unlink()
        before = run.raw_transactions()
        try:
            run.restart()
            require_normal_soon(run)
        except (Halted, StoreError):
            assert run.raw_transactions() == before
        else:
            require_sound_on_chain(run)
            require_books_equal_chain(run)


def goes_on(run: Run) -> bool:
    """Whether a cycle neither halts nor ends in trouble."""
    try:
        return run.cycle()
    except Halted:
        return False


def restart_and_run(run: Run) -> None:
    """A process of today on the store as it is."""
    run.restart()
    assert run.cycle(), run.errors


def rows(path: Path) -> int:
    ((count,),) = sql(path, "SELECT count(*) FROM journal")
    return int(count)


def journal(path: Path) -> list[Any]:
    """All that it says, or why that cannot be read."""
    try:
        tables = [sql(path, f"SELECT * FROM {t} NOT INDEXED") for t in ("journal", "journal_tip")]
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return [str(error)]
    return tables


def sql(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.text_factory = bytes
        return connection.execute(statement).fetchall()
