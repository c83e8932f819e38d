"""A file that what a sweep has done is kept in, so that it can go on where it was stopped."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lpmanager.errors import MarketDataError, UsageError

_KEEP_EVERY_S = 2.0
_KEY = "key"

Arrays = Mapping[str, NDArray[Any]]


class Keeper:
    """Arrays in a file, bound to the sweep they are of; without a file, nothing is kept."""

    def __init__(self, path: Path | None, key: str) -> None:
        """`key` tells the sweep from any other."""
        self._path, self._key = path, key
        self._kept_at = time.monotonic()

    def read(self) -> Arrays | None:
        """What was kept; None where nothing was.

        Raises UsageError where the file is of another sweep, MarketDataError where it cannot be
        read.
        """
        if self._path is None or not self._path.exists():
            return None
        try:
            with self._path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
                key = str(found.pop(_KEY))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise MarketDataError(
                f"{self._path}: cannot be read as a kept sweep ({error}); remove it to begin anew"
            ) from error
        if key != self._key:
            raise UsageError(
                f"--keep: {self._path} holds the results of another sweep, or of another market; "
                "name another file"
            )
        return found

    def keep_at_times(self, arrays: Arrays) -> None:
        """Keep these, unless that was done a moment ago."""
        if time.monotonic() - self._kept_at > _KEEP_EVERY_S:
            self.keep(arrays)

    def keep(self, arrays: Arrays) -> None:
        """Replace what is kept, at once, so that no file is ever half written."""
        if self._path is None:
            return
        told: dict[str, Any] = {_KEY: np.array(self._key), **arrays}
        with tempfile.NamedTemporaryFile(
            dir=self._path.parent, suffix=".part", delete=False
        ) as file:
            try:
                np.savez(file, **told)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                os.unlink(file.name)
                raise
        os.replace(file.name, self._path)
        self._kept_at = time.monotonic()
