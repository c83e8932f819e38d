"""The rooms of docs/architecture.md, checked by reading the imports of every module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import lpmanager

PACKAGE = Path(lpmanager.__file__).parent

#: Rooms from the ground up: each may import only rooms above it in this list, or itself.
ORDER = (
    "errors",
    "foreign_words",
    "private_file",
    "page",
    "model",
    "abi",
    "amm",
    "venues",
    "inventory",
    "risk",
    "hedge",
    "rebalancer",
    "chain",
    "execution",
    "ledger",
    "setting_types",
    "settings",
    "config_errors",
    "config",
    "reconciliation",
    "bookkeeping",
    "cycle",
    "desk",
    "backtest",
    "devnet",
    "scheduler",
    "account_lock",
    "doctor",
    "serve",
    "cli",
)
PURE_ROOMS = {"model", "amm", "inventory", "risk", "rebalancer", "hedge"}
PURE_MODULES = {
    "execution.allowed",
    "execution.calldata",
    "execution.intent",
    "execution.plan_terms",
    "execution.vault_allowed",
    "execution.vault_calldata",
    "execution.vault_refusals",
    "execution.wallet_allowed",
    "execution.whose",
    "ledger.accounting",
    "ledger.alarms",
    "ledger.by_hand",
    "ledger.campaign_intents",
    "ledger.entry_row",
    "ledger.result",
}
#: What pure code may build on besides pure code: values, and calldata without a chain.
PURE_GROUND = {"errors", "abi", "venues"}
WORLD = {
    "apscheduler",
    "asyncio",
    "logging",
    "os",
    "random",
    "requests",
    "secrets",
    "socket",
    "sqlalchemy",
    "structlog",
    "subprocess",
    "time",
    "web3",
}
CLOCK_CALLS = {"now", "today", "utcnow"}
WEB3_ROOMS = {"chain", "devnet"}
ENVIRONMENT_NAMES = {"environ", "environb", "getenv", "dotenv_values", "load_dotenv"}


@dataclass(frozen=True)
class Module:
    """A module by its name below lpmanager ("chain.reader"), and its source."""

    name: str
    source: str

    @property
    def room(self) -> str:
        return self.name.split(".")[0]

    @property
    def is_pure(self) -> bool:
        return self.room in PURE_ROOMS or self.name in PURE_MODULES

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(ast.parse(self.source))

    def imports(self) -> Iterator[str]:
        """Full names of everything imported, wherever in the module."""
        for node in self.nodes():
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def own_imports(self) -> Iterator[str]:
        """Modules of lpmanager that are imported, named below it."""
        for name in self.imports():
            if name.startswith("lpmanager."):
                yield name.removeprefix("lpmanager.")


def breaches(module: Module) -> list[str]:
    """Everything in which a module breaks the architecture, as sentences."""
    rules = (_order, _purity, _leaf, _web3, _environment)
    return [f"{module.name} {breach}" for rule in rules for breach in rule(module)]


def _order(module: Module) -> Iterator[str]:
    for name in module.imports():
        if name.startswith("."):
            yield f"imports {name} by a relative path"
    for name in module.own_imports():
        room = name.split(".")[0]
        if room.startswith("__"):
            continue
        if room not in ORDER or module.room not in ORDER:
            yield f"imports {room}; one of the two has no place in ORDER"
        elif ORDER.index(room) > ORDER.index(module.room):
            yield f"imports {room}, which stands above it"


def _purity(module: Module) -> Iterator[str]:
    if not module.is_pure:
        return
    for name in module.imports():
        if name.split(".")[0] in WORLD:
            yield f"is pure and imports {name}"
    for name in module.own_imports():
        room, module_name = name.split(".")[0], ".".join(name.split(".")[:2])
        if room not in PURE_ROOMS | PURE_GROUND and module_name not in PURE_MODULES:
            yield f"is pure and imports {name}, which is not"
    for node in module.nodes():
        if isinstance(node, ast.Attribute) and node.attr in CLOCK_CALLS:
            yield f"is pure and reads a clock by .{node.attr}"


def _leaf(module: Module) -> Iterator[str]:
    if module.room != "model":
        return
    for name in module.imports():
        top = name.split(".")[0]
        if top not in sys.stdlib_module_names and not name.startswith("lpmanager.model."):
            yield f"is a leaf and imports {name}"


def _web3(module: Module) -> Iterator[str]:
    for name in module.imports():
        if name.split(".")[0] == "web3" and module.room not in WEB3_ROOMS:
            yield f"imports {name}; only {' and '.join(sorted(WEB3_ROOMS))} may"


def _environment(module: Module) -> Iterator[str]:
    if module.name == "config":
        return
    for node in module.nodes():
        name = node.attr if isinstance(node, ast.Attribute) else None
        if isinstance(node, ast.alias):
            name = node.name
        if name in ENVIRONMENT_NAMES:
            yield f"reads the environment by {name}; only config may"


def all_modules() -> list[Module]:
    """Every module of the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__") or "__init__"
        found.append(Module(name, path.read_text(encoding="utf-8")))
    return found


def test_no_module_breaks_the_architecture() -> None:
    assert [breach for module in all_modules() for breach in breaches(module)] == []


def test_every_pure_module_named_here_exists() -> None:
    names = {module.name for module in all_modules()}
    assert names >= PURE_MODULES


def test_a_pure_room_that_reads_the_clock_is_caught() -> None:
    assert breaches(Module("risk.x", "import time"))
    assert breaches(Module("risk.x", "from datetime import datetime\nt = datetime.now()"))


def test_a_pure_room_that_touches_the_world_deep_in_a_function_is_caught() -> None:
    assert breaches(Module("amm.x", "def f():\n    from os import path\n    return path"))
    assert breaches(Module("ledger.result", "from sqlalchemy import select"))
    assert breaches(Module("rebalancer.x", "import structlog.stdlib"))


def test_a_pure_module_that_leans_on_an_impure_one_is_caught() -> None:
    assert breaches(Module("execution.calldata", "from lpmanager.chain.node import Node"))
    assert breaches(Module("ledger.result", "from lpmanager.ledger.store import Ledger"))


def test_an_import_against_the_direction_is_caught() -> None:
    assert breaches(Module("chain.x", "from lpmanager.cycle import run_cycle"))
    assert breaches(Module("ledger.x", "from lpmanager import config"))
    assert breaches(Module("devnet.x", "import lpmanager.cli.main"))
    assert breaches(Module("chain.x", "from ..cycle import run_cycle"))


def test_a_room_without_a_place_is_caught() -> None:
    assert breaches(Module("attic", "from lpmanager.model import Token"))


def test_a_model_that_needs_more_than_the_standard_library_is_caught() -> None:
    assert breaches(Module("model.x", "from eth_utils import keccak"))
    assert breaches(Module("model.x", "from lpmanager.errors import LpmError"))


def test_web3_outside_its_rooms_is_caught() -> None:
    assert breaches(Module("execution.x", "from web3 import Web3"))
    assert not breaches(Module("chain.x", "from web3 import Web3"))


def test_reading_the_environment_outside_config_is_caught() -> None:
    assert breaches(Module("chain.x", "import os\nurl = os.environ['URL']"))
    assert breaches(Module("cli.x", "from os import getenv"))
    assert breaches(Module("cli.x", "from dotenv import load_dotenv"))
    assert not breaches(Module("config", "import os\nurl = os.environ['URL']"))


def test_sound_modules_pass() -> None:
    assert not breaches(Module("rebalancer.x", "from lpmanager.risk import Outlook\nimport math"))
    assert not breaches(Module("ledger.store", "from sqlalchemy import select"))
