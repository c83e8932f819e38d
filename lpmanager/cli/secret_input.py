"""Asking a person for a secret: hidden while it is typed, and never on a command line."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path

from lpmanager.errors import UsageError


def ask_secret(what: str, *, instead: str, twice: bool = False) -> str:
    """What a person types at the terminal, unseen. Raises UsageError where there is no terminal,
    or `twice` is not the same; `instead` says what to do without a terminal."""
    if not _at_a_terminal():
        raise UsageError(f"there is no terminal to ask for the {what}; {instead}")
    try:
        # getpass hides what is typed before it asks; a prompt that comes first shows who is quick
        typed = getpass(f"{what}: ", sys.stderr)
        if twice and getpass(f"{what}, again: ", sys.stderr) != typed:
            raise UsageError(f"the {what} was not the same twice")
    except EOFError:
        raise UsageError(f"no {what} was typed") from None
    return typed


def read_secret(what: str) -> str:
    """What is piped in, or typed at a terminal without being shown."""
    if sys.stdin.isatty():
        return ask_secret(what, instead="pipe it in")
    return sys.stdin.read()


def _at_a_terminal() -> bool:
    """Whether getpass finds somebody to ask; without one it would read, and show, stdin."""
    try:
        with Path("/dev/tty").open("rb"):
            return True
    except OSError:
        return sys.stdin.isatty()
