"""How commands speak: data on stdout, everything else on stderr."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Sequence

import structlog
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


def console() -> Console:
    """For people, on stdout. Rich leaves colour out where NO_COLOR is set or nobody watches."""
    return Console(highlight=False)


def note(text: str) -> None:
    """A line about what happens, on stderr."""
    Console(stderr=True, highlight=False).print(text, markup=False)


def print_json(data: object) -> None:
    """One JSON document on stdout. Raises TypeError on values that are not JSON already."""
    sys.stdout.write(json.dumps(data, indent=2) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for people, on stdout, with a head unless every column is without a name. Cells are
    plain text."""
    table = Table(
        box=SIMPLE_HEAD,
        show_header=any(columns),
        show_edge=False,
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    screen = console()
    screen.print(title, style="bold", markup=False)
    screen.print(table, "", markup=False)


def configure_logging(*, verbose: bool) -> None:
    """Logs go to stderr: readable on a terminal, one JSON object per line elsewhere."""
    watched = sys.stderr.isatty()
    coloured = not Console(stderr=True).no_color
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=coloured)
            if watched
            else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
