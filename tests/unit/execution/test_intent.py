"""An intent keeps its nonce and its attempts, whatever becomes of it."""

from __future__ import annotations

import pytest
from builders import an_attempt, an_inclusion, an_intent

from lpmanager.execution.intent import CLOSED, SETTLED, Status

CALL, CANCEL = an_attempt(1), an_attempt(2, cancels=True)


def test_every_attempt_is_kept_in_the_order_signed() -> None:
    intent = an_intent(status=Status.PLANNED).with_attempt(CALL).with_attempt(CANCEL)
    assert intent.attempts == (CALL, CANCEL)
    assert intent.status is Status.SIGNED
    assert intent.nonce == an_intent().nonce


def test_where_it_is_mined_is_kept_until_a_reorganisation_takes_it_out() -> None:
    mined = an_intent(CALL).at(Status.MINED, an_inclusion(1))
    assert mined.at(Status.FINAL).inclusion == an_inclusion(1)
    assert mined.at(Status.REOPENED).inclusion is None
    assert mined.at(Status.REOPENED).attempts == (CALL,)


@pytest.mark.parametrize(
    ("inclusion", "comes_to"),
    [
        (an_inclusion(1), Status.FINAL),
        (an_inclusion(1, succeeded=False), Status.FAILED),
        (an_inclusion(2), Status.CANCELLED),
    ],
)
def test_it_comes_to_what_was_mined(inclusion, comes_to: Status) -> None:
    assert an_intent(CALL, CANCEL).outcome_of(inclusion) is comes_to


def test_no_status_is_both_settled_and_closed() -> None:
    assert not SETTLED & CLOSED
