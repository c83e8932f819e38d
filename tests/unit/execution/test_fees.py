"""What is offered for gas: enough to be taken, more to be replaced, never above the cap."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lpmanager.execution.fees import FeePolicy, Fees, bumped_up, first_fees

POLICY = FeePolicy(cap=9_000)

wei = st.integers(0, 10**14)
policies = st.builds(FeePolicy, cap=st.integers(1, 10**14), base_fee_multiple=st.integers(1, 5))


def test_the_first_offer_leaves_room_for_twice_the_base_fee() -> None:
    assert first_fees(1_000, 100, POLICY) == Fees(2_100, 100)


def test_the_first_offer_is_cut_at_what_a_call_may_cost() -> None:
    assert POLICY.call_cap == 8_000
    assert first_fees(5_000, 100, POLICY) == Fees(8_000, 100)


@pytest.mark.parametrize(("base_fee", "offered"), [(7_900, True), (7_901, False)])
def test_a_call_that_cannot_pay_the_present_base_fee_is_not_offered(
    base_fee: int, offered: bool
) -> None:
    assert (first_fees(base_fee, 100, POLICY) is not None) is offered


@pytest.mark.parametrize(
    ("last", "bumped"),
    [
        (Fees(800, 80), Fees(900, 90)),
        (Fees(801, 81), Fees(902, 92)),  # 901.125 and 91.125
        (Fees(7, 1), Fees(8, 2)),
        (Fees(1, 0), Fees(2, 1)),
    ],
)
def test_a_bump_is_an_eighth_more_of_both_rounded_up(last: Fees, bumped: Fees) -> None:
    assert bumped_up(last, 0, 0, POLICY, POLICY.cap) == bumped


def test_a_bump_follows_the_chain_where_that_asks_for_more() -> None:
    assert bumped_up(Fees(800, 80), 3_000, 200, POLICY, POLICY.cap) == Fees(6_200, 200)


def test_a_bump_stops_at_the_most_it_may_offer() -> None:
    assert bumped_up(Fees(800, 80), 30_000, 200, POLICY, 8_000) == Fees(8_000, 200)
    assert bumped_up(Fees(800, 80), 0, 20_000, POLICY, 8_000) == Fees(8_000, 8_000)


@pytest.mark.parametrize(("most", "offered"), [(900, True), (899, False)])
def test_what_cannot_be_raised_by_an_eighth_is_not_replaced(most: int, offered: bool) -> None:
    assert (bumped_up(Fees(800, 80), 0, 0, POLICY, most) is not None) is offered


@given(base_fee=wei, tip=wei, policy=policies)
def test_a_first_offer_pays_the_present_base_fee_and_tip_within_its_cap(
    base_fee: int, tip: int, policy: FeePolicy
) -> None:
    offer = first_fees(base_fee, tip, policy)
    if offer is None:
        assert base_fee + tip > policy.call_cap
    else:
        assert base_fee + tip <= offer.max_fee <= policy.call_cap
        assert offer.tip == tip


@given(last=st.tuples(wei, wei).map(sorted), base_fee=wei, tip=wei, policy=policies, most=wei)
def test_every_replacement_is_one_that_a_node_takes(
    last: list[int], base_fee: int, tip: int, policy: FeePolicy, most: int
) -> None:
    standing = Fees(max_fee=last[1], tip=last[0])
    offer = bumped_up(standing, base_fee, tip, policy, most)
    if offer is None:
        assert 9 * standing.max_fee > 8 * most or standing.max_fee + 1 > most
    else:
        assert 8 * offer.max_fee >= 9 * standing.max_fee
        assert 8 * offer.tip >= 9 * standing.tip
        assert offer.max_fee > standing.max_fee
        assert offer.tip > standing.tip
        assert offer.tip <= offer.max_fee <= most


@given(
    base_fee=wei,
    tip=wei,
    policy=policies,
    spikes=st.lists(st.tuples(wei, wei), max_size=5),
)
def test_whatever_was_offered_for_a_call_its_cancellation_can_be_offered_more(
    base_fee: int, tip: int, policy: FeePolicy, spikes: list[tuple[int, int]]
) -> None:
    offer = first_fees(base_fee, tip, policy)
    assume(offer is not None)
    for then in spikes:
        offer = bumped_up(offer, *then, policy, policy.call_cap) or offer
    assert bumped_up(offer, base_fee, tip, policy, policy.cap) is not None
