"""Tables, lists and paragraphs of text as HTML, every cell of them escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: A table of more columns does not break its lines, and is moved sideways on a small screen.
_NARROW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells of text. `right` are the columns of numbers, which end at the same place."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()


def table_html(table: Table) -> str:
    """A section with the table; nothing where it has no rows."""
    if not table.rows:
        return ""
    head = _row("th", table.columns, table.right) if any(table.columns) else ""
    body = "\n".join(_row("td", row, table.right) for row in table.rows)
    wide = ' class="wide"' if len(table.columns) > _NARROW else ""
    return (
        f"<section>\n<h2>{html.escape(table.title)}</h2>\n"
        f'<div class="scroll"><table{wide}>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n'
        "</table></div>\n</section>"
    )


def list_html(title: str, items: Iterable[str]) -> str:
    """A section with the items; nothing where there are none."""
    lines = "\n".join(f"<li>{html.escape(item)}</li>" for item in items)
    if not lines:
        return ""
    return f"<section>\n<h2>{html.escape(title)}</h2>\n<ul>\n{lines}\n</ul>\n</section>"


def paragraph_html(title: str, text: str) -> str:
    """A section with a paragraph."""
    return f"<section>\n<h2>{html.escape(title)}</h2>\n<p>{html.escape(text)}</p>\n</section>"


def _row(tag: str, cells: Sequence[str], right: frozenset[int]) -> str:
    marked = (f'<{tag} class="number">' if at in right else f"<{tag}>" for at in range(len(cells)))
    row = "".join(
        f"{mark}{html.escape(cell)}</{tag}>" for mark, cell in zip(marked, cells, strict=True)
    )
    return f"<tr>{row}</tr>"
