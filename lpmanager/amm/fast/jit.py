"""How this package's functions are compiled.

None of them checks a division by zero: their callers rule it out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])

_HERE = Path(__file__).parent
_jit = partial(njit, error_model="numpy", nogil=True)


def compiled(function: _Function) -> _Function:
    """Compile once and call: for large functions with several callers."""
    return cast(_Function, _jit(function))


def inlined(function: _Function) -> _Function:
    """Compile into every caller: small functions keep their limbs in registers only that way."""
    return cast(_Function, _jit(function, forceinline=True))


def spliced(function: _Function) -> _Function:
    """Make part of the only caller before that is compiled, which saves compiling it twice."""
    return cast(_Function, _jit(function, inline="always"))


def compiled_once(
    build: Callable[[str], _Function], sources: Path = _HERE, *, allocates: bool = True
) -> _Function:
    """The function that `build` makes, compiled and kept for later processes.

    numba compiles anew where the function's own file has changed, but does not look at the modules
    it calls. So `build` gets a stamp of all Python files in the folder `sources` for the function's
    closure, which is part of the key. Where nothing can be kept, every process compiles for itself.

    One that `allocates` nothing works on its caller's arrays alone, so their references need no
    counting, in it or in what it calls: numba would count at every access, in atomic steps that
    took up to half of the time of a swap (github.com/numba/numba/issues/2345).
    """
    jit = partial(_jit, _nrt=allocates)
    try:
        function = build(stamp_of_sources(sources))
        return cast(_Function, jit(function, cache=True))
    except (OSError, RuntimeError):  # there are no sources, or there is no folder to write to
        return cast(_Function, jit(build("")))


def stamp_of_sources(folder: Path) -> str:
    """A hash of all Python files in a folder. Raises FileNotFoundError where there are none."""
    sources = [path.read_bytes() for path in sorted(folder.glob("*.py"))]
    if not sources:
        raise FileNotFoundError(f"no Python files in {folder}")
    return sha256(b"".join(sources)).hexdigest()
