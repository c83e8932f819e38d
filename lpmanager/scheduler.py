"""Cycles on a timetable, one at a time, until asked to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

import structlog
from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from lpmanager.errors import ConfigError

# What it has to say is told below, in our own form: its lines would stand between those of the log.
logging.getLogger("apscheduler").addHandler(logging.NullHandler())


def interval_trigger(seconds: int) -> BaseTrigger:
    """Fires now and then every `seconds`."""
    return IntervalTrigger(seconds=seconds)


def cron_trigger(expression: str) -> BaseTrigger:
    """Fires by a crontab line in UTC. Raises ConfigError where it is none."""
    try:
        return CronTrigger.from_crontab(expression, timezone="UTC")
    except ValueError as error:
        raise ConfigError(f"schedule.cron: {expression!r}: {error}") from error


@contextmanager
def stop_on_signal() -> Iterator[Event]:
    """An event that SIGTERM or SIGINT sets: the step in hand is finished, then all stops.

    A second SIGINT interrupts at once.
    """
    stop = Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {s: signal.signal(s, ask) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_on(trigger: BaseTrigger, job: Callable[[], None], stop: Event) -> None:
    """Run `job` whenever the trigger fires, never twice at once, until `stop` is set.

    A firing that comes late is made up for once, however many were missed: what is to be done is
    read from the chain, not from the count of firings. One that comes while the job still runs is
    left out, and that is logged.

    Warning: a KeyboardInterrupt meanwhile ends the process, with 130.
    """
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    failures: list[BaseException] = []

    def on_error(event: JobExecutionEvent) -> None:
        failures.append(event.exception)
        stop.set()

    def on_skip(_event: JobSubmissionEvent) -> None:
        structlog.get_logger().warning("cycle skipped", because="the one before still runs")

    scheduler.add_listener(on_error, EVENT_JOB_ERROR)
    scheduler.add_listener(on_skip, EVENT_JOB_MAX_INSTANCES)
    job()
    scheduler.add_job(job, trigger)
    scheduler.start()
    try:
        while not stop.wait(timeout=0.2):
            pass
        scheduler.shutdown(wait=True)
    except KeyboardInterrupt:
        # No thread can be interrupted. It must not go on once the caller lets go of what it needs,
        # as of the account's lock; that all ends here, as by a kill, it survives.
        sys.stderr.write("lpm: interrupted\n")
        sys.stderr.flush()
        os._exit(130)
    if failures:
        raise failures[0]
