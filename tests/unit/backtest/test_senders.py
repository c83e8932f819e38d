"""Senders of many rows, each name kept once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from market_builders import senders_of

from lpmanager.backtest.markets.senders import Senders

rows_of_senders = st.lists(st.sampled_from(["0xA", "0xB", "0xC", ""]), max_size=8)


@given(rows_of_senders)
def test_each_row_tells_its_sender_and_each_name_stands_once(told: list[str]) -> None:
    found = Senders.of(told)
    assert (len(found), senders_of(found)) == (len(told), told)
    assert sorted(found.names) == sorted(set(told))


@given(st.lists(rows_of_senders, max_size=5))
def test_parts_that_are_joined_tell_what_each_told(parts: list[list[str]]) -> None:
    joined = Senders.joined(map(Senders.of, parts))
    told = [sender for part in parts for sender in part]
    assert senders_of(joined) == told
    assert sorted(joined.names) == sorted(set(told))


@given(rows_of_senders, st.integers(0, 8), st.integers(0, 8))
def test_a_part_tells_what_its_rows_told(told: list[str], first: int, behind: int) -> None:
    part = Senders.of(told).between(first, behind)
    assert senders_of(part) == told[first:behind]
    assert senders_of(Senders.joined([part])) == told[first:behind]


def test_a_row_takes_four_bytes() -> None:
    assert Senders.unknown(1_000).codes.nbytes == 4_000
    assert Senders.unknown(2).at(np.array([1, 0])) == ["", ""]
