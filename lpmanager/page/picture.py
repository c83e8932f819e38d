"""What a picture on a page is made of: traces and layout as plotly.js takes them.

Colours are names of CSS variables of page.css, one for each thing in all pictures; page.js puts in
what they stand for in light and in dark.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Trace = dict[str, Any]
Layout = dict[str, Any]

OURS = "var(--ours)"
OURS_SOFT = "var(--ours-soft)"
HODL = "var(--hodl)"
FULL_RANGE = "var(--full-range)"
UNTOUCHED = "var(--untouched)"
PRICE = "var(--price)"
PRICE_SOFT = "var(--price-soft)"
FEES = "var(--fees)"
LVR = "var(--lvr)"
IMPERMANENT_LOSS = "var(--impermanent-loss)"
COSTS = "var(--costs)"
HEDGE = "var(--hedge)"
BASE = "var(--base)"
QUOTE = "var(--quote)"
GRID = "var(--grid)"
PAPER = "var(--paper)"


class Height(StrEnum):
    """How high a picture stands, as page.css calls it."""

    LOW = "low"
    USUAL = "usual"
    TALL = "tall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture, the finding above it, and what is seen in it below.

    `key` is an id of HTML that no other picture of the page has.
    """

    key: str
    title: str
    caption: str
    traces: list[Trace]
    layout: Layout
    height: Height = Height.USUAL


def label(text: str) -> str:
    """Text that comes from elsewhere, so that plotly.js shows it as it is: it reads tags."""
    return html.escape(text)


def drawn(values: Iterable[float]) -> list[float | None]:
    """Numbers to six digits or more, with a gap where one is not known."""
    return [None if value != value else float(f"{value:.9g}") for value in values]


def axis(title: str, **more: object) -> Layout:
    """An axis of numbers with its unit in the title."""
    return {"title": {"text": label(title)}, "gridcolor": GRID, "zerolinecolor": GRID, **more}
