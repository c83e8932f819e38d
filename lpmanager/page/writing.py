"""A file that is there whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path

from lpmanager.errors import LpmError


def require_writable(path: Path) -> None:
    """Raise LpmError where a page could not be written there, before it costs the time to make."""
    if path.is_dir():
        raise _cannot(path, "it is a folder")
    if not os.access(path.parent, os.W_OK):
        raise _cannot(path, "its folder is not there, or shut")
    if find_spec("plotly") is None:
        raise LpmError(f"{path}: a page needs plotly: pip install 'lpmanager[backtest]'")


def write_page(path: Path, page: str) -> None:
    """Write the page, over an older one if there is one.

    It is written beside its place and renamed once it is on the disk. Raises LpmError where that
    cannot be done; what stood there before stands then.
    """
    try:
        _replace(path, page)
    except OSError as error:
        raise _cannot(path, error.strerror or str(error)) from error


def _cannot(path: Path, why: str) -> LpmError:
    return LpmError(
        f"{path}: the page cannot be written ({why}); name a file in a folder that can be written "
        "to"
    )


def _replace(path: Path, page: str) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(page)
            file.flush()
            os.fsync(descriptor)
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink()
        raise
