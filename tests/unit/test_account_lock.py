"""One program at a time signs for an account: the lock, who holds it, and waiting for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest
from filelock import FileLock, Timeout

from lpmanager.account_lock import holder, only_one
from lpmanager.errors import LpmError, UsageError

HOLD_LOCK = """
import sys, time
from pathlib import Path
from lpmanager.account_lock import only_one
with only_one([Path(sys.argv[1])]):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def another(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock, killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(lock)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "account.lock"


def test_a_second_process_is_refused_until_the_first_is_gone(lock: Path) -> None:
    with another(lock), pytest.raises(UsageError, match="another lpm signs"), only_one([lock]):
        pytest.fail("two at once")
    with only_one([lock]):
        assert lock.exists()


def test_who_is_refused_is_told_who_holds_the_lock_and_since_when(lock: Path) -> None:
    with another(lock) as process:
        with pytest.raises(UsageError, match=rf"process {process.pid}, since 20\d\d-"):
            only_one([lock]).__enter__()
        assert (holder(lock) or "").startswith(f"process {process.pid}, since 20")
    assert holder(lock) is None


def test_a_holder_that_has_only_just_come_is_named(lock: Path) -> None:
    with another(lock) as process:
        written = lock.read_text()
        lock.write_text("")
        Timer(0.1, lock.write_text, [written]).start()
        with pytest.raises(UsageError, match=rf"process {process.pid}, since 20"):
            only_one([lock]).__enter__()


def test_a_holder_that_is_about_to_go_is_waited_for_a_moment(lock: Path) -> None:
    with another(lock) as process:
        lock.write_text("")
        Timer(0.1, process.kill).start()
        with only_one([lock]):
            assert json.loads(lock.read_text())["pid"] == os.getpid()


def test_a_lock_that_is_only_asked_about_is_waited_for_a_moment(lock: Path) -> None:
    """As by the doctor, while the name of one that was killed is still there."""
    with another(lock):
        pass
    asked = FileLock(lock, thread_local=False)
    asked.acquire()
    Timer(0.1, asked.release).start()
    with only_one([lock]):
        assert json.loads(lock.read_text())["pid"] == os.getpid()


def test_a_killed_holder_is_not_mistaken_for_the_next_one(lock: Path) -> None:
    with another(lock) as killed:
        pass
    assert json.loads(lock.read_text())["pid"] == killed.pid  # it could not take its name away
    assert holder(lock) is None
    with only_one([lock]):
        assert json.loads(lock.read_text())["pid"] == os.getpid()
    assert lock.read_text() == ""


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"pid": "x"}', "\0"])
def test_a_holder_that_wrote_nonsense_is_called_unknown(lock: Path, text: str) -> None:
    with only_one([lock]):
        lock.write_text(text)
        assert holder(lock) == "an unknown process"


def test_nobody_holds_a_lock_that_was_never_made(lock: Path) -> None:
    assert holder(lock) is None
    assert not lock.exists()


def test_one_of_several_locks_is_enough_to_be_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "a.lock", tmp_path / "b.lock"
    with another(second):
        with pytest.raises(UsageError, match="another lpm signs"):
            only_one([second, first]).__enter__()
        assert holder(first) is None  # what was got on the way is let go again


def test_a_lock_that_comes_free_in_time_is_waited_for(lock: Path) -> None:
    told: list[str] = []
    with another(lock) as process:
        Timer(0.5, process.kill).start()
        began = time.monotonic()
        with only_one([lock], wait_s=20.0, tell=told.append):
            assert 0.3 < time.monotonic() - began < 15
    (waiting,) = told
    assert f"waiting up to 20 s for process {process.pid}" in waiting


def test_waiting_ends_when_the_time_is_over_for_all_locks_together(tmp_path: Path) -> None:
    free, held = tmp_path / "a.lock", tmp_path / "b.lock"
    with another(held):
        began = time.monotonic()
        with pytest.raises(UsageError, match="another lpm signs"):
            only_one([free, held], wait_s=0.5).__enter__()
        assert 0.4 < time.monotonic() - began < 10


def test_waiting_ends_when_a_signal_asks_to_stop(lock: Path) -> None:
    with another(lock):
        began = time.monotonic()
        with pytest.raises(UsageError, match="another lpm signs"):
            only_one([lock], wait_s=60.0, stop_asked=lambda: True).__enter__()
        assert time.monotonic() - began < 10


def test_the_folder_of_the_lock_is_made_for_its_owner_where_it_is_missing(tmp_path: Path) -> None:
    with only_one([tmp_path / "new" / "account.lock"]):
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_place_that_takes_no_lock_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot lock"):
        only_one([tmp_path / "file" / "account.lock"]).__enter__()


def test_a_lock_that_is_held_is_known_to_be(tmp_path: Path) -> None:
    with only_one([tmp_path / "a.lock", tmp_path / "b.lock"]) as require_held:
        require_held()
        require_held()


def test_a_lock_of_which_the_file_was_deleted_is_held_no_more(tmp_path: Path) -> None:
    """Whoever comes next makes a new file, and locks that."""
    first, second = tmp_path / "a.lock", tmp_path / "b.lock"
    with only_one([first, second]) as require_held:
        second.unlink()
        with pytest.raises(
            UsageError, match=r"b\.lock was deleted .* stop lpm, and start it again"
        ):
            require_held()
        with another(second), pytest.raises(UsageError, match=r"b\.lock was deleted"):
            require_held()


def test_a_lock_that_cannot_be_looked_for_is_not_taken_for_held(
    lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with only_one([lock]) as require_held, monkeypatch.context() as patched:
        patched.setattr(Path, "stat", closed)
        with pytest.raises(LpmError, match="cannot be looked for"):
            require_held()


@pytest.mark.parametrize("error", [Timeout("other"), OSError("disk"), ValueError("x")])
def test_an_error_of_the_work_is_not_mistaken_for_the_locks(lock: Path, error: Exception) -> None:
    with pytest.raises(type(error)), only_one([lock]):
        raise error
    assert holder(lock) is None
