"""Transactions that no block takes yet."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from faults.fault_proxy import BLOCK, Json
from faults.troubled_desk import BLOCK_TIME_S, Run, Stage


@contextmanager
def mined_again_afterwards(stage: Stage) -> Iterator[None]:
    """Inside the `with` block mining may be stopped; what still waits at its end is gone."""
    try:
        yield
    finally:
        stage.ask("anvil_dropAllTransactions")
        stage.controls.set_automine(True)


def waiting(stage: Stage) -> int:
    """How many transactions could be in the next block."""
    return int(stage.ask("txpool_status")["pending"], 16)


def let_blocks_come(run: Run, looks: int) -> None:
    """There is a block behind each look of the run at its head, from so many looks on."""
    stage, seen = run.stage, itertools.count(1)

    def slow(
        node: Callable[[Sequence[Json]], list[Json]],
    ) -> Callable[[Sequence[Json]], list[Json]]:
        def ask(calls: Sequence[Json]) -> list[Json]:
            answers = node(calls)
            if any(is_of_the_head(call) for call in calls) and next(seen) >= looks:
                stage.controls.mine(stage.now() + BLOCK_TIME_S)
            return answers

        return ask

    for rpc in run.rpcs:
        rpc.upstream = slow(rpc.upstream)


def is_of_the_head(call: Json) -> bool:
    return bool(call["method"] == BLOCK and call["params"][0] == "latest")
