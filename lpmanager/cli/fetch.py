"""`lpm fetch`: every event of a pool, from the chain into a store that `lpm backtest` reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from lpmanager.cli.campaigns import INTERRUPTED, CampaignNames, chosen, for_each, wall_clock
from lpmanager.cli.option_texts import time_of
from lpmanager.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, load_settings
from lpmanager.errors import UsageError

if TYPE_CHECKING:
    from lpmanager.backtest.store.fetching import Fetched, Tell, Window
    from lpmanager.backtest.store.shelf import Shelf
    from lpmanager.chain.node import Node
    from lpmanager.chain.presets import Chain
    from lpmanager.model import PoolKey
    from lpmanager.settings import Settings

#: What the extra `backtest` brings and this needs.
_NEEDED = ("numpy", "pyarrow")

Pool = Annotated[
    str | None,
    typer.Option("--pool", metavar="ADDRESS", help="This pool of the configuration's chain."),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="BLOCK|TIME",
        help="Begin with this block, or the first from a time on (UTC). Without it: go on where "
        "the store ends, or else begin where the pool was made.",
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="BLOCK|TIME",
        help="End with this block, or the last before a time (UTC). Without it: the newest.",
    ),
]
Store = Annotated[Path, typer.Option("--store", metavar="DIR", help="The folder of the store.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A pool to be found on its chain."""

    chain: Chain
    find: Callable[[Node], PoolKey]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    """What was fetched of a pool, and where it is."""

    shelf: Shelf
    pool: PoolKey
    fetched: Fetched


def fetch(
    campaigns: CampaignNames = None,
    pool: Pool = None,
    start: From = None,
    end: To = None,
    store: Store = Path("markets"),
    config: ConfigPath = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Fetch every swap, mint, burn and collect of the campaigns' pools, or of one by its address.

    Needs no key. Whenever it is stopped, the next call goes on from there; blocks that were not
    final are read again. An RPC that refuses many blocks at once is asked for fewer.
    """
    from lpmanager.cli.output import print_json
    from lpmanager.scheduler import stop_on_signal

    _require_extra()
    if pool is not None and campaigns:
        raise UsageError("give campaigns or --pool, not both")
    settings = load_settings(config)
    targets = _targets(settings, campaigns, pool)
    with stop_on_signal() as stop:

        def fill(name: str) -> _Filled:
            target = targets[name]
            node = _opened(settings, target.chain)
            found, window = target.find(node), _window(node, start, end)
            confirmations = settings.transactions.confirmations or target.chain.confirmations
            return _fill(node, found, store, window, confirmations, stop.is_set)

        made = for_each(list(targets), fill, stop.is_set)
    if as_json:
        print_json({"pools": [_json(o) for o in made.done.values()], "errors": made.errors})
    else:
        _print(made.done)
    made.exit_if_failed()
    if stop.is_set():
        raise typer.Exit(INTERRUPTED)


def _targets(
    settings: Settings, campaigns: Sequence[str] | None, pool: str | None
) -> dict[str, _Target]:
    """What is to be fetched, by name: the pools of campaigns, or the one at an address."""
    from lpmanager.chain.pools import read_pool
    from lpmanager.desk.markets import configured_pool

    if pool is not None:
        address, chain = _address(pool), settings.known_chains()[settings.chain]
        return {
            address: _Target(
                chain=chain, find=lambda node: read_pool(node, chain.uniswap_v3, address)
            )
        }

    def target(name: str) -> _Target:
        table, chain = settings.campaigns[name], settings.chain_of(name)
        return _Target(chain=chain, find=lambda node: configured_pool(table, chain, node))

    return {name: target(name) for name in chosen(settings, campaigns)}


def _opened(settings: Settings, chain: Chain) -> Node:
    from lpmanager.desk.nodes import open_node

    node = open_node(settings, chain, wall_clock)
    node.check_chain()
    return node


def _fill(
    node: Node,
    pool: PoolKey,
    store: Path,
    window: Window,
    confirmations: int | Literal["finalized"],
    stop_asked: Callable[[], bool],
) -> _Filled:
    from lpmanager.backtest.store.fetching import fetch as fetch_events
    from lpmanager.backtest.store.shelf import RowKind, Shelf, only_writer

    shelf = Shelf(root=store, chain_id=node.chain_id, pool=pool.address, kind=RowKind.EVENTS)
    depth = None if confirmations == "finalized" else confirmations
    with only_writer(shelf), _progress(str(pool)) as tell:
        fetched = fetch_events(node, pool, shelf, window, depth, tell, stop_asked)
    return _Filled(shelf=shelf, pool=pool, fetched=fetched)


def _address(text: str) -> str:
    from lpmanager.setting_types import address_from

    try:
        return address_from(text)
    except ValueError as error:
        raise UsageError(f"--pool: {text!r}: {error}") from error


def _window(node: Node, start: str | None, end: str | None) -> Window:
    """The blocks that are meant. Raises UsageError for a time that has not come yet, and for a
    window that ends before it begins."""
    from lpmanager.backtest.store.fetching import Window
    from lpmanager.chain.event_log import first_block_from

    def block(option: str, text: str) -> int:
        """The first block from a time on, or the block of that height."""
        if text.isdecimal():
            return int(text)
        time, head = time_of(option, text), node.head()
        if time > head.timestamp:
            raise UsageError(f"{option}: {text} has not come yet on chain {node.chain_id}")
        return first_block_from(node, time, head)

    first = None if start is None else block("--from", start)
    last = None if end is None else block("--to", end) - (0 if end.isdecimal() else 1)
    if first is not None and last is not None and last < first:
        raise UsageError(f"--to: {end} is before --from {start}")
    return Window(first=first, last=last)


def _require_extra() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"lpm fetch needs {' and '.join(missing)}: pip install 'lpmanager[backtest]'"
        )


@contextmanager
def _progress(what: str) -> Iterator[Tell]:
    """Shows blocks as they are read: on stderr, and only where somebody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    screen = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,}/{task.total:,} blocks  {task.fields[events]:,} events"),
        TimeRemainingColumn(),
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
    ) as progress:
        task = progress.add_task(what, total=0, events=0)

        def tell(done: int, total: int, events: int) -> None:
            progress.update(task, completed=done, total=max(total, 0), events=events)

        yield tell


def _print(done: Mapping[str, _Filled]) -> None:
    from lpmanager.cli.output import note, print_table

    print_table(
        "fetched",
        ("pool", "blocks", "final up to", "new events", "known from its beginning"),
        [
            (
                str(one.pool),
                f"{one.fetched.first:,} to {one.fetched.last:,}",
                f"{one.fetched.final:,}",
                f"{one.fetched.events:,}",
                "yes" if one.fetched.whole else "no",
            )
            for one in done.values()
        ],
    )
    for one in done.values():
        note(f"{one.pool}: in {one.shelf.pool_folder}; try it with `lpm backtest`")


def _json(one: _Filled) -> dict[str, Any]:
    fetched = one.fetched
    return {
        "chain_id": one.shelf.chain_id,
        "pool": one.pool.address,
        "folder": str(one.shelf.folder),
        "first_block": fetched.first,
        "last_block": fetched.last,
        "final_block": fetched.final,
        "new_events": fetched.events,
        "from_creation": fetched.whole,
        "checked_against_pool": fetched.checked,
    }
