"""`lpm` in the process of the test, as a person types it in a folder."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

from lpmanager.cli.main import main


class Ended(NamedTuple):
    code: int | str | None
    out: str
    err: str


def typed_here(folder: Path, *words: str) -> Ended:
    """`lpm` with these words in a folder, and how it ended."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        mock.patch.object(sys, "argv", ["lpm", *words]),
        mock.patch.object(sys, "path", [*sys.path]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as stopped,
    ):
        main()
    return Ended(stopped.value.code, out.getvalue(), err.getvalue())
