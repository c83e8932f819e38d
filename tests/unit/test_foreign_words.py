"""What strangers said, before it stands in a log, on a terminal or in the diary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpmanager.foreign_words import MOST, in_one_line


def test_plain_words_are_told_as_they_are() -> None:
    assert in_one_line("execution reverted: Price slippage check") == (
        "execution reverted: Price slippage check"
    )
    assert in_one_line("zu spät: 価格") == "zu spät: 価格"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("all is well\nlpm: done", "all is well lpm: done"),
        ("red \x1b[31malert\x1b[0m\r\n", "red [31malert [0m"),
        ("a\x00b\x07c\x7fd", "a b c d"),
        ("from right \u202eto left", "from right to left"),
        ("\ud800", ""),
    ],
)
def test_what_would_move_a_terminal_or_begin_a_line_is_a_space(said: str, told: str) -> None:
    assert in_one_line(said) == told


def test_what_is_long_is_cut_and_says_so() -> None:
    assert in_one_line("x" * MOST) == "x" * MOST
    assert in_one_line("x" * (MOST + 1)) == "x" * MOST + "..."


@given(st.text(max_size=2 * MOST))
def test_whatever_was_said_is_a_short_printable_line(said: str) -> None:
    told = in_one_line(said)
    assert told.isprintable()
    assert len(told) <= MOST + len("...")
