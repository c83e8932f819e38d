"""Whether a market still fits into the memory of this machine."""

from __future__ import annotations

import re
from pathlib import Path

from lpmanager.errors import MarketDataError

_MEMORY = Path("/proc/meminfo")
_LEFT = re.compile(r"^MemAvailable: +(\d+) kB$", re.MULTILINE)
_MB = 10**6


def memory_left() -> int | None:
    """Bytes that programs may still take; None where the system does not tell (Linux does)."""
    try:
        told = _LEFT.search(_MEMORY.read_text(encoding="ascii"))
    except OSError:
        return None
    return told and int(told[1]) * 1024


def require_room(name: str, rows: int, size: int) -> None:
    """Raise MarketDataError where less memory is left than the rows read so far take: a replay
    takes about as much again."""
    left = memory_left()
    if left is not None and left < size:
        raise MarketDataError(
            f"{name}: its first {rows:,} rows take {size // _MB:,} MB and a replay as much again, "
            f"but only {left // _MB:,} MB of memory are left: use a part of it with --from and --to"
        )
