"""Spans of time as a person reads them."""

from __future__ import annotations

import pytest

from lpmanager.model.units import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (3_600, "1 h"),
        (86_399, "23 h 59 min"),
        (93_600, "1 d 2 h"),
        (134_146_293, "1,552 d 14 h"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
