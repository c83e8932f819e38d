"""How often a command pauses to look for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: New objects after which Python looks for garbage; it is 700 otherwise.
_NEW_OBJECTS = 50_000


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Meanwhile garbage that refers to itself waits longer to be found, and is found all the same.

    A market's rows and large libraries come as a million objects that stay: to look through them
    every 700 takes a sixth of the time of a command that loads them.
    """
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
