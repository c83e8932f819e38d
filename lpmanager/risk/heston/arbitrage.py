"""Quotes that cannot all be right, because together they would be free money. Needs `quant`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter
from statistics import median

from lpmanager.risk.heston.chain import Chain, Dropped, Kind
from lpmanager.risk.heston.quotes import Checked, by_volatility

#: As a share of the forward: prices printed to six digits differ by less.
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedChain:
    """Quotes without arbitrage among them, by expiry and strike; and all that were dropped."""

    quotes: tuple[Checked, ...]
    dropped: tuple[Dropped, ...]


def without_arbitrage(chain: Chain) -> CheckedChain:
    """Drop, with its line and reason, each quote outside its bounds or at odds with others.

    At one expiry calls fall with the strike, by less than it rises, and are convex in it (no
    vertical spread or butterfly for less than nothing). At one moneyness the total variance does
    not fall with time. Of those at odds goes the one without which the fewest others are. Of call
    and put at one strike only that out of the money stays, and of two rows for one option the
    first.
    """
    checked, unpriced = by_volatility(chain)
    dropped = [*chain.dropped, *unpriced]
    rows = [
        _mended(list(_one_a_strike(same, dropped)), dropped)
        for _, same in groupby(sorted(checked, key=_place), key=lambda each: each.quote.days)
    ]
    rising = _rising_in_time(rows, dropped)
    return CheckedChain(
        quotes=tuple(checked for row in rising for checked in row),
        dropped=tuple(sorted(dropped, key=attrgetter("line"))),
    )


def _place(checked: Checked) -> tuple[int, float, int]:
    return checked.quote.days, checked.quote.strike, checked.quote.line


def _one_a_strike(same: Iterable[Checked], dropped: list[Dropped]) -> Iterator[Checked]:
    for _, at_strike in groupby(same, key=lambda c: c.quote.strike):
        quotes = list(at_strike)
        otm = Kind.CALL if quotes[0].moneyness >= 1 else Kind.PUT
        kept = next((c for c in quotes if c.quote.kind is otm), quotes[0])
        for other in quotes:
            if other is kept:
                continue
            twice = other.quote.kind is kept.quote.kind
            reason = (
                f"the option of line {kept.quote.line} again"
                if twice
                else f"in the money; line {kept.quote.line} has the other side of its strike"
            )
            dropped.append(Dropped(line=other.quote.line, reason=reason))
        yield kept


def _mended(row: list[Checked], dropped: list[Dropped]) -> list[Checked]:
    """One expiry without quotes at odds."""
    while odds := _odds(row):
        suspects = sorted({i for each in odds for i in each})
        worst = min(suspects, key=lambda i: (len(_odds(row[:i] + row[i + 1 :])), -_apart(row, i)))
        gone = row.pop(worst)
        reason = (
            f"arbitrage: a volatility of {gone.volatility:.4g} makes a spread or butterfly with "
            "its neighbours cost less than nothing"
        )
        dropped.append(Dropped(line=gone.quote.line, reason=reason))
    return row


def _odds(row: Sequence[Checked]) -> list[tuple[int, ...]]:
    """Numbers of quotes of one expiry, by rising strike, that cannot all be right."""
    found: list[tuple[int, ...]] = []
    for i in range(1, len(row)):
        fall = row[i - 1].call - row[i].call
        if not -_TOLERANCE <= fall <= row[i].moneyness - row[i - 1].moneyness + _TOLERANCE:
            found.append((i - 1, i))
    for i in range(1, len(row) - 1):
        low, mid, high = row[i - 1 : i + 2]
        weight = (high.moneyness - mid.moneyness) / (high.moneyness - low.moneyness)
        if mid.call > weight * low.call + (1 - weight) * high.call + _TOLERANCE:
            found.append((i - 1, i, i + 1))
    return found


def _apart(row: Sequence[Checked], i: int) -> float:
    """How far a volatility is from the median of the four nearest, which hardly moves for one."""
    others = sorted((j for j in range(len(row)) if j != i), key=lambda j: abs(j - i))[:4]
    return abs(row[i].volatility - median(row[j].volatility for j in others))


def _rising_in_time(rows: list[list[Checked]], dropped: list[Dropped]) -> list[list[Checked]]:
    """Rows by expiry without quotes whose total variance is below that of an earlier expiry.

    The earlier one is interpolated in the moneyness, and only asked where it has neighbours.
    """
    kept: list[list[Checked]] = []
    for row in rows:
        staying = []
        for checked in row:
            before = [_variance_at(earlier, checked.moneyness) for earlier in kept]
            floor = max((v for v in before if v is not None), default=0.0)
            if checked.total_variance < floor * (1 - _TOLERANCE):
                reason = (
                    f"arbitrage: its volatility of {checked.volatility:.4g} leaves less variance "
                    "than an earlier expiry has at this moneyness"
                )
                dropped.append(Dropped(line=checked.quote.line, reason=reason))
            else:
                staying.append(checked)
        kept.append(staying)
    return kept


def _variance_at(row: Sequence[Checked], moneyness: float) -> float | None:
    for low, high in pairwise(row):
        if low.moneyness <= moneyness <= high.moneyness:
            weight = (moneyness - low.moneyness) / (high.moneyness - low.moneyness)
            return (1 - weight) * low.total_variance + weight * high.total_variance
    return None
