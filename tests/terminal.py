"""A person at a terminal: a command is started on one, and answers are typed when it asks."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_PATIENCE_S = 60.0


class Session(NamedTuple):
    """How a command ended, and all that stood on the screen."""

    returncode: int
    screen: str


def at_a_terminal(
    command: Sequence[str],
    answers: Sequence[tuple[str, str]],
    *,
    folder: Path,
    environment: Mapping[str, str],
) -> Session:
    """Run a command; type each answer once its question is on the screen."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        command,
        stdin=its,
        stdout=its,
        stderr=its,
        cwd=folder,
        env=dict(environment),
        start_new_session=True,
    ) as process:
        os.close(its)
        try:
            screen = ""
            for question, answer in answers:
                screen = _read_until(question, ours, screen)
                os.write(ours, f"{answer}\n".encode())
            screen = _read_until(None, ours, screen)
            process.wait(_PATIENCE_S)
        finally:
            process.kill()
            os.close(ours)
    return Session(process.returncode, screen)


def _read_until(question: str | None, terminal: int, screen: str) -> str:
    """The screen once it asks the question anew, or (None) once the command has let go of it."""
    seen, give_up = len(screen), time.monotonic() + _PATIENCE_S
    while question is None or question not in screen[seen:]:
        if not select.select([terminal], [], [], 0.1)[0]:
            assert time.monotonic() < give_up, f"waited for {question!r}, saw {screen!r}"
            continue
        try:
            more = os.read(terminal, 65536)
        except OSError:  # so Linux says that nobody holds the other end any more
            more = b""
        if not more:
            assert question is None, f"waited for {question!r}, saw {screen!r}"
            break
        screen += more.decode()
    return screen
