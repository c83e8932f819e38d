"""`lpm risk` on a live market: every measure with its unit, and a limit that changes a decision."""

from __future__ import annotations

import json
import math
from typing import Any, cast

import pytest
from calibration_builders import a_calibration
from devnet_world import World
from live_desk import START, Desk

from lpmanager.ledger.calibrations import keep_calibration
from lpmanager.ledger.store import Ledger
from lpmanager.risk.calibration.calibration import Calibration


def measures(desk: Desk) -> dict[str, dict[str, Any]]:
    shown = desk.json("risk")["campaigns"]["main"]["measures"]
    return {one["name"]: one for one in shown}


def test_the_desk_answers_its_five_questions(desk: Desk) -> None:
    assert desk.lpm("run", "--once", "--live").returncode == 0
    found = measures(desk)
    questions = [one["question"] for one in found.values()]
    assert list(dict.fromkeys(questions)) == ["exposure", "market", "tomorrow", "crash", "pay"]
    for one in found.values():
        assert (one["value"] is None) == (one["missing"] is not None), one
        if isinstance(one["value"], float):
            assert math.isfinite(one["value"]), one
    assert found["value"]["unit"] == "USDC"
    assert found["delta"]["unit"] == "WETH"
    assert found["gamma"]["unit"] == "WETH per USDC"
    assert found["CVaR"]["value"] > found["value at risk"]["value"]
    assert -0.2 < found["price -20%"]["value"] < -0.05
    assert 0 < found["our share"]["value"] < 1
    assert found["past time in range"]["value"] == 1
    assert (found["rebalances"]["value"], found["rebalances"]["unit"]) == (0, "a day")


def test_an_estimate_that_needs_more_history_says_how_much(desk: Desk) -> None:
    found = measures(desk)
    assert found["last jump"]["value"] is None
    assert "144 returns of 300 s" in found["last jump"]["missing"]


def test_the_desk_reads_well(desk: Desk) -> None:
    told = desk.lpm("risk")
    assert told.returncode == 0, told.stderr
    for words in (
        "What am I exposed to?",
        "What can I lose by tomorrow?",
        "Am I paid for it?",
        "What would change my position?",
    ):
        assert words in told.stdout
    assert "unknown: " in told.stdout


def test_a_limit_of_risk_in_the_file_holds_the_campaign_back(desk: Desk) -> None:
    """And `lpm risk` shows it among the gates."""
    before = desk.json("risk")["campaigns"]["main"]
    assert before["decision"] == "plan"
    text = desk.config.read_text()
    desk.config.write_text(text + '\n[campaigns.main.risk]\nmax_crash_loss = "0.01"\n')
    after = desk.json("risk")["campaigns"]["main"]
    assert after["decision"] == "hold"
    (crash,) = [gate for gate in after["gates"] if gate["name"] == "crash"]
    assert not crash["passed"]
    signed = desk.devnet.controls.nonce(desk.account)
    assert desk.lpm("run", "--once", "--live").returncode == 0
    assert desk.devnet.controls.nonce(desk.account) == signed


def test_limits_are_told_where_there_is_nothing_to_do(desk: Desk) -> None:
    """Each of them, though a decision to stay asks none; one is broken by what is held."""
    assert desk.lpm("run", "--once", "--live").returncode == 0
    limits = 'max_crash_loss = "0.01"\nmin_fee_to_lvr = "0.001"\nact_at_capacity_used = "0.9"\n'
    desk.config.write_text(f"{desk.config.read_text()}\n[campaigns.main.risk]\n{limits}")
    shown = desk.json("risk")["campaigns"]["main"]
    assert shown["decision"] == "hold"
    names = {"crash", "fees over LVR", "act at capacity"}
    assert not names & {gate["name"] for gate in shown["gates"]}
    stands = {gate["name"]: gate["passed"] for gate in shown["standing"]}
    assert {name: stands[name] for name in names} == {
        "crash": False,
        "fees over LVR": True,
        "act at capacity": True,
    }
    told = desk.lpm("risk", "--html", "risk.html")
    assert "main: limits that this did not come to ask, for what is held as it is" in told.stdout
    assert "crash is closed: loss where the base token falls 20% in one block" in told.stdout
    page = (desk.folder / "risk.html").read_text()
    assert "Limits that this did not come to ask" in page


