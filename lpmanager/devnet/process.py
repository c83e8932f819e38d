"""A child process that cannot outlive us, not even when we are killed without warning."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from lpmanager.config import lent_environment

_STOP_GRACE_S = 10.0

#: Runs the command in its arguments until its own standard input ends. Only the parent holds the
#: other end of that pipe, so the kernel ends the input whenever and however the parent dies.
_WATCHER = """
import os, subprocess, sys, threading
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
def watch():
    os.read(0, 1)
    child.kill()
threading.Thread(target=watch, daemon=True).start()
os._exit(child.wait() & 255)
"""


def start_tied(
    command: Sequence[str], output: IO[bytes], secrets: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start a command that ends with us; what it prints goes to `output`.

    `secrets` are variables of its environment, which nobody else's processes can read; its command
    line everybody can.

    It runs in a session of its own: Ctrl-C reaches only us, so that we can finish what we are
    doing on the chain before we end it.
    """
    with lent_environment(secrets):
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _WATCHER, *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def stop_tied(process: subprocess.Popen[bytes]) -> None:
    """End a command started by `start_tied` and wait until it is gone."""
    if process.stdin is not None:
        process.stdin.close()
    process.wait(_STOP_GRACE_S)
