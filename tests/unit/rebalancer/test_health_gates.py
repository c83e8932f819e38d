"""Nothing is placed while the chain is badly heard, or its gas is dear."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from builders import a_limits, a_market, a_position, a_record, a_view, in_a_vault
from decisions import closed, gate

from lpmanager.model import ChainHealth, Decision, Hold, Plan, TokenCheck, Withdraw
from lpmanager.rebalancer import View, decide
from lpmanager.rebalancer.assessment.health import health_measures
from lpmanager.rebalancer.policies import FixedWidth
from lpmanager.risk.appetite import Appetite, WhereMissing
from lpmanager.risk.missing import Missing

GWEI = 10**9  # the base fee of every block of the builders
FIXED = FixedWidth(half_width_ticks=600)


def a_chain(*, healthy: int = 2, of: int = 3, fees: tuple[int, ...] | None = None) -> View:
    health = ChainHealth(rpcs=of, healthy_rpcs=healthy, base_fees=fees)
    return a_view(replace(a_market(), health=health))


def decided(view: View, **appetite: object) -> Decision:
    return decide("mine", view, FIXED, a_limits(appetite=Appetite(**appetite)))


def test_nothing_is_placed_while_too_few_rpcs_answer() -> None:
    assert isinstance(decided(a_chain(healthy=1)), Plan)
    assert isinstance(decided(a_chain(healthy=2), min_healthy_rpcs=2), Plan)
    held = decided(a_chain(healthy=1), min_healthy_rpcs=2)
    assert isinstance(held, Hold)
    assert closed(held) == ["RPCs"]
    assert gate(held, "RPCs").measured == "1 of 3"


def test_nothing_is_placed_while_gas_costs_many_times_what_is_usual() -> None:
    dear = a_chain(fees=(GWEI // 4,) * 60 + (GWEI,) * 40)
    assert isinstance(decided(dear), Plan)
    assert isinstance(decided(dear, max_base_fee_to_usual=Fraction(4)), Plan)
    held = decided(dear, max_base_fee_to_usual=Fraction(39, 10))
    assert isinstance(held, Hold)
    assert closed(held) == ["base fee"]
    assert gate(held, "base fee").measured == "4.00 times"


@pytest.mark.parametrize(
    ("fees", "says"),
    [
        (None, "max_base_fee_to_usual asks the RPC for them"),
        ((GWEI,) * 9, "needs 10 blocks, found 9"),
        ((0,) * 100, "no base fee"),
    ],
)
def test_a_usual_base_fee_that_is_not_known_closes_the_gate_or_leaves_it_out(
    fees: tuple[int, ...] | None, says: str
) -> None:
    view = a_chain(fees=fees)
    held = decided(view, max_base_fee_to_usual=Fraction(3))
    assert isinstance(held, Hold)
    assert says in gate(held, "base fee").reason
    ignored = decided(view, max_base_fee_to_usual=Fraction(3), where_missing=WhereMissing.IGNORE)
    assert isinstance(ignored, Plan)


def test_a_chain_that_is_badly_heard_stops_nobody_from_leaving() -> None:
    range_left = a_position("[-600, 600)", token_id=7, liquidity=10**13)
    market = a_market(tick=1_005, positions=(range_left,))
    view = a_view(replace(market, health=a_chain().snapshot.health), a_record((0, 0)))
    plan = decided(view, min_healthy_rpcs=3, leave_below_fee_to_lvr=Fraction(1_000))
    assert isinstance(plan, Plan)
    assert [type(action) for action in plan.actions] == [Withdraw]


FEE = "TAX (0x1) does not deliver what is sent"


def with_tokens(view: View, refused: str | None, age_s: int = 600) -> View:
    snapshot = view.snapshot
    check = TokenCheck(checked_at=snapshot.block.timestamp - age_s, refused=refused)
    return replace(view, snapshot=replace(snapshot, tokens=check))


def test_nothing_is_placed_while_a_token_does_not_deliver_what_is_sent() -> None:
    """No limit asks for that: whatever a campaign's appetite, what does not arrive is lost."""
    sound = decided(with_tokens(a_view(), None))
    assert isinstance(sound, Plan)
    assert gate(sound, "tokens").reason.endswith("came and went, 10 min ago")
    held = decided(with_tokens(a_view(), FEE))
    assert isinstance(held, Hold)
    assert closed(held) == ["tokens"]
    assert gate(held, "tokens").reason == FEE


def test_a_token_that_does_not_deliver_stops_nobody_from_leaving() -> None:
    range_left = a_position("[-600, 600)", token_id=7, liquidity=10**13)
    view = a_view(a_market(tick=1_005, positions=(range_left,)), a_record((0, 0)))
    plan = decided(with_tokens(view, FEE), leave_below_fee_to_lvr=Fraction(1_000))
    assert isinstance(plan, Plan)
    assert [type(action) for action in plan.actions] == [Withdraw]


def test_in_a_replay_no_rpc_is_asked() -> None:
    plan = decided(a_view(), min_healthy_rpcs=3, max_base_fee_to_usual=Fraction(1))
    assert isinstance(plan, Plan)


def test_the_desk_tells_how_the_chain_is_heard() -> None:
    chain = with_tokens(a_chain(fees=(GWEI // 2,) * 100), None)
    rpcs, fee, checks = health_measures(chain.snapshot)
    assert rpcs.value == "2 of 3"
    assert fee.value == 2
    assert checks.value == "passed"
    assert "vault" not in checks.meaning
    assert "; 10 min ago: what was lent" in checks.meaning
    (*_, of_vault) = health_measures(in_a_vault(chain).snapshot)
    assert "the vault's code is ours" in of_vault.meaning
    (*_, refused) = health_measures(with_tokens(chain, FEE).snapshot)
    assert refused.value == f"refused: {FEE}"
    assert all(isinstance(each.value, Missing) for each in health_measures(a_market()))
