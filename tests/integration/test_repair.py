"""`lpm doctor --repair`: a damaged journal is mended once the chain shows that nothing can happen
any more, and what was under way is not lost with it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from live_desk import Desk, typed
from sqlalchemy import text
from whole_intents import whole_intents

from lpmanager.account_lock import only_one
from lpmanager.chain.node import Question
from lpmanager.execution.intent import CLOSED, Intent, Status
from lpmanager.ledger.store import Ledger
from lpmanager.model import Mint

CHAIN_ID = 31337
ZERO = "0x" + "00" * 20


def ask(desk: Desk, method: str, *params: object) -> object:
    return desk.devnet.controls.node.ask(Question(method, list(params), lambda told: told))


def nonce(desk: Desk, block: str = "latest") -> int:
    told = ask(desk, "eth_getTransactionCount", desk.account, block)
    return int(str(told), 16)


@pytest.fixture
def ledger(desk: Desk) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{desk.folder / 'lpmanager.db'}")
    yield ledger
    ledger.engine.dispose()


def intents(desk: Desk, ledger: Ledger) -> list[Intent]:
    return whole_intents(ledger.engine, desk.account, CHAIN_ID)


def damage(ledger: Ledger, event: Status) -> int:
    """Let the first row of that event rot; its number."""
    with ledger.engine.begin() as connection:
        found = text("SELECT min(id) FROM journal WHERE event = :event")
        row = connection.execute(found, {"event": str(event)}).scalar()
        connection.execute(text("UPDATE journal SET intent = 'x' WHERE id = :row"), {"row": row})
    assert isinstance(row, int)
    return row


def run(ledger: Ledger, sql: str) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(text(sql))


def files(desk: Desk) -> set[Path]:
    """Those of the journal that were moved aside."""
    return set(desk.folder.glob("journal-*.jsonl"))


def repair(desk: Desk, *arguments: str) -> tuple[int, dict[str, object], str]:
    done = desk.lpm("doctor", "--repair", "--json", *arguments)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def require_normal(desk: Desk) -> None:
    done = desk.lpm("run", "--once", "--live")
    assert done.returncode == 0, done.stderr
    assert desk.json("report")["campaigns"]["main"]["identity_error"] == "0"


def stop_half_way(desk: Desk, reached: Callable[[], bool]) -> None:
    """A live run that is killed once it has got somewhere."""
    process = desk.start("run", "--once", "--live")
    give_up = time.monotonic() + 60
    while not reached() and time.monotonic() < give_up:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert reached()


def leave_pending(desk: Desk) -> None:
    """A live run is killed while a transaction of its own waits to be mined."""
    desk.devnet.refresh()
    desk.devnet.controls.set_automine(False)
    stop_half_way(desk, lambda: nonce(desk, "pending") > nonce(desk))


@pytest.fixture(autouse=True)
def _mines_again(desk: Desk) -> Iterator[None]:
    yield
    ask(desk, "anvil_dropAllTransactions")
    ask(desk, "evm_setIntervalMining", 0)
    desk.devnet.controls.set_automine(True)


def test_a_damaged_journal_halts_is_shown_and_mended_when_told(desk: Desk, ledger: Ledger) -> None:
    require_normal(desk)
    row = damage(ledger, Status.SIGNED)
    halted = desk.lpm("run", "--once", "--live")
    assert halted.returncode == 1
    assert f"row {row} of the journal is damaged" in halted.stderr
    told = {c["name"]: c for c in json.loads(desk.lpm("doctor", "--json").stdout)["checks"]}
    assert f"row {row}" in told["journal"]["found"]

    code, shown, err = repair(desk)
    assert (code, shown["done"], shown["kept"], shown["obstacles"]) == (4, False, [], [])
    assert list(shown["bad"]) == [str(row)]
    assert "add --yes to do it" in err
    assert files(desk) == set()
    assert desk.lpm("run", "--once", "--live").returncode == 1

    table = desk.lpm("doctor", "--repair")
    assert f"{row} " in table.stdout
    assert "all rows are moved to" in table.stdout

    code, shown, err = repair(desk, "--yes")
    assert (code, shown["done"]) == (0, True)
    (aside,) = files(desk)
    assert aside.stat().st_mode & 0o777 == 0o600
    assert len(aside.read_text().splitlines()) == shown["rows"]
    assert intents(desk, ledger) == []
    require_normal(desk)
    assert repair(desk)[1] == {"whole": True, "done": False}


def test_what_was_mined_and_not_booked_is_kept_and_settled_by_the_next_run(
    desk: Desk, ledger: Ledger
) -> None:
    ask(desk, "evm_setAutomine", False)
    ask(desk, "evm_setIntervalMining", 1)
    stop_half_way(desk, lambda: len(intents(desk, ledger)) > 2)
    lost, *kept = intents(desk, ledger)
    assert not lost.purpose.actions  # an allowance: it moved nothing that books would miss
    kept = [intent for intent in kept if intent.attempts]
    damage(ledger, Status.PLANNED)
    wait_until_mined(desk)
    desk.devnet.controls.set_automine(True)

    code, shown, err = repair(desk, "--yes")
    assert (code, shown["done"]) == (0, True), err
    assert shown["kept"] == sorted(intent.id for intent in kept)
    assert [i.id for i in intents(desk, ledger)] == [intent.id for intent in kept]
    require_normal(desk)
    assert all(i.status in CLOSED for i in intents(desk, ledger))


def lose_a_mined_mint(desk: Desk, ledger: Ledger) -> None:
    """A live run is killed once it has sent a mint, whose signature rots; it is mined, and the
    journal repaired."""

    def mints() -> list[Intent]:
        found = intents(desk, ledger)
        return [i for i in found if any(isinstance(action, Mint) for action in i.purpose.actions)]

    ask(desk, "evm_setAutomine", False)
    ask(desk, "evm_setIntervalMining", 1)
    stop_half_way(desk, lambda: any(intent.status is Status.SENT for intent in mints()))
    wait_until_mined(desk)
    desk.devnet.controls.set_automine(True)
    (mint,) = mints()
    run(ledger, f"UPDATE journal SET body = '' WHERE event = 'signed' AND intent = '{mint.id}'")
    done = desk.lpm("doctor", "--repair", "--yes")
    assert done.returncode == 0, done.stderr
    assert "was mined and is not booked counts as changed by hand" in " ".join(done.stderr.split())
    assert mint.id not in {intent.id for intent in intents(desk, ledger)}


def test_a_mint_that_was_lost_is_taken_in_where_changes_by_hand_are(
    desk: Desk, ledger: Ledger
) -> None:
    adopt_changes(desk)
    lose_a_mined_mint(desk, ledger)
    require_normal(desk)
    (told,) = desk.json("report")["campaigns"]["main"]["changed_by_hand"]
    assert "is in the chain but not in the books" in told["what"]


def test_a_mint_that_was_lost_halts_where_changes_by_hand_do(desk: Desk, ledger: Ledger) -> None:
    lose_a_mined_mint(desk, ledger)
    halted = desk.lpm("run", "--once", "--live")
    assert halted.returncode == 1
    assert "is in the chain but not in the books; it was changed by hand" in halted.stderr
    adopt_changes(desk)
    assert desk.lpm("resume", "main", "--yes").returncode == 0
    require_normal(desk)


def adopt_changes(desk: Desk) -> None:
    policy = 'policy = "fixed_width"'
    desk.edit(policy, f'{policy}\nchanged_by_hand = "adopt"')


def wait_until_mined(desk: Desk) -> None:
    give_up = time.monotonic() + 30
    while nonce(desk, "pending") > nonce(desk):
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_while_a_transaction_is_pending_nothing_is_mended(desk: Desk, ledger: Ledger) -> None:
    leave_pending(desk)
    damage(ledger, Status.PLANNED)
    for arguments in (["--json"], ["--yes"], ["--json", "--yes"]):
        done = typed(desk.folder, "doctor", "--repair", *arguments)  # mines no block
        assert done.returncode == 4
        assert "1 transactions of" in done.stdout
        assert "nothing was changed" in done.stderr
    assert files(desk) == set()


def use_up_nonce(desk: Desk) -> None:
    desk.devnet.controls.set_automine(True)
    ask(desk, "anvil_impersonateAccount", desk.account)
    desk.devnet.controls.execute(desk.account, desk.account, b"", what="use up the nonce")


@pytest.mark.parametrize(
    "rot",
    [
        "UPDATE journal SET intent = 'x' WHERE event = 'planned'",
        "UPDATE journal SET body = '' WHERE event = 'signed'",
        "DELETE FROM journal WHERE event = 'signed'",
    ],
)
def test_a_signed_transaction_that_only_the_journal_knows_is_used_up_first(
    desk: Desk, ledger: Ledger, rot: str
) -> None:
    """It was dropped by this RPC, not by all: it may still be mined."""
    leave_pending(desk)
    ask(desk, "anvil_dropAllTransactions")
    run(ledger, rot)
    code, shown, _err = repair(desk, "--yes")
    assert (code, shown["done"], files(desk)) == (4, False, set())
    (obstacle,) = map(str, shown["obstacles"])
    assert "nonce 0, was signed and may still be mined; use the nonce up" in obstacle

    use_up_nonce(desk)
    code, shown, _err = repair(desk, "--yes")
    assert (code, shown["done"], shown["kept"]) == (0, True, [])


def test_where_no_row_tells_what_was_signed_the_next_nonce_is_used_up_first(
    desk: Desk, ledger: Ledger
) -> None:
    leave_pending(desk)
    ask(desk, "anvil_dropAllTransactions")
    run(ledger, "DELETE FROM journal")
    code, shown, _err = repair(desk)
    (obstacle,) = map(str, shown["obstacles"])
    assert "may still be mined with nonce 0; use that up" in obstacle
    (used_up,) = re.findall(r"then add --used-up (\S+)$", obstacle)
    assert used_up.endswith(f":{desk.account}:0")
    for too_early in ((), ("--used-up", used_up)):
        assert repair(desk, "--yes", *too_early)[0] == 4

    use_up_nonce(desk)
    chain, account, spent = used_up.split(":")
    for anothers in (f"{chain}:{ZERO}:{spent}", f"ethereum:{account}:{spent}", f"{used_up}1"):
        assert repair(desk, "--yes", "--used-up", anothers)[0] == 4
    code, shown, _err = repair(desk, "--yes", "--used-up", used_up)
    assert (code, shown["done"], shown["obstacles"]) == (0, True, [])


def test_without_the_chain_nothing_is_mended(desk: Desk, ledger: Ledger) -> None:
    require_normal(desk)
    damage(ledger, Status.SIGNED)
    env = desk.folder / ".env"
    env.write_text("LPM_RPC_URL=http://127.0.0.1:1\n")
    for arguments in ([], ["--yes"]):
        code, shown, _err = repair(desk, *arguments)
        assert code == 4
        assert "what is under way cannot be told" in " ".join(map(str, shown["obstacles"]))
    assert files(desk) == set()


def test_while_another_program_signs_nothing_is_mended(desk: Desk, ledger: Ledger) -> None:
    require_normal(desk)
    damage(ledger, Status.SIGNED)
    path = desk.folder / f"lpmanager-{CHAIN_ID}-{desk.account}.lock"
    with only_one([path]):
        for arguments in ([], ["--yes"]):
            code, shown, _err = repair(desk, *arguments)
            (obstacle,) = map(str, shown["obstacles"])
            assert (code, shown["done"]) == (4, False)
            assert f"holds {path}; stop it, or wait until it ends" in obstacle
    assert files(desk) == set()
    assert repair(desk, "--yes")[0] == 0
