"""An RPC that fails again and again is left alone, for longer each time."""

from __future__ import annotations

import pytest

from lpmanager.chain.breaker import Breaker, BreakerState


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def failed(breaker: Breaker, times: int) -> Breaker:
    for _ in range(times):
        breaker.failed()
    return breaker


def rest_s(breaker: Breaker, clock: Clock) -> int:
    """How many whole seconds it stays open from now on."""
    began = clock.now
    while breaker.state is BreakerState.OPEN:
        clock.now += 1
    return int(clock.now - began)


def test_it_opens_at_the_third_failure_in_a_row(clock: Clock) -> None:
    breaker = failed(Breaker(clock), 2)
    assert breaker.state is BreakerState.CLOSED
    breaker.answered()
    failed(breaker, 2)
    assert breaker.state is BreakerState.CLOSED
    breaker.failed()
    assert breaker.state is BreakerState.OPEN


def test_after_a_rest_it_is_tried_again_and_an_answer_closes_it(clock: Clock) -> None:
    breaker = failed(Breaker(clock), 3)
    assert rest_s(breaker, clock) == 5
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.answered()
    assert breaker.state is BreakerState.CLOSED
    assert rest_s(failed(breaker, 3), clock) == 5


def test_one_of_another_chain_rests_at_once_until_it_is_of_this_one_again(clock: Clock) -> None:
    breaker = Breaker(clock)
    for _ in range(2):
        breaker.answered()
        breaker.foreign()
        assert rest_s(breaker, clock) == 60
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.answered()
    assert breaker.state is BreakerState.CLOSED


def test_each_trial_that_fails_doubles_the_rest_up_to_a_minute(clock: Clock) -> None:
    breaker = failed(Breaker(clock), 3)
    rests = []
    for _ in range(6):
        rests.append(rest_s(breaker, clock))
        breaker.failed()
    assert rests == [5, 10, 20, 40, 60, 60]
