"""An option chain from a CSV file: rows that say something, and rows dropped, each with its reason.

Columns `expiry` (ISO date), `strike`, `type` (call or put), and of `volatility` (a year, as a
fraction), `price`, `bid` and `ask` at least one way to tell the price; `rate` (a year, continuously
compounded) where expiries differ in it. Strikes and prices are in the unit of the spot.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lpmanager.errors import MarketDataError

#: Above this a volatility is one in percent, or nonsense.
_HIGHEST_VOLATILITY = 5.0
#: Time is counted in whole days, and of a nearer expiry that would be too coarse.
_NEAREST_DAYS = 3
#: No option is traded for longer, and QuantLib's calendar ends.
_FARTHEST_DAYS = 3_650
#: Above this, either way, a rate is one in percent, or nonsense.
HIGHEST_RATE = 1.0
_REQUIRED = ("expiry", "strike", "type")
_PRICES = ("volatility", "price", "bid", "ask")


class Kind(StrEnum):
    """The right to buy, or to sell."""

    CALL = "call"
    PUT = "put"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for a whole chain: its day, the price of what is traded, and the rate a year."""

    as_of: date
    spot: float
    rate: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.spot < math.inf or not abs(self.rate) <= HIGHEST_RATE:
            raise ValueError(
                f"a spot is positive and finite and a rate at most {HIGHEST_RATE}, found {self}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One option, and either its volatility or its price. `line` is where it stands in the file."""

    line: int
    days: int
    strike: float
    kind: Kind
    rate: float
    volatility: float | None
    price: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A row that is not used, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What could be read of a file."""

    terms: Terms
    quotes: tuple[Quote, ...]
    dropped: tuple[Dropped, ...]


def read_chain(lines: Iterable[str], terms: Terms, name: str) -> Chain:
    """The chain in the lines of a CSV file called `name`.

    Raises MarketDataError where the header lacks what every row needs, and for what is no CSV.
    """
    rows = csv.DictReader(lines)
    try:
        columns = {column.strip().lower() for column in rows.fieldnames or ()}
        table = [(rows.line_num, row) for row in rows]
    except csv.Error as problem:
        raise MarketDataError(
            f"{name}: this is no CSV after line {rows.line_num}: {problem}"
        ) from None
    lacking = [column for column in _REQUIRED if column not in columns]
    if not columns & {"volatility", "price"} and not columns >= {"bid", "ask"}:
        lacking.append("volatility, price, or bid and ask")
    if lacking:
        raise MarketDataError(
            f"{name}: the first line must name the columns of an option chain; missing: "
            f"{'; '.join(lacking)}"
        )
    quotes, dropped = [], []
    for line, row in table:
        cells = {(key or "").strip().lower(): _text(value) for key, value in row.items()}
        try:
            quotes.append(_quote(cells, terms, line))
        except ValueError as problem:
            dropped.append(Dropped(line=line, reason=str(problem)))
    return Chain(terms=terms, quotes=tuple(quotes), dropped=tuple(dropped))


def _text(cell: object) -> str:
    """A cell that the row lacks is empty; cells beyond the header are a list, and not looked at."""
    return cell.strip() if isinstance(cell, str) else ""


def _quote(cells: Mapping[str, str], terms: Terms, line: int) -> Quote:
    """Raises ValueError, with the reason, where the row cannot be used."""
    days = (_date(cells["expiry"]) - terms.as_of).days
    if days < _NEAREST_DAYS:
        raise ValueError(f"expires in {days} days; it must be {_NEAREST_DAYS} or more")
    if days > _FARTHEST_DAYS:
        raise ValueError(f"expires in {days} days; it must be {_FARTHEST_DAYS} or less")
    strike = _positive("strike", cells["strike"])
    try:
        kind = Kind(cells["type"].lower())
    except ValueError:
        raise ValueError(f"type is call or put, found {cells['type']!r}") from None
    found = {key: _positive(key, cells[key]) for key in _PRICES if cells.get(key)}
    rate = _number("rate", cells["rate"]) if cells.get("rate") else terms.rate
    if abs(rate) > HIGHEST_RATE:
        raise ValueError(f"a rate of {rate:g} a year; is it in percent?")
    volatility = found.get("volatility")
    if volatility is not None and volatility > _HIGHEST_VOLATILITY:
        raise ValueError(f"a volatility of {volatility} a year; is it in percent?")
    return Quote(
        line=line,
        days=days,
        strike=strike,
        kind=kind,
        rate=rate,
        volatility=volatility,
        price=_price(found) if volatility is None else None,
    )


def _price(found: Mapping[str, float]) -> float:
    """The price as quoted, or the middle of bid and ask."""
    bid, ask, price = found.get("bid"), found.get("ask"), found.get("price")
    if bid is not None and ask is not None:
        if bid > ask:
            raise ValueError(f"crossed: the bid {bid} is above the ask {ask}")
        if price is None:
            return (bid + ask) / 2
        if not bid <= price <= ask:
            raise ValueError(f"the price {price} is not between the bid {bid} and the ask {ask}")
    if price is None:
        raise ValueError("no volatility, no price, and not both of bid and ask")
    return price


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise ValueError(f"expiry is a date like 2024-06-28, found {text!r}") from None


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} is no number: {text!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} is no finite number: {text!r}")
    return value


def _positive(name: str, text: str) -> float:
    value = _number(name, text)
    if value <= 0:
        raise ValueError(f"{name} must be positive, found {text}")
    return value
