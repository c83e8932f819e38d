"""Numbers of a backtest as a person reads them. Rounded; `--json` has every digit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from lpmanager.backtest.report.statistics import Figure, Unknown

#: Decimals shown of a number, by how large it is.
_SMALLEST = 1e-8
_DECIMALS = ((100, 2), (0.01, 4), (0, 8))


def number(value: float | Decimal) -> str:
    """A number with thousands set apart: "1,234.50", "0.00012"."""
    return _rounded(value)


def money(value: float | Decimal, symbol: str) -> str:
    """An amount with its symbol: "1,234.50 USDC"."""
    return f"{_rounded(value)} {symbol}"


def signed(value: float | Decimal) -> str:
    """A number that is a gain or a loss, always with its sign."""
    return _rounded(value, "+")


def gain(value: float | Decimal, symbol: str) -> str:
    """An amount that is a gain or a loss, with its symbol and always with its sign."""
    return f"{signed(value)} {symbol}"


def percent(share: float) -> str:
    """A share in percent: "12.3 %"."""
    return f"{100 * share:z,.{_percent_decimals(share)}f} %"


def percent_gain(share: float) -> str:
    """A share that is a gain or a loss, always with its sign."""
    return f"{100 * share:+z,.{_percent_decimals(share)}f} %" if share else "0 %"


def times(count: int) -> str:
    """How often: "once", "twice", "14 times"."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def shown(value: Figure, words: Callable[[float], str]) -> str:
    """A figure in words, or why it is unknown."""
    return f"unknown: {value.why}" if isinstance(value, Unknown) else words(value)


def _rounded(value: float | Decimal, sign: str = "") -> str:
    if value == 0:
        return "0"
    size = abs(float(value))
    if size < _SMALLEST:
        return f"{value:{sign}.1e}"
    places = next(places for least, places in _DECIMALS if size >= least)
    text = f"{value:{sign},.{places}f}"
    return text if size >= 1 else text.rstrip("0").rstrip(".")


def _percent_decimals(share: float) -> int:
    return 1 if abs(share) >= 0.1 else 2
