"""Cycles on a timetable: one at a time, late ones made up for once, stopped in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from apscheduler.triggers.base import BaseTrigger
from structlog.testing import capture_logs

from lpmanager.errors import ConfigError
from lpmanager.scheduler import cron_trigger, interval_trigger, run_on, stop_on_signal


def test_a_first_signal_asks_and_a_second_interrupts() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with stop_on_signal() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize("expression", ["", "* * *", "61 * * * *", "every minute", "* * * * * *"])
def test_a_line_that_is_no_crontab_is_refused(expression: str) -> None:
    with pytest.raises(ConfigError, match=r"schedule\.cron"):
        cron_trigger(expression)


def test_a_crontab_line_fires_in_utc() -> None:
    now = datetime(2026, 1, 1, 23, 59, 30, tzinfo=UTC)
    assert cron_trigger("5 0 * * *").get_next_fire_time(None, now) == datetime(
        2026, 1, 2, 0, 5, tzinfo=UTC
    )


def test_an_interval_fires_each_time_it_has_passed() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert interval_trigger(90).get_next_fire_time(start, start) == start + timedelta(seconds=90)


class Every(BaseTrigger):
    """Fires every so many seconds, of which our own triggers count whole ones alone."""

    def __init__(self, seconds: float) -> None:
        self._pause = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        return (previous or now) + self._pause


def in_background(stop: Event, job: Callable[[], None], every_s: float) -> list[BaseException]:
    """Run on a timetable until `stop`, at most 10 seconds; what was raised."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            run_on(Every(every_s), job, stop)
        except ValueError as error:
            raised.append(error)

    thread = Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    return raised


def test_the_first_cycle_is_now_and_others_follow() -> None:
    stop, times = Event(), []

    def job() -> None:
        times.append(time.monotonic())
        if len(times) == 3:
            stop.set()

    assert in_background(stop, job, 0.05) == []
    assert len(times) == 3


def test_cycles_never_overlap_and_missed_ones_are_made_up_for_once() -> None:
    stop, running, started, overlapped = Event(), [0], [0], []

    def job() -> None:
        running[0] += 1
        started[0] += 1
        overlapped.append(running[0] > 1)
        time.sleep(0.3)
        running[0] -= 1
        if started[0] == 4:
            stop.set()

    began = time.monotonic()
    in_background(stop, job, 0.02)
    assert not any(overlapped)
    assert time.monotonic() - began >= 4 * 0.3
    assert started[0] <= 5


def test_a_cycle_that_is_left_out_is_told_in_the_log_and_nowhere_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    stop, started = Event(), []

    def job() -> None:
        started.append(1)
        if len(started) == 2:
            time.sleep(0.3)
            stop.set()

    with capture_logs() as logged:
        in_background(stop, job, 0.02)
    assert {line["event"] for line in logged} == {"cycle skipped"}
    assert capfd.readouterr() == ("", "")


def test_a_stop_lets_the_cycle_in_hand_finish() -> None:
    stop, finished = Event(), []

    def job() -> None:
        if not finished:
            finished.append("first")
            return
        stop.set()
        time.sleep(0.4)
        finished.append("second")

    in_background(stop, job, 0.05)
    assert finished == ["first", "second"]


HELD_WHILE_A_CYCLE_RUNS = """
import time
from contextlib import closing
from lpmanager.scheduler import interval_trigger, run_on, stop_on_signal

class Lock:
    def close(self):
        print("let go", flush=True)

cycles = []

def job():
    cycles.append(1)
    if len(cycles) == 2:
        print("at work", flush=True)
        time.sleep(60)

with stop_on_signal() as stop, closing(Lock()):
    run_on(interval_trigger(1), job, stop)
"""


def test_a_second_signal_ends_the_cycle_too_before_anything_it_needs_is_let_go_of() -> None:
    """A thread that goes on while another process has the account's lock would sign beside it."""
    with subprocess.Popen(
        [sys.executable, "-c", HELD_WHILE_A_CYCLE_RUNS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "at work\n"
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 130
        assert (process.stdout.read(), process.stderr.read()) == ("", "lpm: interrupted\n")


@pytest.mark.parametrize("cycle", [1, 2])
def test_an_error_of_a_cycle_ends_the_timetable_and_is_told(cycle: int) -> None:
    ran = []

    def job() -> None:
        ran.append(1)
        if len(ran) == cycle:
            raise ValueError("the books")

    (error,) = in_background(Event(), job, 0.05)
    assert str(error) == "the books"
    assert len(ran) == cycle
