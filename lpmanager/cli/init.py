"""`lpm init`: the first two files."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from lpmanager.errors import UsageError

_TEMPLATES = {"lpmanager.toml": "lpmanager.toml", ".env": "env.example"}
_OWNER_ONLY = 0o600


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write them.")] = Path(),
) -> None:
    """Write a commented lpmanager.toml and an .env to fill in. Nothing is overwritten."""
    from lpmanager.cli.output import note

    taken = [name for name in _TEMPLATES if (folder / name).exists()]
    if taken:
        raise UsageError(
            f"{folder / taken[0]}: exists already; nothing was written, move it away first"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, template in _TEMPLATES.items():
            _write_new(folder / name, template)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written: {error}") from error
    note(f"wrote {folder / 'lpmanager.toml'} and {folder / '.env'}")
    note("next: put in your account, your pool and an RPC URL, then run `lpm config check`")


def _write_new(path: Path, template: str) -> None:
    text = files("lpmanager").joinpath("templates", template).read_text(encoding="utf-8")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
