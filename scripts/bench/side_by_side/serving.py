"""How a Python engine takes part: it answers the bench on its standard output, line by line.

Standard library only: engines run it in environments of their own.
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from side_by_side.workload import Order, Row, Workload, load


class Round(NamedTuple):
    """The whole workload carried out once: the seconds of the swaps alone, and every row.

    `fee_growth` is the pool's global fee growth of both tokens in the end, None where the engine
    keeps none.
    """

    seconds: float
    rows: Sequence[Row]
    fee_growth: tuple[int, int] | None = None


def calculated(order: Order, amount0: int, amount1: int) -> int:
    """The one of a swap's amounts that its order does not specify."""
    return amount1 if order.zero_for_one == (order.amount_specified > 0) else amount0


def digest(rows: Iterable[Row]) -> str:
    """SHA-256 of the rows, a line each, in decimal."""
    lines = "".join("{} {} {} {}\n".format(*row) for row in rows)
    return hashlib.sha256(lines.encode()).hexdigest()


def forget_cached(package: str) -> None:
    """Empty every functools cache of a package, so that no round profits from the one before."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == package:
            for value in list(vars(module).values()):
                if callable(getattr(value, "cache_clear", None)):
                    value.cache_clear()


def serve(engine: Callable[[Workload], Callable[[], Round]]) -> None:
    """Answer rounds until standard input ends; the workload's file is the first argument.

    "rows" is answered with every row, anything else with the rows' digest.
    """
    run = engine(load(Path(sys.argv[1])))
    _say({"ready": True})
    for request in sys.stdin:
        gc.collect()
        done = run()
        answer: dict[str, object] = {"seconds": done.seconds, "digest": digest(done.rows)}
        if request.strip() == "rows":
            answer["rows"] = [list(map(str, row)) for row in done.rows]
            answer["fee_growth"] = done.fee_growth and list(map(str, done.fee_growth))
        _say(answer)


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
