"""What is in a page of HTML, as a browser would find it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import lpmanager.page
from lpmanager.page.picture import Picture


class _Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script":
            self.scripts[-1] += data
        else:
            self.text += data


def elements_of(page: str) -> _Elements:
    parser = _Elements()
    parser.feed(page)
    return parser


def undefined_colours(pictures: Iterable[Picture]) -> set[str]:
    """Names of colours used that page.css does not define both in light and in dark."""
    css = Path(lpmanager.page.__file__).with_name("page.css").read_text(encoding="utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    told = json.dumps([(one.traces, one.layout) for one in pictures])
    used = set(re.findall(r"var\((--[a-z-]+)\)", told))
    assert used
    return {name for name in used if f"{name}: " not in light or f"{name}: " not in dark}
