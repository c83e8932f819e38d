"""A backtest told to a person: the finding, the picture, the tables, and what was assumed."""

from __future__ import annotations

from operator import attrgetter

import numpy as np

from lpmanager.backtest.report.account import about, notes, tables
from lpmanager.backtest.report.findings import (
    Findings,
    halt_finding,
    headline,
    lvr_finding,
    price_finding,
)
from lpmanager.backtest.report.run import Run
from lpmanager.backtest.report.sampling import band_of, closed_at, thinned
from lpmanager.backtest.report.statistics import changed_ranges
from lpmanager.cli.chart import Moment, picture
from lpmanager.cli.output import console, print_table
from lpmanager.page.tables import Table

_LEGEND = "• price  ░ our range  ▒ two of them  M moved  S tokens swapped, range kept"
_HEIGHT = 19
_WIDEST = 110
#: On a narrower screen these columns of a table are left out.
_WIDE = 120
_NARROW = frozenset({"value", "why"})
#: Of a longer table the middle is left out.
_MOST_ROWS = 24
#: Looks at the market for each column of the picture.
_LOOKS_PER_COLUMN = 4


def tell(found: Findings) -> None:
    """Print all of it on stdout."""
    out = console()
    out.print(f"{found.run.market}: {found.run.policy}", style="bold", markup=False)
    out.print(about(found), markup=False)
    out.print()
    sentences = (headline(found), halt_finding(found), price_finding(found), lvr_finding(found))
    for sentence in filter(None, sentences):
        out.print(f"{sentence}.", markup=False)
    out.print()
    out.print(f"Price against range, {found.price_unit} (UTC)", style="bold", markup=False)
    width = min(out.width, _WIDEST)
    looks = moments(found.run, width * _LOOKS_PER_COLUMN)
    out.print(picture(looks, width=width, height=_HEIGHT), end="")
    out.print(_LEGEND, markup=False)
    out.print()
    too_much = _NARROW if out.width < _WIDE else frozenset()
    for table in tables(found):
        _print(_without(table, too_much))
    for sentence in notes(found):
        out.print(f"- {sentence}", markup=False)


def moments(run: Run, most: int) -> list[Moment]:
    """The samples and the moves as looks at the market, each with the ranges held from then on."""
    bands = np.array([band_of(run, held) for held in run.held]).reshape(-1, 2)
    opened = np.array([held.opened for held in run.held])
    # what is still held is held at the very end too
    closed = np.array([closed_at(run, held) + (held.closed is None) for held in run.held])

    def look(time: int, price: float, mark: str) -> Moment:
        held = bands[(opened <= time) & (time < closed)].tolist()
        return Moment(timestamp=time, price=price, bands=tuple(map(tuple, held)), mark=mark)

    curve = thinned(run, most)
    samples = zip(curve.time.tolist(), curve.price.tolist(), strict=True)
    moves = zip(run.moves, changed_ranges(run.moves), strict=True)
    looks = [look(time, price, "") for time, price in samples]
    looks += [look(m.time, m.price, "M" if changed else "S") for m, changed in moves]
    return sorted(looks, key=attrgetter("timestamp"))


def _without(table: Table, names: frozenset[str]) -> Table:
    """The table without the columns of these names."""
    kept = [at for at, name in enumerate(table.columns) if name not in names]
    return Table(
        title=table.title,
        columns=tuple(table.columns[at] for at in kept),
        rows=tuple(tuple(row[at] for at in kept) for row in table.rows),
        right=frozenset(new for new, at in enumerate(kept) if at in table.right),
    )


def _print(table: Table) -> None:
    """The table, of a long one the first and the last rows."""
    rows = _aligned(table)
    if len(rows) <= _MOST_ROWS:
        print_table(table.title, table.columns, rows)
        return
    half = _MOST_ROWS // 2
    between = (f"... {len(rows) - 2 * half:,} more", *[""] * (len(table.columns) - 1))
    shown = [*rows[:half], between, *rows[-half:]]
    print_table(f"{table.title} (--json and --html have them all)", table.columns, shown)


def _aligned(table: Table) -> list[tuple[str, ...]]:
    """The rows with numbers ending at the same place."""
    widths = {at: max(len(row[at]) for row in table.rows) for at in table.right}
    return [
        tuple(cell.rjust(widths.get(at, 0)) for at, cell in enumerate(row)) for row in table.rows
    ]
