"""A picture of price against range over time, in text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.text import Text

_PRICE = "•"
_SHADES = " ░▒"
_STYLES = {_PRICE: "bold cyan", "░": "green", "▒": "green"}
_MARK = "bold magenta"
_LABEL_WIDTH = 10
_ROWS_PER_LABEL = 4
_COLUMNS_PER_TIME = 15
#: Beyond this span the axis of time names days.
_LONG_S = 3 * 86_400
#: How far beyond the prices, as a share of their spread, the picture reaches at least.
_MARGIN = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One look at the market: Unix seconds, the price, the ranges held from then on as pairs of
    prices, and a letter where something was done ("" where not)."""

    timestamp: int
    price: float
    bands: tuple[tuple[float, float], ...]
    mark: str


def picture(moments: Sequence[Moment], *, width: int, height: int) -> Text:
    """The moments as text of this many columns and about as many rows, oldest to the left.

    Raises ValueError where there is nothing to draw, or no room.
    """
    columns = width - _LABEL_WIDTH
    if not moments or columns < 2 or height < 2:
        raise ValueError("a picture needs a moment, and room")
    low, high = _bounds(moments)
    cells = [_column(moments, i, columns, low, high, height) for i in range(columns)]
    text = Text()
    for row in range(height):
        labelled = row % _ROWS_PER_LABEL == 0
        level = high - (high - low) * row / (height - 1)
        text.append(f"{level:>{_LABEL_WIDTH - 2},.1f} ┤" if labelled else " " * 9 + "│")
        for column in cells:
            text.append(column[row], _STYLES.get(column[row], _MARK))
        text.append("\n")
    text.append(_time_axis(moments, columns))
    return text


def _bounds(moments: Sequence[Moment]) -> tuple[float, float]:
    prices = [moment.price for moment in moments]
    low, high = min(prices), max(prices)
    margin = max((high - low) * _MARGIN, high * 1e-4)
    return low - margin, high + margin


def _column(
    moments: Sequence[Moment], index: int, columns: int, low: float, high: float, height: int
) -> list[str]:
    """The cells of one column, from the top."""
    start, end = moments[0].timestamp, moments[-1].timestamp
    span = (end - start) / (columns - 1)
    here, before = start + span * index, start + span * (index - 1)
    times = [moment.timestamp for moment in moments]
    seen = max(bisect_right(times, here) - 1, 0)
    bands = moments[seen].bands
    cells = []
    for row in range(height):
        level = high - (high - low) * row / (height - 1)
        depth = sum(bottom <= level <= top for bottom, top in bands)
        cells.append(_SHADES[min(depth, len(_SHADES) - 1)])
    marks = [m for m in moments if m.mark and before < m.timestamp <= here]
    price = marks[0].price if marks else _price_at(moments, seen, here)
    cells[_row(price, low, high, height)] = marks[0].mark if marks else _PRICE
    return cells


def _price_at(moments: Sequence[Moment], seen: int, time: float) -> float:
    """The price between two looks, on the straight line between them."""
    one = moments[seen]
    other = moments[min(seen + 1, len(moments) - 1)]
    if other.timestamp == one.timestamp:
        return one.price
    share = (time - one.timestamp) / (other.timestamp - one.timestamp)
    return one.price + (other.price - one.price) * share


def _row(price: float, low: float, high: float, height: int) -> int:
    return round((high - price) / (high - low) * (height - 1))


def _time_axis(moments: Sequence[Moment], columns: int) -> str:
    start, end = moments[0].timestamp, moments[-1].timestamp
    words = "%d %b" if end - start > _LONG_S else "%H:%M"
    labels = [
        _clock(start + (end - start) * at / (columns - 1), words).ljust(_COLUMNS_PER_TIME)
        for at in range(0, columns, _COLUMNS_PER_TIME)
    ]
    return (" " * _LABEL_WIDTH + "".join(labels)[:columns]).rstrip() + "\n"


def _clock(timestamp: float, words: str) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime(words)
