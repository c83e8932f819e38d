"""Every command that the README and the docs show works as it is written."""

from __future__ import annotations

import re
import shlex
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from live_desk import Desk, Devnet, surroundings
from vault_desk import a_vault_desk

ROOT = Path(__file__).parents[2]
#: Its commands are for a campaign held by a vault, and are run for one.
VAULT = ROOT / "docs" / "vault.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

#: The commands behind the page of results.
RESULTS = re.findall(
    r"^    \.venv/bin/(lpm .*)", (ROOT / "docs/results.md").read_text(), re.MULTILINE
)

#: Commands too long to run here, and the test that runs each.
ELSEWHERE = {
    "make demo": "tests/integration/test_demo.py",
    "make test": "Makefile",
    "make faults": "Makefile",
    "make faults FAULTS=quick": "Makefile",
    "make contracts-test": "Makefile",
    "make contracts-prove": "Makefile",
    "make contracts-score": "Makefile",
    "lpm demo --keep --dir lpm-demo": "tests/integration/test_demo.py",
    "lpm simulate --flow EVENTS.csv.gz": "tests/integration/test_simulate.py",
    "lpm backtest MARKET.csv.gz --pair USDC/WETH --fee 0.05% --chain ethereum --policy fixed_width "
    "--option half_width_ticks=600 --value 10000 --gas-gwei 20 --html out.html": (
        "tests/integration/test_backtest.py"
    ),
    "lpm backtest MARKET.csv.gz --pair USDC/WETH --fee 0.05% --chain ethereum --policy fixed_width "
    "--option half_width_ticks=600 --value 10000 --gas-gwei 20 --mode fast": (
        "tests/integration/test_backtest.py"
    ),
    "lpm sweep MARKET.csv.gz --pair USDC/WETH --fee 0.05% --chain ethereum --policy fixed_width "
    "--grid half_width_ticks=100:2000:100 --value 10000 --gas-gwei 20": (
        "tests/unit/cli/test_sweep.py"
    ),
    **dict.fromkeys(RESULTS, "tests/integration/test_backtest.py"),
    "lpm fetch --store markets --from 2024-01-01": "tests/integration/test_fetch_command.py",
    "lpm backtest markets --policy fixed_width --option half_width_ticks=600 --value 10000 "
    "--gas-gwei 20": "tests/integration/test_fetch_command.py",
    "lpm risk --market MARKET.csv.gz --pair USDC/WETH --fee 0.05% --chain ethereum --value 10000 "
    "--gas-gwei 20": "tests/integration/test_risk_market.py",
    "lpm fetch --store markets": "tests/integration/test_fetch_command.py",
    "lpm calibrate --market markets": "tests/unit/cli/test_calibrate.py",
    'lpm risk --option-chain CHAIN.csv --spot 2250 --as-of "2024-01-05 14:30"': (
        "tests/integration/test_option_chain.py"
    ),
    "lpm risk --stress stress.toml": "tests/integration/test_stress.py",
    "lpm keys new": "tests/integration/test_keys.py",
    "lpm keys import": "tests/integration/test_keys.py",
    "lpm keys list": "tests/unit/cli/test_keys.py",
}
#: Commands that go on until they are stopped.
ENDLESS = {"lpm run", "lpm run --live"}


def commands(page: Path) -> list[str]:
    """The indented lines of a page that are commands, without comments and folders."""
    lines = re.findall(r"^    ((?:\S*/)?(?:lpm|make) [^\n]*)", page.read_text(), re.MULTILINE)
    return [re.sub(r"^\S*/", "", line.split("  #")[0].strip()) for line in lines]


SHOWN = list(dict.fromkeys(c for page in PAGES for c in commands(page)))
OF_VAULT = commands(VAULT)
OF_WALLET = dict.fromkeys(c for page in PAGES if page != VAULT for c in commands(page))
HERE = [c for c in OF_WALLET if c not in {*ELSEWHERE, *ENDLESS, "lpm init"}]


def test_the_pages_show_commands() -> None:
    assert {"make demo", "lpm init", "lpm doctor", "lpm run --live"} <= set(SHOWN)
    assert set(ELSEWHERE) <= set(SHOWN)


@pytest.mark.parametrize("test", ELSEWHERE.values())
def test_what_is_run_elsewhere_is_there(test: str) -> None:
    assert (ROOT / test).is_file()


def test_a_new_user_gets_a_configuration(desk: Desk, tmp_path: Path) -> None:
    new = replace(desk, folder=tmp_path / "new")
    new.folder.mkdir()
    assert new.lpm("init").returncode == 0
    assert new.config.is_file()


def test_the_commands_shown_work_one_after_the_other(desk: Desk) -> None:
    for command in HERE:
        program, *arguments = shlex.split(command)
        assert program == "lpm", command
        ended = desk.lpm(*arguments)
        assert ended.returncode == 0, (command, ended.stderr)


def test_the_vaults_commands_work_one_after_the_other(devnet: Devnet, tmp_path: Path) -> None:
    desk = a_vault_desk(devnet, tmp_path, "the page on the vault")
    assert {"lpm vault deploy", "lpm vault exit"} <= {" ".join(c.split()[:3]) for c in OF_VAULT}
    for command in OF_VAULT:
        _, *arguments = shlex.split(command.replace("eth-usdc", "main"))
        ended = desk.lpm(*arguments)
        assert ended.returncode == 0, (command, ended.stderr)
        if arguments[:2] == ["vault", "deploy"] and "--live" in arguments:
            table, *lines = ended.stdout.strip().splitlines()[-3:]
            desk.edit(f"{table}\n", "\n".join([table, *lines, ""]))
    assert desk.balances(desk.json_of("status")["vaults"]["main"]["address"]) == (0, 0)


@pytest.mark.parametrize("command", sorted(ENDLESS))
def test_a_timetable_runs_until_it_is_stopped(desk: Desk, command: str) -> None:
    desk.devnet.refresh()
    running = desk.start(*shlex.split(command)[1:], **surroundings({}))
    assert running.stderr is not None
    assert '"cycle"' in running.stderr.readline()
    running.send_signal(signal.SIGTERM)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
