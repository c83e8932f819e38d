"""`lpm` as a user types it, against a chain with the real contracts."""

from __future__ import annotations

import itertools
import json
import signal
import time
from decimal import Decimal
from pathlib import Path

import pytest
from eth_account import Account
from live_desk import Desk, give_tokens

from lpmanager.account_lock import only_one
from lpmanager.chain.node import Question
from lpmanager.config import load
from lpmanager.desk.signing import lock_paths
from lpmanager.devnet.orders import Trade
from lpmanager.ledger.diary import Diary
from lpmanager.ledger.store import Ledger
from lpmanager.venues import erc20


def nonce(desk: Desk, block: str = "latest") -> int:
    question = Question("eth_getTransactionCount", [desk.account, block], lambda n: int(n, 16))
    return desk.devnet.controls.node.ask(question)


def allowances(desk: Desk) -> set[int]:
    deployment, node = desk.devnet.deployment, desk.devnet.controls.node
    tokens = deployment.pool.token0.address, deployment.pool.token1.address
    spenders = deployment.position_manager, deployment.swap_router
    calls = [erc20.allowance(t, desk.account, s) for t in tokens for s in spenders]
    return set(node.call_many(calls, node.head()))


def files(desk: Desk) -> set[str]:
    return {path.name for path in desk.folder.iterdir()}


def trade(desk: Desk, *, usdc_raw: int) -> None:
    """Somebody buys WETH for USDC in the pool."""
    order = Trade(zero_for_one=True, raw_in=usdc_raw)  # USDC is token0
    deployment, operator = desk.devnet.deployment, desk.devnet.backend.accounts[1]
    data = order.calldata(deployment.pool.address)
    desk.devnet.controls.execute(operator, deployment.flow_trader, data, what="a trade")


def test_a_user_goes_from_doctor_to_report(desk: Desk) -> None:
    before = files(desk)
    assert desk.json("doctor")["healthy"] is True
    status = desk.json("status")["campaigns"]["main"]
    assert status["wallet"] == {"USDC": "50000", "WETH": "22"}
    assert (status["positions"], status["halted"]) == ([], None)
    assert files(desk) == before  # reading makes no database

    planned = desk.lpm("plan", "--out", "p.json")
    assert planned.returncode == 0, planned.stderr
    assert "payback" in planned.stdout
    assert "lpm execute p.json --live" in planned.stderr

    rehearsed = desk.json("execute", "p.json")
    assert rehearsed["live"] is False
    assert rehearsed["simulated"].startswith("allow")
    assert nonce(desk) == 0
    assert files(desk) == before | {"p.json"}

    done = desk.json("execute", "p.json", "--live")
    assert done["stopped"] is None
    assert done["books_closed"] is True
    assert len(done["steps"]) == nonce(desk) > 0
    assert allowances(desk) == {0}

    status = desk.json("status")["campaigns"]["main"]
    assert any(position["in_range"] for position in status["positions"])
    assert float(status["delta"]) > 0

    again = desk.lpm("execute", "p.json", "--live")
    assert again.returncode == 5
    assert "has moved since the plan was made" in again.stderr

    sent = nonce(desk)
    cycle = desk.json("run", "--once", "--live")["campaigns"]["main"]
    assert (cycle["decision"], cycle["outcome"]) == ("hold", None)
    assert nonce(desk) == sent

    report = desk.json("report")["campaigns"]["main"]
    assert report["identity_error"] == "0"
    assert (report["cycles"], report["moves"], report["holds"]) == (2, 1, 1)
    assert len(report["positions"]) == len(status["positions"])
    assert report["put_in"] == {"USDC": "50000", "WETH": "22"}
    assert (report["efficiency"]["rebalances"], report["efficiency"]["in_range_share"]) == (0, 1)
    assert list(report["efficiency"]["unknown"]) == ["fees_per_lvr", "fees_per_volume"]


def test_a_plan_that_was_carried_out_is_refused_in_a_folder_that_knows_nothing_of_it(
    desk: Desk,
) -> None:
    assert desk.lpm("plan", "--out", "p.json").returncode == 0
    assert desk.json("execute", "p.json", "--live")["stopped"] is None
    sent = nonce(desk)
    for path in desk.folder.glob("lpmanager.db*"):
        path.unlink()
    for live in ((), ("--live",)):
        again = desk.lpm("execute", "p.json", *live)
        assert again.returncode == 5
        assert f"and has {sent} now" in " ".join(again.stderr.split())
    assert nonce(desk) == sent


def test_fees_loss_and_later_deposits_are_told_apart_in_the_report(desk: Desk) -> None:
    assert desk.lpm("run", "--once", "--live").returncode == 0
    trade(desk, usdc_raw=60_000 * 10**6)
    give_tokens(desk, 1_000 * 10**6, 0)
    report = desk.json("report")["campaigns"]["main"]
    assert report["identity_error"] == "0"
    assert report["net_deposits"] == "1000"
    assert Decimal(report["fees"]) > 0
    assert Decimal(report["impermanent_loss"]) < 0
    assert Decimal(report["hodl"]) > 0
    status = desk.json("status")["campaigns"]["main"]
    assert Decimal(status["uncollected"]["USDC"]) > 0
    losses = [Decimal(p["impermanent_loss"]["value"]) for p in status["positions"]]
    assert min(losses) < 0


