"""`lpm risk --stress` on a live market, and the page that tells of it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from live_desk import Desk, typed
from market_builders import a_minute, minute_file
from typed_here import typed_here

from lpmanager.settings import RegimeTable, RiskTable

PAGE = (Path(__file__).parents[2] / "docs" / "risk.md").read_text()


def test_the_page_on_risk_shows_a_file_and_it_runs(desk: Desk) -> None:
    """As the page tells it: in USDC as it was worth before, what is not named following."""
    assert desk.lpm("run", "--once", "--live").returncode == 0
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (desk.folder / "stress.toml").write_text(shown)
    found = desk.json("risk", "--stress", "stress.toml")
    falls, breaks = (found["scenarios"][name] for name in ("ether_falls", "dollar_breaks"))
    now = desk.json("risk")
    value = next(m["value"] for m in now["campaigns"]["main"]["measures"] if m["name"] == "value")
    fall = falls["campaigns"]["main"]
    assert fall["before"] == pytest.approx(value)
    assert fall["change"] == pytest.approx(falls["together"]["change"])
    # of half in ether 40 % are a fifth, and what the range buys on the way falls too
    assert -0.4 < fall["change"] < -0.2
    assert fall["base_weight"] > 0.8
    assert falls["moves"]["WBTC"]["move"] == pytest.approx(0.6 ** (0.8 * 45 / 60) - 1)
    assert falls["worst"] == "main"
    lender = falls["debts"]["of"]["lender"]
    assert lender["pays"] == pytest.approx(0.6 * 6_000 + 5_000)
    assert falls["debts"]["of"]["main"]["is_not_paid"] == pytest.approx(10_000 - lender["pays"])
    broken = breaks["campaigns"]["main"]
    assert broken["price_move"] == pytest.approx(1.05 / 0.7 - 1)
    assert -0.3 < broken["change"] < -0.1
    shares = found["together"]["shares"]
    assert sum(shares["token"].values()) == pytest.approx(1)
    assert shares["issuer"] == {"Circle": shares["token"]["USDC"]}
    assert now["together"]["shares"]["token"] == pytest.approx(shares["token"])
    told = desk.lpm("risk", "--stress", "stress.toml")
    assert told.returncode == 0, told.stderr
    assert "dollar_breaks: WETH +5.00%, USDC -30.00%" in told.stdout


def test_a_token_that_nobody_trades_is_an_error_of_the_file(poor_desk: Desk) -> None:
    (poor_desk.folder / "stress.toml").write_text('[scenarios.crash]\nWET = "-20%"\n')
    told = poor_desk.lpm("risk", "--stress", "stress.toml")
    assert told.returncode == 3
    assert told.stdout == ""
    assert told.stderr == (
        "lpm: stress.toml: scenarios.crash.WET: no campaign asked about trades it; did you mean "
        "'WETH'?\n"
    )


def test_a_file_that_is_not_there_is_wrong_usage(poor_desk: Desk) -> None:
    assert poor_desk.lpm("risk", "--stress", "nowhere.toml").returncode == 2


def test_scenarios_run_at_the_end_of_a_recorded_market(tmp_path: Path) -> None:
    """Nothing is placed, so half of it moves with ether, and the other half with the dollar."""
    minute_file(tmp_path, *(a_minute(number) for number in range(3)), name="market.csv")
    (tmp_path / "stress.toml").write_text('[scenarios.crash]\nWETH = "-20%"\nUSDC = "-5%"\n')
    market = shlex.split(
        "--market market.csv --pair USDC/WETH --fee 0.05% --chain ethereum --value 10000 "
        "--gas-gwei 1"
    )
    ended = typed(tmp_path, "risk", *market, "--stress", "stress.toml", "--json")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    (held,) = found["scenarios"]["crash"]["campaigns"].values()
    weth = found["together"]["shares"]["token"]["WETH"]
    assert found["money"] == "USDC"
    assert held["before"] == pytest.approx(10_000, rel=1e-3)
    assert held["change"] == pytest.approx(-0.2 * weth - 0.05 * (1 - weth))


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ('[assets.l1]\nWETH = "1e400"\n[debts.l1]\nl2 = 10\n[assets.l2]', "assets.l1.WETH"),
        ('[assets.l1]\nWETH = 5\n[debts.l1]\nl2 = "1e400"\n[assets.l2]', "debts.l1.l2"),
        ('[assets.l1]\nWETH = "1.5e308"\n[debts.l1]\nl2 = 1\n[assets.l2]', "assets.l1.WETH"),
        ('[volatilities]\nWETH = "1e-200%"\nUSDC = "1%"', "volatilities.WETH"),
    ],
)
def test_what_no_portfolio_can_hold_is_an_error_of_the_file(
    tmp_path: Path, table: str, key: str
) -> None:
    minute_file(tmp_path, *(a_minute(number) for number in range(3)), name="market.csv")
    (tmp_path / "stress.toml").write_text(f'[scenarios.crash]\nWETH = "-20%"\n{table}\n')
    market = shlex.split(
        "--market market.csv --pair USDC/WETH --fee 0.05% --chain ethereum --value 10000 "
        "--gas-gwei 1"
    )
    ended = typed_here(tmp_path, "risk", *market, "--stress", "stress.toml")
    assert ended.code == 3
    (line,) = ended.err.splitlines()
    assert line.startswith(f"lpm: stress.toml: {key}: a number that is not 0 is between 1e-100")


def test_the_page_on_risk_tells_what_each_limit_does() -> None:
    for key in {*RiskTable.model_fields, *RegimeTable.model_fields}:
        assert f"`{key}`" in PAGE, key
