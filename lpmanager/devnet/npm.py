"""What the devnet takes from npm packages: anvil, and the Uniswap v3 contracts."""

from __future__ import annotations

import platform
from pathlib import Path

from lpmanager.chain.artifacts import Artifact, read_artifact
from lpmanager.errors import ConfigError

_MODULES = Path(__file__).resolve().parents[2] / "contracts" / "node_modules"
_ARCHITECTURES = {"x86_64": "amd64", "AMD64": "amd64", "arm64": "arm64", "aarch64": "arm64"}
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}


def anvil_binary() -> Path:
    """The anvil of package-lock.json for this machine. ConfigError where it is not installed."""
    system = _SYSTEMS.get(platform.system(), platform.system())
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    suffix = ".exe" if system == "win32" else ""
    package = f"@foundry-rs/anvil-{system}-{architecture}"
    return _installed(f"{package}/bin/anvil{suffix}", 'or use the backend "eth-tester"')


def core_artifact(name: str) -> Artifact:
    """A contract of Uniswap's v3-core."""
    return read_artifact(_uniswap(f"v3-core/artifacts/contracts/{name}.sol/{name}.json"))


def periphery_artifact(name: str, folder: str = "") -> Artifact:
    """A contract of Uniswap's v3-periphery, in a folder such as "lens/"."""
    path = f"v3-periphery/artifacts/contracts/{folder}{name}.sol/{name}.json"
    return read_artifact(_uniswap(path))


def _uniswap(path: str) -> Path:
    return _installed(f"@uniswap/{path}", "the devnet needs Uniswap's compiled contracts")


def _installed(path: str, note: str) -> Path:
    found = _MODULES / path
    if not found.is_file():
        raise ConfigError(
            f"contracts/node_modules/{path} is missing; run `make setup` in a source checkout "
            f"({note})"
        )
    return found