def test_the_desk_as_a_page_beside_what_it_prints(desk: Desk) -> None:
    told = desk.lpm("risk", "--html", "risk.html")
    assert told.returncode == 0, told.stderr
    assert "wrote risk.html" in told.stderr
    assert "What am I exposed to?" in told.stdout
    page = (desk.folder / "risk.html").read_text()
    for words in ("Risk: main", "What am I exposed to?", "Am I paid for it?", "campaign0-markout"):
        assert words in page


def keep(desk: Desk, calibration: Calibration) -> None:
    ledger = Ledger.open(f"sqlite:///{desk.folder}/lpmanager.db")
    keep_calibration(ledger.engine, "main", calibration)
    ledger.engine.dispose()


def test_a_calibration_decides_with_its_age_until_it_is_stale(desk: Desk) -> None:
    asked = '\n[campaigns.main.risk]\nregimes_by = "markov"\nregimes.turbulent.width = "2"\n'
    desk.config.write_text(desk.config.read_text() + asked)

    def regime() -> tuple[dict[str, Any], float | None, str]:
        shown = desk.json("risk")["campaigns"]["main"]
        (gate,) = [gate for gate in shown["gates"] if gate["name"] == "regime"]
        (age,) = [one for one in shown["measures"] if one["name"] == "calibration"]
        return gate, age["value"], str(age["missing"])

    gate, age, why = regime()
    assert (gate["passed"], age) == (False, None)
    assert "no calibration was made; run `lpm calibrate`" in why
    made = desk.json("calibrate")["campaigns"]["main"]
    gate, age, _ = regime()
    assert age == pytest.approx(0, abs=120)
    assert made["last_change"]["missing"] is None
    assert "Markov switching needs 100 returns" in made["regimes"]["missing"]
    assert gate["reason"].endswith(made["regimes"]["missing"])
    now = desk.devnet.controls.node.head().timestamp
    keep(desk, a_calibration(now - 7_200, turbulent=0.95))
    gate, age, _ = regime()
    assert gate["passed"]
    assert "with a chance of" in gate["measured"]
    assert age == pytest.approx(7_200, abs=120)
    keep(desk, a_calibration(now - 86_401))
    gate, age, why = regime()
    assert (gate["passed"], age) == (False, None)
    assert "the calibration is stale" in why
    assert why in gate["reason"]


def logged(desk: Desk) -> dict[str, Any]:
    """What a live cycle says of itself in the log."""
    done = desk.lpm("run", "--once", "--live")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in map(json.loads, done.stderr.splitlines()) if "decision" in line]
    return cast(dict[str, Any], line)


def test_a_live_cycle_never_waits_and_says_how_old_what_it_goes_by_is(desk: Desk) -> None:
    """Of a gate that is closed the log has the reason; of a calibration the age, or that it is
    stale, where a gate is open too."""
    desk.config.write_text(
        f'{desk.config.read_text()}\n[campaigns.main.risk]\nregimes_by = "markov"\n'
        'regimes.turbulent.width = "2"\npause_after_change = "1h"\nmax_cvar = "0.5"\n'
        'scenarios = "heston"\n[campaigns.main.risk.heston]\nas_of = "2024-01-05"\n'
        'max_age = "1h"\nv0 = "0.25"\nkappa = "2"\ntheta = "0.25"\nsigma = "0.5"\nrho = "-0.5"\n'
    )
    assert "calibration" not in logged(desk)
    now = desk.devnet.controls.node.head().timestamp
    keep(desk, a_calibration(now - 7_200))
    told = logged(desk)
    assert told["calibration"].startswith("made 2 h")
    change, cvar = told["closed"]
    assert "nothing tells of the 2 h" in change
    assert "since the calibration: the watch for changes needs" in change
    assert cvar.startswith("CVaR of a day: unknown, limit 50.00% (")
    assert "Heston's parameters are " in cvar
    assert "used for 1 h;" in cvar
    keep(desk, a_calibration(now - 4 * 86_400))
    told = logged(desk)
    assert "the calibration is stale: " in told["calibration"]
    assert "4 d" in told["calibration"]
    assert len(told["closed"]) == 3
    for closed in told["closed"][:2]:
        assert told["calibration"] in closed
    assert told["ignored"] == []
    desk.edit("[campaigns.main.risk]\n", '[campaigns.main.risk]\nmissing = "ignore"\n')
    told = logged(desk)
    assert (told["decision"], told["closed"]) == ("plan", [])
    for name, why in zip(
        ("CVaR of a day", "change", "regime"),
        ("Heston's parameters are", told["calibration"], told["calibration"]),
        strict=True,
    ):
        (ignored,) = [one for one in told["ignored"] if one.startswith(f"{name}, ignored: ")]
        assert why in ignored


