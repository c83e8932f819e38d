"""`lpm risk` on a live market: every measure with its unit, and a limit that changes a decision."""

from __future__ import annotations

import math
from typing import Any

from live_desk import Desk


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
    assert found["CVaR"]["value"] > found["value at risk"]["value"]
    assert -0.2 < found["price -20%"]["value"] < -0.05
    assert 0 < found["our share"]["value"] < 1


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


def test_the_desk_as_a_page_beside_what_it_prints(desk: Desk) -> None:
    told = desk.lpm("risk", "--html", "risk.html")
    assert told.returncode == 0, told.stderr
    assert "wrote risk.html" in told.stderr
    assert "What am I exposed to?" in told.stdout
    page = (desk.folder / "risk.html").read_text()
    for words in ("Risk: main", "What am I exposed to?", "Am I paid for it?", "campaign0-markout"):
        assert words in page
