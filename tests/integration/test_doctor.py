"""What `lpm doctor` finds wrong on a chain with the real contracts, and how to mend it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from devnet_world import World
from live_desk import START, Desk, typed


def checks(desk: Desk) -> dict[str, dict[str, Any]]:
    """What was looked at, by its name."""
    told = json.loads(desk.lpm("doctor", "--json").stdout)
    return {check["name"]: check for check in told["checks"]}


def wrong(desk: Desk) -> list[str]:
    return [name for name, check in checks(desk).items() if not check["passed"]]


def test_every_precondition_is_looked_at(desk: Desk) -> None:
    assert [name for name in checks(desk) if not name.startswith("RPC ")] == [
        "disk",
        "database",
        "journal",
        "open transactions on devnet",
        "halt",
        "secrets",
        "signing key",
        "password",
        "lock on devnet",
        "quorum",
        "clock",
        "venue contracts",
        "pool",
        "tokens",
        "oracle",
        "head age",
        "TWAP",
        "history",
        "price of gas",
        "funds",
        "gas money",
        "allowances",
    ]
    assert wrong(desk) == []


def test_code_of_a_known_hash_is_told_from_any_other(desk: Desk) -> None:
    found = checks(desk)["venue contracts"]
    assert found["paste"].startswith("[chains.devnet.code_hashes]\nfactory = ")
    shown = desk.lpm("doctor").stdout
    assert "not compared" in shown
    assert shown.endswith(f"{found['paste']}\n")
    desk.config.write_text(f"{desk.config.read_text()}\n{found['paste']}\n")
    assert checks(desk)["venue contracts"]["found"].startswith("all 6 have the code that is known")
    assert "0x" not in desk.lpm("doctor").stdout.rsplit("\n\n", 1)[-1]
    desk.edit(found["details"]["quoter"], found["details"]["factory"])
    assert wrong(desk) == ["venue contracts"]


def test_an_oracle_that_does_not_reach_back_is_told_what_it_needs(desk: Desk) -> None:
    assert "prices reach back 600 s" in checks(desk)["oracle"]["found"]
    desk.edit("history_s = ", 'twap_window_s = "1d"\nhistory_s = ')
    assert wrong(desk) == ["oracle", "TWAP"]
    found = checks(desk)["oracle"]["found"]
    assert "call increaseObservationCardinalityNext(86401)" in found


def test_a_budget_that_the_account_has_not_is_found_before_a_live_run_refuses_it(
    desk: Desk,
) -> None:
    policy = 'policy = "fixed_width"\n'
    desk.edit(policy, f'{policy}budget = {{ USDC = "50000.000001" }}\n')
    found = checks(desk)["funds"]["found"]
    assert wrong(desk) == ["funds"]
    assert found.startswith("campaigns.main.budget: asks for 50,000.000001 USDC")
    assert found in desk.lpm("run", "--once", "--live").stderr
    desk.edit("50000.000001", "50000")
    assert wrong(desk) == []


def test_budgets_that_the_account_has_not_together_are_found(desk: Desk) -> None:
    world = World(desk.devnet.backend, desk.devnet.deployment)
    pool = world.another_pool(3_000, START)
    world.mint(world.backend.accounts[3], "[194880, 203040)", 10**9, 10**18, pool)
    policy = 'policy = "fixed_width"\n'
    desk.edit(policy, f'{policy}budget = {{ USDC = "30000" }}\npositions = []\n')
    desk.config.write_text(
        f'{desk.config.read_text()}\n[campaigns.other]\npool = "{pool.address}"\nquote = "USDC"\n'
        'policy = "passive"\npositions = []\nbudget = { USDC = "20001" }\n'
        'limits = { max_swap_cost_per_day = "1", max_head_age_s = "5m" }\n'
    )
    told = json.loads(desk.lpm("doctor", "--json").stdout)["checks"]
    funds = {check["subject"]: check for check in told if check["name"] == "funds"}
    assert funds["main"]["passed"]
    assert not funds["other"]["passed"]
    assert "the account has only 20000000000 raw units of USDC free" in funds["other"]["found"]


def test_an_rpc_whose_head_is_old_is_found(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.edit('max_head_age_s = "5m"', 'max_head_age_s = "1s"')
    desk.devnet.refresh()
    old_at = desk.devnet.controls.node.head().timestamp + 2
    monkeypatch.setattr("lpmanager.cli.doctor.wall_clock", lambda: old_at)
    done = typed(desk.folder, "doctor", "--json")  # mines no block, as the desk would
    assert done.returncode == 4
    failed = [check["name"] for check in json.loads(done.stdout)["checks"] if not check["passed"]]
    assert failed == [f"RPC {desk.devnet.backend.rpc_url}", "quorum"]


@pytest.mark.parametrize("verb", ["doctor", "status"])
def test_those_who_only_look_leave_nothing_on_the_disk(desk: Desk, verb: str) -> None:
    before = {path.name for path in desk.folder.iterdir()}
    assert desk.lpm(verb).returncode == 0
    assert {path.name for path in desk.folder.iterdir()} == before
