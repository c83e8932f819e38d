"""Short builders of markets: files of minutes and events, and the real data where it lies."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from builders import a_pool, a_range, price_at

from lpmanager.amm.fast.packing import to_limbs
from lpmanager.backtest.markets.market import SWAP, Bars, Change, Events, Market
from lpmanager.backtest.markets.minutes import MINUTE_COLUMNS
from lpmanager.backtest.markets.senders import Senders
from lpmanager.model import PoolState

MIDNIGHT = 1_704_412_800  # 2024-01-05 00:00:00 UTC
TICK = 199_045  # USDC/WETH at 2,267 dollars

DATA = Path(os.environ.get("LPM_DATA", Path(__file__).parents[1] / "../shared/data"))
MAINNET_EVENTS = DATA / "ethereum-usdc-weth-0.05-events-2024-01-05.csv.gz"
MAINNET_MINUTES = DATA / "ethereum-usdc-weth-0.05-minute-2024-01-05.csv.gz"
POLYGON_MINUTES = DATA / "polygon-usdc-weth-0.05-minute-2022-07-19--2022-08-22.csv.gz"
POLYGON_FIVE_DAYS = DATA / "polygon-usdc-weth-0.05-minute-2023-08-13--2023-08-17.csv.gz"

needs_data = pytest.mark.skipif(
    not MAINNET_EVENTS.exists(), reason=f"no real market data in {DATA}; see LPM_DATA"
)


def a_minute(number: int = 0, **cells: object) -> dict[str, str]:
    """A row of a minute file, so many minutes after midnight; cells by column."""
    time = datetime.fromtimestamp(MIDNIGHT + 60 * number, UTC)
    plain: dict[str, object] = {
        "timestamp": f"{time:%Y-%m-%d %H:%M:%S}",
        "netAmount0": -5,
        "netAmount1": 7,
        "closeTick": TICK,
        "openTick": TICK,
        "lowestTick": TICK,
        "highestTick": TICK,
        "inAmount0": 10**9,
        "inAmount1": 10**18,
        "currentLiquidity": 10**19,
    }
    return {name: str(cell) for name, cell in (plain | cells).items()}


def a_quiet_minute(number: int, tick: int | str = TICK, **cells: object) -> dict[str, str]:
    """A minute without trade at a tick."""
    still = dict.fromkeys(("closeTick", "openTick", "lowestTick", "highestTick"), tick)
    nothing = dict.fromkeys(("netAmount0", "netAmount1", "inAmount0", "inAmount1"), 0)
    return a_minute(number, **still, **nothing, **cells)


def an_unknown_minute(number: int) -> dict[str, str]:
    """A minute of which the file says nothing but the time."""
    return dict.fromkeys(MINUTE_COLUMNS, "") | {"timestamp": a_minute(number)["timestamp"]}


def minute_file(
    folder: Path,
    *rows: dict[str, str],
    columns: Sequence[str] = MINUTE_COLUMNS,
    name: str = "minutes.csv",
) -> Path:
    path = folder / name
    lines = [",".join(columns), *(",".join(row[column] for column in columns) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def events_of(
    *rows: tuple[int, int, int, int],
    changes: Mapping[int, tuple[int, str, int]] | None = None,
    liquidity: int = 1000,
    senders: Sequence[str] | None = None,
) -> Events:
    """Events of (time, tick, amount0, amount1), each in a block of its own, at the tick's price.

    `changes` makes a row a mint or a burn: (MINT or BURN, "[lower, upper)", liquidity).
    """
    changes = changes or {}
    times, ticks, amounts0, amounts1 = zip(*rows, strict=True)
    kinds = [changes[row][0] if row in changes else SWAP for row in range(len(rows))]
    return Events(
        block=np.arange(1, len(rows) + 1),
        time=np.array(times),
        kind=np.array(kinds, np.uint8),
        amount0=to_limbs(amounts0, 2, signed=True),
        amount1=to_limbs(amounts1, 2, signed=True),
        sqrt_price=to_limbs([price_at(tick) for tick in ticks], 3),
        liquidity=to_limbs([liquidity] * len(rows), 2),
        tick=np.array(ticks, np.int32),
        changes={
            row: Change(range=a_range(text), liquidity=changed, owner=None)
            for row, (_, text, changed) in changes.items()
        },
        senders=Senders.unknown(len(rows)) if senders is None else Senders.of(senders),
    )


def a_recorded_market(rows: Events | Bars, start: PoolState | None = None) -> Market:
    return Market(name="a market", chain_id=1, pool=a_pool(), rows=rows, start=start, notes=())


def same_columns(one: Events | Bars, other: Events | Bars) -> bool:
    """Whether two markets' rows are equal in every column."""
    if type(one) is not type(other):
        return False
    columns = ((getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    return all(np.array_equal(*map(_told, pair)) for pair in columns)


def _told(column: object) -> object:
    return senders_of(column) if isinstance(column, Senders) else column


def senders_of(senders: Senders) -> list[str]:
    """The sender of each row."""
    return senders.at(np.arange(len(senders)))
