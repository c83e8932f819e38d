"""One program at a time signs for an account, by a lock of the operating system."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from lpmanager.errors import UsageError
from lpmanager.ledger.database import identity

_POLL_S = 0.1
#: Whoever only asks who holds a lock has it for less, and so does one who is about to go.
_INSTANT_S = 0.5
_OWNERS_FOLDER = 0o700


@contextmanager
def only_one(
    paths: Iterable[Path],
    wait_s: float = 0.0,
    stop_asked: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = lambda _what: None,
) -> Iterator[Callable[[], None]]:
    """Hold all these locks for the `with` block, waiting for them up to `wait_s` in all, or until
    `stop_asked`; `tell` is told once for whom. What it gives raises UsageError where a file of them
    was deleted since: whoever came then holds the lock of another.

    Raises UsageError, which names the holder where that is known, where another program has one
    of them, or where no file can be made there. A lock goes with its process, also when that is
    killed.
    """
    give_up = time.monotonic() + wait_s
    files: dict[Path, tuple[int, int] | None] = {}
    with ExitStack() as held:
        for path in sorted(set(paths)):  # in one order, or two programs could wait for each other
            lock = _lock(path)
            if not _acquired(lock, path, 0.0, stop_asked):
                left = give_up - time.monotonic()
                if left > 0:
                    tell(f"waiting up to {left:.0f} s for {_named(path)} to let go of {path}")
                if not _acquired(lock, path, max(left, _INSTANT_S), stop_asked):
                    raise UsageError(
                        f"another lpm signs for the account: {_named(path)} holds {path}; stop "
                        "it, or wait until it ends (--wait SECONDS)"
                    )
            held.callback(lock.release)
            files[path] = identity(path)
            _sign_in(path)
            held.callback(_sign_out, path)
        yield partial(_require_there, files)


def holder(path: Path) -> str | None:
    """Who holds a lock, in words; None where nobody does. Nothing is made on disk."""
    lock = _lock(path)
    try:
        path.stat()
        lock.acquire(timeout=0)
    except FileNotFoundError:
        return None
    except Timeout:
        return _named(path)
    except OSError as error:
        raise _cannot(path, error) from error
    lock.release()
    return None


def _require_there(files: Mapping[Path, tuple[int, int] | None]) -> None:
    for path, locked in files.items():
        if locked is None or identity(path) != locked:
            raise UsageError(
                f"{path} was deleted while this lpm held its lock, and another one may sign by "
                "now: nothing more is signed; stop lpm, and start it again"
            )


def _lock(path: Path) -> FileLock:
    # without flock there is no lock that goes with its process: better none is taken at all
    return FileLock(path, timeout=0, fallback_to_soft=False)


def _acquired(lock: FileLock, path: Path, wait_s: float, stop_asked: Callable[[], bool]) -> bool:
    """Whether the lock was got in time."""
    try:
        path.parent.mkdir(mode=_OWNERS_FOLDER, parents=True, exist_ok=True)
        lock.acquire(timeout=wait_s, poll_interval=_POLL_S, cancel_check=stop_asked)
    except Timeout:
        return False
    except OSError as error:
        raise _cannot(path, error) from error
    return True


def _sign_in(path: Path) -> None:
    """Say in the locked file who holds it, for those who come too late."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        path.write_text(json.dumps({"pid": os.getpid(), "since": since}))
    except OSError as error:
        raise _cannot(path, error) from error


def _sign_out(path: Path) -> None:
    with suppress(OSError):  # a name that stays is asked for only while somebody holds the lock
        path.write_text("")


def _named(path: Path) -> str:
    """The holder by its name; to be asked only while somebody holds the lock."""
    return _name(path) or "an unknown process"


def _name(path: Path) -> str | None:
    """What the holder wrote of itself."""
    try:
        told = json.loads(path.read_text())
        return f"process {int(told['pid'])}, since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _cannot(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot lock {path}: {error.strerror}; see that there is room on the disk, and let this "
        "user write the file and its folder"
    )
