"""Options that several commands share, and how they are read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from lpmanager.settings import Settings

ConfigPath = Annotated[
    Path,
    typer.Option("--config", "-c", help="The configuration file.", show_default=True),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]

HtmlPage = Annotated[
    Path | None,
    typer.Option(
        "--html", metavar="FILE", help="Write a page with all its pictures, to open offline."
    ),
]

DEFAULT_CONFIG = Path("lpmanager.toml")


def load_settings(path: Path) -> Settings:
    """The settings of a file. Policies of the user's own are found in the file's folder."""
    from lpmanager.config import load

    settings = load(path)
    folder = str(path.parent.resolve())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return settings
