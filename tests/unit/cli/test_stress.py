"""Scenarios over several campaigns: each in its quote token, and all together in one money."""

from __future__ import annotations

import json
from typing import Any

import pytest
from builders import USDC, WETH, a_market, a_pool, a_record, a_token, a_view

from lpmanager.cli.stress import run_scenarios
from lpmanager.cli.stress_file import StressFile
from lpmanager.cli.stress_words import print_stress, stress_json
from lpmanager.errors import ConfigError
from lpmanager.model import Token
from lpmanager.rebalancer import View
from lpmanager.rebalancer.assessment.portfolio import whole

WBTC = a_token("WBTC", 18, 3)


def a_holder(token0: Token, token1: Token, quote: Token, held: tuple[int, int]) -> View:
    """A campaign without positions, at a raw price of 1."""
    pool = a_pool(token0, token1)
    return a_view(a_market(pool=pool, quote=quote), a_record(held, pool=pool))


#: 100 USDC; and 1 WETH with 1 WBTC, which cost a million million USDC each.
TWO = {
    "small": a_holder(USDC, WETH, USDC, (10**8, 0)),
    "large": a_holder(WETH, WBTC, WETH, (10**18, 10**18)),
}


def a_file(**tables: object) -> StressFile:
    plain = {"scenarios": {"crash": {"WETH": "-20%", "USDC": "-5%"}}}
    return StressFile.model_validate({**plain, **tables})


def told(file: StressFile, views: dict[str, View] = TWO) -> dict[str, Any]:
    shown = stress_json(run_scenarios(file, views), views, whole(views, file.issuers))
    found: dict[str, Any] = json.loads(json.dumps(shown))
    return found


def test_each_campaign_is_counted_in_its_quote_token_as_that_was_worth_before() -> None:
    crash = told(a_file())["scenarios"]["crash"]
    small, large = crash["campaigns"]["small"], crash["campaigns"]["large"]
    assert (small["quote"], large["quote"]) == ("USDC", "WETH")
    assert small["change"] == pytest.approx(-0.05)
    assert small["after"] == pytest.approx(95)
    # WBTC stays, and is worth 1 WETH of before; its price in the WETH of after rises by a quarter
    assert large["price_move"] == pytest.approx(0.25)
    assert large["after"] == pytest.approx(0.8 + 1)
    assert crash["worst"] == "large"
    assert crash["moves"]["WBTC"] == {"move": 0.0, "named": False}


def test_all_together_is_in_the_first_campaigns_money() -> None:
    shown = told(a_file())
    together = shown["scenarios"]["crash"]["together"]
    assert shown["money"] == "USDC"
    assert together["before"] == pytest.approx(100 + 2e12)
    assert together["after"] == pytest.approx(95 + 1.8e12)


def test_what_is_not_named_follows_where_the_file_says_how() -> None:
    volatilities = {"WETH": "60%", "WBTC": "30%", "USDC": "1%"}
    apart = {"WETH/WBTC": 0, "WETH/USDC": 0, "WBTC/USDC": 0}
    scenarios = {"fall": {"WETH": "-20%"}}
    free = a_file(scenarios=scenarios, volatilities=volatilities, correlations=apart)
    bound = a_file(
        scenarios=scenarios, volatilities=volatilities, correlations={**apart, "WETH/WBTC": "0.8"}
    )
    stays, follows = (told(each)["scenarios"]["fall"]["moves"]["WBTC"] for each in (free, bound))
    assert stays["move"] == pytest.approx(0)
    assert follows == {"move": pytest.approx(0.8**0.4 - 1), "named": False}


def test_correlations_that_cannot_be_are_mended_and_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = a_file(
        volatilities=dict.fromkeys(("WETH", "WBTC", "USDC"), "10%"),
        correlations={"WETH/WBTC": "0.9", "WETH/USDC": "-0.9", "WBTC/USDC": "0.9"},
    )
    ran = run_scenarios(file, TWO)
    assert told(file)["scenarios"]["crash"]["repair"]["least_eigenvalue"] < 0
    print_stress(ran, TWO, whole(TWO, {}))
    assert "The correlations cannot be" in capsys.readouterr().out


def test_volatilities_that_drive_a_token_out_of_the_world_are_refused() -> None:
    file = a_file(
        scenarios={"fall": {"USDC": "-50%"}},
        volatilities={"WETH": "90%", "USDC": "0.0001%", "WBTC": "1%"},
        correlations={"WETH/USDC": 1, "WETH/WBTC": 0, "WBTC/USDC": 0},
    )
    with pytest.raises(ConfigError, match=r"scenarios\.fall: .* WETH would follow further"):
        run_scenarios(file, TWO)


