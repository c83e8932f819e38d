"""Who takes part, and how each is started."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from side_by_side.peers import WITH_NODE, degenbot_python, v3_sdk_folder
from side_by_side.race import Contestant

_ENGINES = "side_by_side.engines"
_V3_SDK = Path(__file__).with_name("engines") / "v3_sdk.js"
_Command = Callable[[Path], list[str | Path]]


def contestants() -> tuple[Contestant, ...]:
    """Everyone, ours first.

    Peers take part twice: by the calls they offer, and by the inner one those wrap, which is their
    fastest way to make one swap after another.
    """
    return (
        Contestant("compiled", "lpmanager, compiled", _ours("compiled", "columns")),
        Contestant("compiled_read", "the same, all results as ints", _ours("compiled", "read")),
        Contestant("python", "lpmanager, Python", _ours("python_pool")),
        Contestant("degenbot", "degenbot 0.3.0", _degenbot("public")),
        Contestant("degenbot_inner", "degenbot 0.3.0, inner call", _degenbot("inner")),
        Contestant("v3_sdk", "v3-sdk 3.31.5", _v3_sdk("public")),
        Contestant("v3_sdk_inner", "v3-sdk 3.31.5, inner call", _v3_sdk("inner")),
        Contestant("real_pool", "the contract itself, in pyrevm", _ours("real_pool")),
    )


def _ours(module: str, *way: str) -> _Command:
    return lambda workload: [sys.executable, "-m", f"{_ENGINES}.{module}", workload, *way]


def _degenbot(way: str) -> _Command:
    module = f"{_ENGINES}.degenbot_pool"
    return lambda workload: [degenbot_python(), "-m", module, workload, way]


def _v3_sdk(way: str) -> _Command:
    node = (WITH_NODE, "node", "--expose-gc", _V3_SDK)
    return lambda workload: [*node, workload, way, v3_sdk_folder()]