def test_run_once_live_opens_the_range_and_says_so_in_a_line(desk: Desk) -> None:
    done = desk.lpm("run", "--once", "--live")
    assert (done.returncode, done.stdout) == (0, "")
    (line,) = (json.loads(line) for line in done.stderr.splitlines())
    assert (line["event"], line["campaign"], line["decision"]) == ("cycle", "main", "plan")
    assert (line["steps"], line["stopped"]) == (nonce(desk), None)
    assert allowances(desk) == {0}


def test_a_dry_run_signs_nothing_and_writes_nothing(desk: Desk) -> None:
    before = files(desk)
    cycle = desk.json("run", "--once")["campaigns"]["main"]
    assert (cycle["decision"], cycle["outcome"]) == ("plan", None)
    assert nonce(desk) == 0
    assert files(desk) == before


def test_tables_for_people_have_units_and_fit_the_terminal(desk: Desk) -> None:
    assert desk.lpm("run", "--once", "--live").returncode == 0
    for verb in ("status", "plan", "report", "doctor"):
        shown = desk.lpm(verb)
        assert shown.returncode == 0, shown.stderr
        assert "USDC per WETH" in shown.stdout or verb in ("plan", "doctor")
        assert max(len(line.rstrip()) for line in shown.stdout.splitlines()) <= 100


def test_a_second_live_run_on_the_account_is_refused(desk: Desk) -> None:
    settings = load(desk.config)
    with only_one(lock_paths(settings, settings.chain_of("main"), settings.account.address)):
        refused = desk.lpm("run", "--once", "--live")
        assert refused.returncode == 2
        assert "another lpm signs for the account" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
        assert desk.lpm("run", "--once").returncode == 0  # a dry run disturbs nobody
        checks = {check["name"]: check for check in desk.json("doctor")["checks"]}
        assert checks["lock on devnet"]["found"].startswith("held by process ")
    assert not (desk.folder / "lpmanager.db").exists()


def test_ctrl_c_lets_the_action_in_hand_finish_and_closes_the_books(desk: Desk) -> None:
    controls = desk.devnet.controls
    desk.devnet.refresh()
    controls.set_automine(False)
    try:
        process = desk.start("run", "--once", "--live", "--json")
        until = time.monotonic() + 60
        while nonce(desk, "pending") == 0 and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    finally:
        controls.set_automine(True)
    desk.devnet.refresh()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    outcome = json.loads(out)["campaigns"]["main"]["outcome"]
    assert outcome["stopped"] == "asked to stop"
    assert [s["what"] for s in outcome["steps"] if s["what"].startswith("mint")] != []
    assert allowances(desk) == {0}
    report = desk.json("report")["campaigns"]["main"]
    assert (report["identity_error"], report["moves"]) == ("0", 1)


def test_what_a_killed_run_had_sent_is_booked_by_the_next(desk: Desk) -> None:
    controls = desk.devnet.controls
    desk.devnet.refresh()
    controls.set_automine(False)
    try:
        process = desk.start("run", "--once", "--live")
        until = time.monotonic() + 60
        while nonce(desk, "pending") == 0 and time.monotonic() < until:
            time.sleep(0.05)
        process.kill()
        process.communicate(timeout=30)
        waiting = desk.lpm("status")
        assert waiting.returncode == 4
        assert "is under way" in waiting.stderr
        assert "lpm run --once --live main" in waiting.stderr
    finally:
        controls.set_automine(True)
    again = desk.lpm("run", "--once", "--live")
    assert again.returncode == 0, again.stderr
    assert allowances(desk) == {0}
    assert nonce(desk) == nonce(desk, "pending")
    report = desk.json("report")["campaigns"]["main"]
    assert (report["identity_error"], report["moves"]) == ("0", 1)


def test_a_timetable_makes_cycles_until_sigterm_and_ends_well(desk: Desk) -> None:
    process = desk.start("run")
    assert process.stderr is not None
    first, second = (json.loads(process.stderr.readline()) for _ in range(2))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert (first["event"], second["event"]) == ("cycle", "cycle")
    assert process.returncode == 0


def test_a_timetable_outlives_an_rpc_that_does_not_answer(desk: Desk) -> None:
    process = desk.start("run", LPM_RPC_URL="http://127.0.0.1:1")
    assert process.stderr is not None
    lines = (json.loads(line) for line in iter(process.stderr.readline, ""))
    failed = itertools.islice((line for line in lines if line["event"] != "cycle skipped"), 2)
    assert [(line["event"], "no answer" in line["error"]) for line in failed] == [
        ("cycle failed", True)
    ] * 2
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_timetable_needs_a_schedule(desk: Desk) -> None:
    desk.edit('[schedule]\nevery = "1s"\n', "")
    refused = desk.lpm("run")
    assert refused.returncode == 3
    assert refused.stderr.startswith("lpm: schedule: missing")