def test_a_volatility_that_is_next_to_nothing_is_told_by_what_would_follow_it() -> None:
    file = a_file(
        scenarios={"fall": {"USDC": "-50%"}},
        volatilities={"WETH": "90%", "USDC": "1e-90%", "WBTC": "1e-90%"},
        correlations={"WETH/USDC": "0.5", "WETH/WBTC": 0, "WBTC/USDC": 0},
    )
    with pytest.raises(ConfigError, match=r"scenarios\.fall: .* WETH would follow further"):
        run_scenarios(file, TWO)


def test_all_that_is_held_and_owed_may_be_as_much_as_a_file_can_say() -> None:
    most = "1e100"
    file = a_file(
        scenarios={"rise": {"WETH": "99999%"}},
        assets={"Aave": {"WETH": most, "USDC": most}, "Maker": {"WETH": "1e-100"}},
        debts={"Aave": {"Maker": most}, "Maker": {"Aave": "1e-100"}},
    )
    of = told(file)["scenarios"]["rise"]["debts"]["of"]
    assert of["Aave"]["left"] == pytest.approx(1_000.99e100)
    assert of["Maker"]["left"] == pytest.approx(1e100)


def test_campaigns_that_no_pool_joins_are_told_one_by_one() -> None:
    views = {"a": TWO["small"], "b": a_holder(WBTC, a_token("DAI", 18, 4), WBTC, (10**18, 0))}
    shown = told(a_file(), views)
    crash = shown["scenarios"]["crash"]
    assert crash["together"]["before"] is None
    assert "no pools of these campaigns lead from WBTC" in crash["together"]["missing"]
    assert shown["together"]["missing"] == crash["together"]["missing"]
    assert crash["campaigns"]["b"]["change"] == pytest.approx(0)


def test_an_empty_campaign_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    views = {"empty": a_holder(USDC, WETH, USDC, (0, 0))}
    shown = told(a_file(), views)["scenarios"]["crash"]
    assert shown["campaigns"]["empty"]["missing"] == "the campaign holds nothing"
    assert shown["worst"] is None
    print_stress(run_scenarios(a_file(), views), views, whole(views, {}))
    assert "unknown: the campaign holds nothing" in capsys.readouterr().out


def test_people_read_what_moves_and_who_is_hit_worst(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    file = a_file(issuers={"WBTC": "BitGo"})
    print_stress(run_scenarios(file, TWO), TWO, whole(TWO, file.issuers))
    text = capsys.readouterr().out
    assert "crash: WETH -20.00%, USDC -5.00%" in text
    assert "The worst hit, of its own value: large." in text
    assert "of all together in USDC, as these were worth before" in text
    assert "BitGo" in text


def test_a_lender_that_a_scenario_leaves_with_too_little_fails_its_creditors(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half in ether and half in dollars it has 87.5 of 100 left, and owes 95."""
    monkeypatch.setenv("COLUMNS", "160")
    file = a_file(assets={"Aave": {"WETH": 50, "USDC": 50}}, debts={"Aave": {"small": 95}})
    debts = told(file)["scenarios"]["crash"]["debts"]
    aave, small = debts["of"]["Aave"], debts["of"]["small"]
    assert aave["defaults"]
    assert aave["pays"] == pytest.approx(87.5)
    assert small["is_not_paid"] == pytest.approx(7.5)
    assert small["left"] == pytest.approx(95 + 87.5)
    # all its equity of 5 is gone, and so is what the other has there, before anybody must pay
    assert aave["distress"] == 1
    assert small["distress"] == pytest.approx(5 / 195 + 95 / 195)
    assert debts["debt_rank"] > 0
    print_stress(run_scenarios(file, TWO), TWO, whole(TWO, {}))
    shown = capsys.readouterr().out
    assert "Debts, in USDC of before" in shown
    assert "87.50 (defaults)" in shown
    assert "Distress takes, beyond what prices did:" in shown


def test_without_debts_in_the_file_there_are_none_to_tell() -> None:
    assert told(a_file())["scenarios"]["crash"]["debts"] is None


def test_debts_of_campaigns_that_no_pool_joins_are_unknown() -> None:
    views = {"small": TWO["small"], "b": a_holder(WBTC, a_token("DAI", 18, 4), WBTC, (10**18, 0))}
    file = a_file(assets={"Aave": {"USDC": 50}}, debts={"Aave": {"small": 5}})
    debts = told(file, views)["scenarios"]["crash"]["debts"]
    assert "lead from WBTC" in debts["missing"]
    assert debts["of"] is None