def test_what_is_not_known_of_another_campaign_of_the_file_holds_this_one_back(desk: Desk) -> None:
    """And the RPC is asked for what gas has cost."""
    limits = 'max_share_in_pool = "0.99"\nmin_healthy_rpcs = 1\nmax_base_fee_to_usual = "1000"\n'
    limits += 'max_share_in_lender = "0.99"\n[lenders.bank]\nlent = { USDC = "5000" }\n'
    text = desk.config.read_text() + f"\n[campaigns.main.risk]\n{limits}"
    desk.config.write_text(text)
    shown = desk.json("risk")
    alone = shown["campaigns"]["main"]
    assert alone["decision"] == "plan"
    gates = {gate["name"] for gate in alone["gates"]}
    assert {"share in pool", "share in lender", "RPCs", "base fee"} <= gates
    assert shown["together"]["shares"]["lender"]["bank"] == pytest.approx(
        5_000 / shown["together"]["value"]
    )
    found = {one["name"]: one["value"] for one in alone["measures"]}
    assert found["RPCs"] == "1 of 1"
    assert 0 < found["base fee over usual"] < 1_000
    other = f'pool = "0x{1:040x}"\nquote = "USDC"\npolicy = "passive"\n'
    limits = 'limits = { max_swap_cost_per_day = "1" }\n'
    desk.config.write_text(f"{text}\n[campaigns.other]\n{other}{limits}")
    among = desk.json("risk", "main")["campaigns"]["main"]
    (share,) = [gate for gate in among["gates"] if gate["name"] == "share in pool"]
    assert (among["decision"], share["passed"]) == ("hold", False)
    assert "nothing is known yet of other" in share["reason"]


def test_a_campaign_leaves_its_pool_on_the_word_of_another_of_the_file(desk: Desk) -> None:
    """The first sees USDC off its peg, with the history that this takes. The other has too little
    to see that, and no history of fees either."""
    world = World(desk.devnet.backend, desk.devnet.deployment)
    pool, provider = world.another_pool(3_000, START), world.backend.accounts[3]
    token_id = world.mint(provider, "[195000, 203040)", 10**9, 10**18, pool)
    world.give_nft(provider, desk.account, token_id)
    leaves, policy = "leave_on_depeg = true\n", 'policy = "fixed_width"\n'
    desk.edit(policy, f'{policy}budget = {{ USDC = "1000", WETH = "1" }}\n')
    desk.config.write_text(
        f'{desk.config.read_text()}\n[campaigns.other]\npool = "{pool.address}"\nquote = "USDC"\n'
        f'policy = "passive"\npositions = [{token_id}]\nbudget = {{ USDC = "0" }}\n'
        "options = { half_width_ticks = 600, order_width_ticks = 300 }\n"
        'limits = { max_swap_cost_per_day = "1", history_s = 5, max_head_age_s = "5m" }\n'
        f"[campaigns.main.risk]\n{leaves}[campaigns.other.risk]\n{leaves}"
        '[pegs.USDC]\nagainst = "WETH"\nvalue = "0.001"\nlasting = "10m"\n'
    )
    for campaign, decision in (("other", "hold"), ("main", "hold"), ("other", "plan")):
        ran = desk.lpm("run", campaign, "--once", "--live")
        assert ran.returncode == 0, ran.stderr
        assert f'"decision": "{decision}"' in ran.stderr
    assert "USDC is off its peg to WETH, says main" in ran.stderr
    held = world.venue.position_count(desk.account)
    assert world.node.call(held, world.node.head()) == 0
