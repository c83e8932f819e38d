"""`lpm init` and `lpm config`, run as a user runs them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

OWNER = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
PLACEHOLDER = "0x" + "0" * 40


def lpm(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, without variables of ours around."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LPM_")}
    return subprocess.run(
        [sys.executable, "-m", "lpmanager.cli.main", *arguments],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """A folder with a valid configuration."""
    assert lpm(tmp_path, "init").returncode == 0
    path = tmp_path / "lpmanager.toml"
    path.write_text(path.read_text().replace(PLACEHOLDER, OWNER))
    return tmp_path


def test_init_writes_both_files_for_their_owner_alone(tmp_path: Path) -> None:
    done = lpm(tmp_path, "init", "new/place")
    assert (done.returncode, done.stdout) == (0, "")
    assert "lpm config check" in done.stderr
    for name in ("lpmanager.toml", ".env"):
        mode = (tmp_path / "new/place" / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize("name", ["lpmanager.toml", ".env"])
def test_init_overwrites_nothing_and_does_not_stop_half_way(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    done = lpm(tmp_path, "init")
    assert done.returncode == 2
    assert f"{name}: exists already" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_check_passes_on_a_valid_file(ready: Path) -> None:
    done = lpm(ready, "config", "check", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"valid": True, "campaigns": ["eth-usdc"]}
    assert "valid" in lpm(ready, "config", "check").stdout


def test_check_names_the_wrong_option_of_a_policy(ready: Path) -> None:
    path = ready / "lpmanager.toml"
    path.write_text(path.read_text().replace("half_width_ticks = 1000", "half_wdth_ticks = 1000"))
    done = lpm(ready, "config", "check")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("lpm: campaigns.eth-usdc.options.half_wdth_ticks: ")
    assert len(done.stderr.splitlines()) == 1


def test_check_finds_a_policy_of_the_user_s_own_beside_the_file(ready: Path) -> None:
    path = ready / "lpmanager.toml"
    text = path.read_text().replace('"passive"', '"my_policies:Mine"')
    path.write_text(text.replace("order_width_ticks = 200\n", ""))
    (ready / "my_policies.py").write_text(
        "from dataclasses import dataclass\n\n"
        "@dataclass(frozen=True)\n"
        "class Mine:\n"
        "    half_width_ticks: int\n\n"
        "    def target(self, view):\n"
        "        raise NotImplementedError\n"
    )
    assert lpm(Path("/"), "config", "check", "--config", str(path)).returncode == 0


def test_show_tells_defaults_and_masks_secrets(ready: Path) -> None:
    shown = lpm(ready, "config", "show", LPM_RPC_URL="https://host/key-123")
    assert "campaigns.eth-usdc.limits.slippage_bps = 50" in shown.stdout.splitlines()
    assert "rpc_urls.base = **********" in shown.stdout.splitlines()
    as_json = lpm(ready, "config", "show", "--json", LPM_RPC_URL="https://host/key-123")
    assert json.loads(as_json.stdout)["rpc_urls"] == {"base": "**********"}
    assert "key-123" not in shown.stdout + as_json.stdout


def test_schema_is_json_and_needs_no_configuration(tmp_path: Path) -> None:
    done = lpm(tmp_path, "config", "schema")
    assert json.loads(done.stdout)["title"] == "Settings"


def test_a_configuration_error_is_told_on_stderr_with_code_3(tmp_path: Path) -> None:
    done = lpm(tmp_path, "config", "show")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("lpm: lpmanager.toml: there is no such file")


def test_an_unknown_verb_is_a_usage_error(tmp_path: Path) -> None:
    assert lpm(tmp_path, "florish").returncode == 2
    assert lpm(tmp_path, "config", "show", "--jsn").returncode == 2


def test_help_is_quick_and_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, lpmanager.cli.main as m\n"
        "sys.argv = ['lpm', '--help']\n"
        "try:\n    m.main()\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({'web3', 'sqlalchemy', 'pandas', 'pydantic'} & set(sys.modules)))\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    # 0.15 s on an idle machine; the bound only catches an import that should not be there
    assert time.monotonic() - began < 5