@pytest.fixture
def keystore(desk: Desk) -> Path:
    """The desk's key in a keystore, and no key in clear text any more."""
    path = desk.folder / "keystore.json"
    path.touch(mode=0o600)
    sealed = Account.encrypt(desk.key, "secret", kdf="pbkdf2", iterations=1)
    path.write_text(json.dumps(sealed))
    env = desk.folder / ".env"
    env.write_text("\n".join(line for line in env.read_text().split() if "KEY" not in line))
    desk.edit("[account]", '[account]\nkeystore = "keystore.json"')
    return path


def test_a_keystore_signs_where_its_password_is_right(desk: Desk, keystore: Path) -> None:
    wrong = desk.lpm("run", "--once", "--live", LPM_KEYSTORE_PASSWORD="guess")
    assert wrong.returncode == 3
    assert f"account.keystore: {keystore} does not open" in wrong.stderr
    right = desk.lpm("run", "--once", "--live", LPM_KEYSTORE_PASSWORD="secret")
    assert right.returncode == 0
    assert nonce(desk) > 0


def test_doctor_refuses_a_keystore_that_others_can_read(desk: Desk, keystore: Path) -> None:
    assert desk.lpm("doctor").returncode == 0
    keystore.chmod(0o644)
    told = json.loads(desk.lpm("doctor", "--json").stdout)
    assert told["healthy"] is False
    (wrong,) = (check for check in told["checks"] if not check["passed"])
    assert wrong["name"] == "signing key"
    assert "chmod 600" in wrong["found"]


def test_doctor_finds_an_allowance_that_was_left_over(desk: Desk) -> None:
    deployment, controls = desk.devnet.deployment, desk.devnet.controls
    controls.node.ask(Question("anvil_impersonateAccount", [desk.account], lambda done: done))
    left = erc20.approve(deployment.swap_router, 77)
    controls.execute(desk.account, deployment.stable, left, what="approve")
    told = desk.lpm("doctor")
    assert told.returncode == 4
    assert "77 raw of" in told.stdout
    assert "1 of 23 checks failed" in told.stderr
    settings = load(desk.config)
    with only_one(lock_paths(settings, settings.chain_of("main"), settings.account.address)):
        checks = {check["name"]: check for check in desk.json("doctor")["checks"]}
    assert "77 raw of" in checks["allowances"]["found"]
    assert checks["allowances"]["found"].endswith("uses it and takes it back")


def test_one_campaign_that_fails_does_not_stop_the_others(desk: Desk) -> None:
    text = desk.config.read_text()
    other = text[text.index("[campaigns.main]") : text.index("[chains.devnet]")]
    other = other.replace("campaigns.main", "campaigns.aside")
    other = other.replace(desk.devnet.deployment.pool.address, desk.devnet.deployment.stable)
    desk.edit("[campaigns.main]", other + "[campaigns.main]")
    shown = desk.lpm("status", "--json")
    assert shown.returncode in (3, 4)
    told = json.loads(shown.stdout)
    assert (list(told["campaigns"]), list(told["errors"])) == (["main"], ["aside"])
    (line,) = shown.stderr.splitlines()
    assert line.startswith("lpm: aside: ")


def test_a_halted_campaign_runs_again_after_resume(desk: Desk) -> None:
    assert desk.lpm("run", "--once", "--live").returncode == 0
    ledger = Ledger.open(f"sqlite:///{desk.folder / 'lpmanager.db'}")
    Diary(ledger.engine, "main").halt("a test says so", 1)
    ledger.engine.dispose()
    halted = desk.lpm("run", "--once", "--live")
    assert halted.returncode == 1
    assert "main is halted: a test says so" in halted.stderr
    assert desk.json("status")["campaigns"]["main"]["halted"] == "a test says so"
    resumed = desk.lpm("resume", "main", "--yes")
    assert (resumed.returncode, resumed.stdout) == (0, "")
    assert desk.lpm("run", "--once", "--live").returncode == 0
    assert desk.lpm("resume", "main", "--yes").returncode == 2


def test_an_empty_account_has_a_status_but_nothing_to_report(poor_desk: Desk) -> None:
    assert poor_desk.json("status")["campaigns"]["main"]["weight"] is None
    nothing = poor_desk.lpm("report")
    assert nothing.returncode == 1
    assert "nothing was ever deposited" in nothing.stderr
    assert poor_desk.lpm("doctor").returncode == 4


def test_the_database_is_not_written_by_those_who_only_read(desk: Desk) -> None:
    assert desk.lpm("run", "--once", "--live").returncode == 0
    store = Path(desk.folder / "lpmanager.db")
    before = store.read_bytes()
    for verb in ("status", "plan", "report", "doctor"):
        assert desk.lpm(verb).returncode == 0
    assert store.read_bytes() == before
