"""Stress files: what they tell, and how a mistake in one is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from lpmanager.cli.stress_debts import require_debtors
from lpmanager.cli.stress_file import StressFile, read_stress_file, require_known
from lpmanager.errors import ConfigError

CRASH = '[scenarios.crash]\nWETH = "-20%"\n'
TWO = '[volatilities]\nWETH = "60%"\nUSDC = "1%"\n'
BETWEEN = '[correlations]\n"WETH/USDC" = 0.2\n'


def read(folder: Path, text: str) -> StressFile:
    path = folder / "stress.toml"
    path.write_text(text)
    return read_stress_file(path)


def mistake(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return str(caught.value).replace(f"{folder / 'stress.toml'}: ", "")


def test_moves_are_shares(tmp_path: Path) -> None:
    file = read(tmp_path, CRASH + 'USDC = "+0.5 %"\n')
    assert file.scenarios == {"crash": {"WETH": -0.2, "USDC": 0.005}}


def test_correlations_go_both_ways(tmp_path: Path) -> None:
    file = read(tmp_path, CRASH + TWO + BETWEEN)
    dependence = file.dependence()
    assert dependence.tokens == ("WETH", "USDC")
    assert dependence.deviations == (0.6, 0.01)
    assert dependence.correlations == ((1.0, 0.2), (0.2, 1.0))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "scenarios: missing"),
        ("[scenarios]", "scenarios: names nothing"),
        ("[scenarios.crash]", "scenarios.crash: names nothing"),
        ('[scenarios."a crash"]\nWETH = "-20%"', "a name is made of letters"),
        (
            CRASH + '[moves]\nWETH = "-5%"',
            "moves: unknown key; there are assets, correlations, debts",
        ),
        ('scenario.crash.WETH = "-20%"', "did you mean 'scenarios'?"),
        ("scenarios.crash.WETH = -0.2", 'expected a text in percent, such as "-20%"; found -0.2'),
        ('scenarios.crash.WETH = "-20"', "expected a text in percent"),
        ('scenarios.crash.WETH = "nan%"', "scenarios.crash.WETH: expected a decimal number"),
        ('scenarios.crash.WETH = "-100%"', "above -100% and below 100,000%; found '-100%'"),
        ('scenarios.crash.WETH = "-99.999999999999999999%"', "above -100%"),
        ('scenarios.crash.WETH = "1e6%"', "below 100,000%"),
        ('scenarios.crash.WETH = "1e400%"', "scenarios.crash.WETH: a number that is not 0 is betw"),
        (CRASH + '[volatilities]\nWETH = "0%"', "volatilities.WETH: a volatility is above 0%"),
        (CRASH + TWO, 'correlations."WETH/USDC": missing'),
        (CRASH + BETWEEN, "USDC has no volatility; add it to [volatilities]"),
        (CRASH + TWO + BETWEEN.replace("0.2", "1.2"), "a correlation is between -1 and 1"),
        (CRASH + TWO + BETWEEN + '"USDC/WETH" = 0.3', "have a correlation already"),
        (CRASH + TWO + BETWEEN + '"WETH/WETH" = 1', 'expected two tokens, as in "WETH/WBTC"'),
        (CRASH + TWO + BETWEEN + '"WETH" = 1', 'expected two tokens, as in "WETH/WBTC"'),
        (CRASH + 'DAI = "-9%"\n' + TWO + BETWEEN, "scenarios.crash.DAI: has no volatility"),
        (CRASH + "[issuers]\nUSDC = 1", 'issuers.USDC: expected a text in "quotes", found 1'),
        (
            CRASH + "[assets.Aave]\nWETH = 0",
            "assets.Aave.WETH: what is held or owed is more than 0",
        ),
        (
            CRASH + '[assets.Aave]\nWETH = "1e400"',
            "assets.Aave.WETH: a number that is not 0 is betw",
        ),
        (
            CRASH + "[assets.Aave]\nWETH = 1.5e308",
            "between 1e-100 and 1e100 in size; found 1.5E+308",
        ),
        (
            CRASH + '[assets.Aave]\nWETH = "1e-320"',
            "assets.Aave.WETH: a number that is not 0 is bet",
        ),
        (
            CRASH + '[debts.Aave]\nmain = "1e400"',
            "debts.Aave.main: a number that is not 0 is betwe",
        ),
        (CRASH + "[debts.Aave]", "debts.Aave: names nothing"),
        (CRASH + '[debts.Aave]\nmain = "-1"', "debts.Aave.main: what is held or owed"),
        (CRASH + '[debts."an owner"]\nmain = 1', "a name is made of letters"),
        ("[scenarios", "not valid TOML"),
    ],
)
def test_a_mistake_is_told_by_its_key(tmp_path: Path, text: str, says: str) -> None:
    assert says in mistake(tmp_path, text)


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "stress.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_stress_file(tmp_path / "stress.toml")


def test_each_mistake_gets_its_line(tmp_path: Path) -> None:
    assert len(mistake(tmp_path, "[scenarios.a]\n[scenarios.b]\n[c]").splitlines()) == 3


def known(file: StressFile, *tokens: str) -> str:
    with pytest.raises(ConfigError) as caught:
        require_known(file, Path("stress.toml"), tokens)
    return str(caught.value)


def test_a_token_that_no_campaign_trades_is_told_with_the_nearest(tmp_path: Path) -> None:
    file = read(tmp_path, '[scenarios.crash]\nWET = "-20%"\n[issuers]\nDAI = "Sky"\n')
    told = known(file, "WETH", "USDC")
    assert "scenarios.crash.WET: no campaign asked about trades it; did you mean 'WETH'?" in told
    assert "issuers.DAI: no campaign asked about trades it" in told


def test_a_token_may_move_others_without_being_traded(tmp_path: Path) -> None:
    file = read(tmp_path, CRASH + TWO + BETWEEN)
    require_known(file, Path("stress.toml"), ["USDC"])


def test_with_volatilities_every_token_of_a_campaign_needs_one(tmp_path: Path) -> None:
    file = read(tmp_path, CRASH + TWO + BETWEEN)
    assert "volatilities.WBTC: missing" in known(file, "WBTC", "WETH")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "[debts.Aave]\nmain = 1",
            "debts.Aave: nothing tells what it has; write a table [assets.A",
        ),
        (
            "[assets.Aave]\n[debts.Aave]\nmian = 1",
            "debts.Aave.mian: neither a campaign asked about",
        ),
        ("[assets.Aave]\n[debts.Aave]\nmian = 1", "did you mean 'main'?"),
        ("[assets.Aave]\n[debts.Aave]\nAave = 1", "debts.Aave.Aave: nobody owes itself"),
        ("[assets.main]\nWETH = 1", "assets.main: is a campaign"),
    ],
)
def test_who_owes_and_is_owed_must_be_known(tmp_path: Path, text: str, says: str) -> None:
    file = read(tmp_path, CRASH + text)
    with pytest.raises(ConfigError) as caught:
        require_debtors(file, Path("stress.toml"), ["main"])
    assert says in str(caught.value)


def test_what_a_lender_has_is_of_tokens_that_are_known(tmp_path: Path) -> None:
    file = read(tmp_path, CRASH + "[assets.Aave]\nDAI = 5\n")
    assert "assets.Aave.DAI: no campaign asked about trades it" in known(file, "WETH", "USDC")
