"""What a day may cost, and how many plans in a row may fail, before a campaign halts itself."""

from __future__ import annotations

from fractions import Fraction

import pytest
from builders import USDC, WETH

from lpmanager.ledger.alarms import NavMark, failure_alarm, loss_alarm
from lpmanager.model import Stop, StopKind

TENTH = Fraction(1, 10)
WHOLE = 10**6
MORNING = 1_700_000_000


def a_mark(nav: int, gain: int = 0, *, quote: str = USDC.address) -> NavMark:
    """In whole USDC."""
    return NavMark(timestamp=MORNING, quote=quote, nav=nav * WHOLE, gain=gain * WHOLE)


def alarm(now: NavMark, *earlier: NavMark, limit: Fraction = TENTH) -> str | None:
    return loss_alarm(earlier, now, USDC, limit)


def test_the_first_look_is_no_loss() -> None:
    assert alarm(a_mark(100)) is None


def test_a_loss_up_to_the_limit_is_borne_and_a_unit_more_is_not() -> None:
    assert alarm(a_mark(90, -10), a_mark(100)) is None
    one_more = NavMark(timestamp=MORNING, quote=USDC.address, nav=89_999_999, gain=-10_000_001)
    assert alarm(one_more, a_mark(100)) == (
        "it lost 10.000001 USDC of 100.000000 USDC since 2023-11-14 22:13 UTC; "
        "limits.max_loss_per_day allows 10 %"
    )


def test_a_loss_counts_from_the_best_mark_whatever_came_before_it() -> None:
    assert alarm(a_mark(100), a_mark(100), a_mark(120, 20), a_mark(95, -5)) is not None
    assert alarm(a_mark(110, 10), a_mark(100), a_mark(120, 20), a_mark(95, -5)) is None


def test_gains_are_no_reason_to_halt() -> None:
    assert alarm(a_mark(200, 100), a_mark(100)) is None


def test_what_is_not_lost_is_no_loss_where_more_was_paid_for_gas_than_is_left() -> None:
    assert alarm(a_mark(-6, -6), a_mark(-6, -6)) is None
    assert alarm(a_mark(-5, -5), a_mark(-6, -6)) is None


def test_what_the_owner_takes_out_is_no_loss() -> None:
    assert alarm(a_mark(1), a_mark(100)) is None


def test_a_small_loss_before_the_owner_took_nearly_all_is_not_weighed_against_the_rest() -> None:
    assert alarm(a_mark(5, -5), a_mark(100)) is None


def test_what_the_owner_puts_in_may_be_lost_in_part_too() -> None:
    assert alarm(a_mark(1_000, -50), a_mark(1)) is None
    assert alarm(a_mark(900, -101), a_mark(1)) is not None


def test_marks_in_another_quote_token_say_nothing() -> None:
    assert alarm(a_mark(50, -50), a_mark(100, quote=WETH.address)) is None


def test_the_whole_of_it_may_be_lost_where_the_owner_says_so() -> None:
    assert alarm(a_mark(0, -100), a_mark(100), limit=Fraction(1)) is None


FAILED = Stop(kind=StopKind.ERROR, reason="mint: reverted")


@pytest.mark.parametrize(
    "newest_first",
    [[], [FAILED], [FAILED, FAILED], [None, FAILED, FAILED, FAILED], [FAILED, FAILED, None]],
)
def test_fewer_than_three_failures_in_a_row_are_borne(newest_first: list[Stop | None]) -> None:
    assert failure_alarm(newest_first) is None


def test_three_failures_in_a_row_are_too_many_and_the_last_one_is_told() -> None:
    last = Stop(kind=StopKind.ERROR, reason="swap: cancelled at its deadline")
    assert failure_alarm([last, FAILED, FAILED]) == (
        "3 plans in a row failed, the last: swap: cancelled at its deadline"
    )
