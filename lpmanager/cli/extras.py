"""What a command needs beyond the core, and how to get it."""

from __future__ import annotations

from importlib.util import find_spec

from lpmanager.errors import LpmError

_BACKTEST = ("numpy", "pandas", "numba")


def require_backtest() -> None:
    """Raise LpmError where what replays markets is not installed."""
    missing = [name for name in _BACKTEST if find_spec(name) is None]
    if missing:
        raise LpmError(
            f"this command needs {' and '.join(missing)}: pip install 'lpmanager[backtest]'"
        )


def require_quant(*modules: str) -> None:
    """Raise LpmError where one of these, all of the extra `quant`, is not installed."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise LpmError(f"this needs {' and '.join(missing)}: pip install 'lpmanager[quant]'")
