"""Campaigns that are about to do something, to be begun from as often as wanted."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from faults.kill_points import Point, counted
from faults.troubled_desk import TERMS, Run, Stage, a_run, a_stage

STORE = "lpmanager.db"

#: A busy machine is no fault here.
_RPC_TIMEOUT_S = 10.0

#: How far the market moved before the campaign is to act, in ticks: it mints two positions first;
#: sells what it has too much of; leaves both positions for new ones.
_MOVES: dict[str, tuple[int, ...]] = {"opens": (), "hedges": (400,), "re-ranges": (400, 500)}
_TERMS = TERMS.replace('hedge_band = "0.4"', 'hedge_band = "0.2"')

#: So that the time-weighted price has caught up.
_QUIET_BLOCKS = 60

#: One after which the campaign leaves its positions: ticks, blocks.
A_MOVE = (500, _QUIET_BLOCKS)


class Undisturbed(NamedTuple):
    """How many transactions the next cycles send until they hold, where nothing is in their way,
    and which of them swap; how often each point is come to. Of the account's swaps how many there
    are then in all, and how many once books begun anew have come to rest too."""

    sends: int
    swapping: tuple[int, ...]
    counts: Counter[Point]
    swaps: int
    swaps_anew: int


@dataclass(frozen=True)
class Scene:
    """What the campaign does next. `store` is None before it has done anything."""

    name: str
    stage: Stage
    store: Path | None
    usual: Undisturbed

    @property
    def is_vaults(self) -> bool:
        return self.stage.vault is not None

    @contextmanager
    def run(self, folder: Path, seed: int) -> Iterator[Run]:
        """Through one RPC, with a store of its own in the folder."""
        with begun(self.stage, self.store, folder, seed) as run:
            yield run


@contextmanager
def begun(stage: Stage, store: Path | None, folder: Path, seed: int) -> Iterator[Run]:
    if store is not None:
        shutil.copy(store, folder / STORE)
    with a_run(stage, folder, 1, seed, timeout_s=_RPC_TIMEOUT_S, terms=_TERMS) as run:
        yield run


@contextmanager
def a_scene(name: str, folder: Path, *, in_vault: bool = False) -> Iterator[Scene]:
    with a_stage(in_vault=in_vault) as stage, begun(stage, None, folder, 0) as run:
        for ticks in _MOVES[name]:
            assert run.cycle(), run.errors
            stage.move_price(ticks, _QUIET_BLOCKS)
        run.ledger.engine.dispose()
        store = folder / STORE if _MOVES[name] else None
        yield Scene(name, stage, store, undisturbed(stage, store))


def undisturbed(stage: Stage, store: Path | None) -> Undisturbed:
    with TemporaryDirectory() as folder, begun(stage, store, Path(folder), 0) as run:
        before = len(run.mined())
        with counted() as counts:
            run.restart()
            run.go_on_until_it_holds()
        sent = run.mined()[before:]
        run.come_to_rest()
        swaps = run.swaps()
        swapping = tuple(number for number, one in enumerate(sent) if one.swaps)
        delete_store(run, Path(folder))
        run.restart()
        run.come_to_rest()
        return Undisturbed(len(sent), swapping, counts, swaps, run.swaps())


def delete_store(run: Run, folder: Path) -> None:
    run.ledger.engine.dispose()
    for path in folder.glob(f"{STORE}*"):
        path.unlink()


@contextmanager
def all_scenes(folder: Path, *, in_vault: bool = False) -> Iterator[list[Scene]]:
    with ExitStack() as open_now:
        scenes = []
        for name in _MOVES:
            (folder / name).mkdir()
            made = a_scene(name, folder / name, in_vault=in_vault)
            scenes.append(open_now.enter_context(made))
        yield scenes
