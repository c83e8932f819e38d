"""The block that enough RPCs have, whatever the others say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from builders import a_block
from hypothesis import given
from hypothesis import strategies as st

from lpmanager.chain.quorum import agree, default_quorum
from lpmanager.model import Block

LAG = 2


def on_fork(number: int, since: int, name: str) -> Block:
    """The block of a height on a branch that left the others' at `since`."""
    block = a_block(number)
    return replace(block, hash=f"0x{name}{number:062x}") if number >= since else block


def honest(number: int) -> Block:
    return a_block(number)


class Chains:
    """What each RPC holds: its height, and from where on its chain is another."""

    def __init__(self, heights: Mapping[str, int], forks: Mapping[str, int] | None = None) -> None:
        self._heights = heights
        self._forks = forks or {}
        self.asked = 0

    def block(self, who: str, number: int) -> Block | None:
        if number > self._heights[who]:
            return None
        return on_fork(number, self._forks.get(who, 10**9), who * 2)

    def block_asked(self, who: str, number: int) -> Block | None:
        self.asked += 1
        return self.block(who, number)

    def agree(self, quorum: int, depth: int = 2, lag: int = LAG) -> tuple[int, str] | None:
        heads = {who: self.block(who, height) for who, height in self._heights.items()}
        found = agree(
            heads,  # type: ignore[arg-type]
            quorum=quorum,
            lag=lag,
            depth=depth,
            block_at=self.block_asked,
        )
        return found and (found.block.number, "".join(found.by))


def test_more_than_half_must_agree_unless_told_otherwise() -> None:
    assert [default_quorum(count) for count in (1, 2, 3, 4, 5)] == [1, 2, 2, 3, 3]


def test_one_is_enough_for_a_quorum_of_one_and_costs_no_question() -> None:
    chains = Chains({"a": 100})
    assert chains.agree(1) == (100, "a")
    assert chains.asked == 0


def test_those_that_are_level_agree_without_a_further_question() -> None:
    chains = Chains({"a": 100, "b": 100})
    assert chains.agree(2) == (100, "ab")
    assert chains.asked == 0


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ({"a": 100, "b": 101}, (100, "ab")),
        ({"a": 102, "b": 100}, (100, "ab")),
        ({"a": 102, "b": 101, "c": 100}, (101, "ab")),
        ({"a": 103, "b": 100}, (100, "ab")),
        ({"a": 110, "b": 110, "c": 100}, (110, "ab")),
        ({"a": 110, "b": 105, "c": 100}, (105, "ab")),
        ({"a": 110, "b": 100, "c": 100}, (100, "abc")),
    ],
)
def test_they_agree_on_the_newest_block_of_a_quorum_and_one_that_is_ahead_leaves_nobody_out(
    heights: dict[str, int], expected: tuple[int, str] | None
) -> None:
    assert Chains(heights).agree(2) == expected


def test_who_lags_behind_what_a_quorum_has_reached_has_no_vote() -> None:
    """Else two that lie and lag could take the others back."""
    chains = Chains({"a": 100, "b": 100, "c": 97}, {"a": 95})
    assert chains.agree(2) is None
    assert chains.agree(2, lag=3) == (97, "bc")


def test_who_tells_the_same_hash_with_another_time_or_base_fee_has_told_of_another_block() -> None:
    block = honest(100)
    for changed in (
        replace(block, timestamp=block.timestamp + 4),
        replace(block, base_fee=block.base_fee * 3),
    ):
        heads = {"a": changed, "b": block, "c": block}
        found = agree(heads, quorum=2, lag=LAG, depth=2, block_at=lambda _who, _height: None)
        assert found is not None
        assert (found.block, found.by) == (block, ("b", "c"))


def test_one_on_a_branch_of_its_own_is_outvoted() -> None:
    assert Chains({"a": 100, "b": 100, "c": 100}, {"a": 95}).agree(2) == (100, "bc")
    assert Chains({"a": 101, "b": 100, "c": 100}, {"a": 95}).agree(2) == (100, "bc")


def test_two_that_do_not_agree_are_no_quorum_of_two() -> None:
    assert Chains({"a": 100, "b": 100}, {"a": 95}).agree(2) is None


@pytest.mark.parametrize(("since", "agreed"), [(100, 99), (99, 98), (98, None)])
def test_two_sides_of_a_small_reorganisation_agree_below_it(since: int, agreed: int | None) -> None:
    chains = Chains({"a": 100, "b": 100}, {"a": since})
    assert chains.agree(2) == (None if agreed is None else (agreed, "ab"))
    assert chains.agree(2, depth=0) is None


def test_who_does_not_tell_of_a_lower_block_has_no_vote() -> None:
    heads = {"a": honest(101), "b": honest(100)}
    found = agree(heads, quorum=2, lag=LAG, depth=2, block_at=lambda _who, _height: None)
    assert found is None


def test_at_the_first_block_there_is_nothing_below() -> None:
    assert Chains({"a": 0, "b": 0}, {"a": 0}).agree(2) is None


heights = st.dictionaries(st.sampled_from("abcde"), st.integers(50, 60), min_size=1)


@given(heights, st.dictionaries(st.sampled_from("abcde"), st.integers(45, 60)), st.integers(1, 5))
def test_what_is_agreed_on_is_held_by_a_quorum_of_those_abreast(
    heads: dict[str, int], forks: dict[str, int], quorum: int
) -> None:
    chains = Chains(heads, forks)
    found = chains.agree(quorum)
    if found is None:
        return
    number, by = found
    assert len(by) >= quorum
    assert len({chains.block(who, number) for who in by}) == 1
    reached = sorted(heads.values(), reverse=True)[quorum - 1]
    assert all(reached - heads[who] <= LAG for who in by)


@given(st.data(), st.integers(2, 12), st.integers(2, 5))
def test_a_minority_of_liars_changes_nothing(data: st.DataObject, lag: int, count: int) -> None:
    """Where the honest are a quorum, all that the others can do is be left out: whatever their
    chain is, and however high they say it is."""
    names = "abcde"[:count]
    quorum = default_quorum(count)
    liars = data.draw(st.sets(st.sampled_from(names), max_size=count - quorum))
    honestly = st.integers(200 - lag, 200)
    levels = {
        who: data.draw(honestly | st.integers(203, 10**9) if who in liars else honestly)
        for who in names
    }
    found = Chains(levels, dict.fromkeys(liars, 90)).agree(quorum, lag=lag)
    reached = sorted((levels[who] for who in names if who not in liars), reverse=True)
    assert found is not None
    assert found[0] >= reached[quorum - 1]
    assert not set(found[1]) & liars
