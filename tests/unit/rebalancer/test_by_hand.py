"""What a person asks for by name: what only takes tokens out waits for no price."""

from __future__ import annotations

import pytest
from builders import a_limits, a_market, a_position, a_range, a_record, a_view

from lpmanager.errors import GuardVeto
from lpmanager.rebalancer import View
from lpmanager.rebalancer.by_hand import close_plan, collect_plan, open_plan

HELD = a_position("[-600, 600)", token_id=7, liquidity=10**13, fees=(10**6, 10**6))


def seen(*, twap_tick: int = 0, **usage: int) -> View:
    market = a_market(positions=(HELD,), twap_tick=twap_tick)
    return a_view(market, a_record((10**9, 10**9), **usage))


@pytest.mark.parametrize("make", [close_plan, collect_plan])
@pytest.mark.parametrize(
    "view", [seen(twap_tick=-500), seen(swap_cost=10**18 + 1)], ids=["TWAP", "swap cost per day"]
)
def test_tokens_are_taken_out_wherever_the_price_is_and_whatever_swaps_have_cost(
    make, view: View
) -> None:
    assert make("mine", view, a_limits()).actions


@pytest.mark.parametrize(
    ("view", "gate"),
    [
        (seen(twap_tick=-500), "TWAP"),
        (seen(swap_cost=10**18 + 1), "swap cost per day"),
        (seen(gas=10**17), "gas per day"),
    ],
)
def test_a_range_is_opened_only_where_all_guards_let_it(view: View, gate: str) -> None:
    with pytest.raises(GuardVeto, match=f"gate {gate} is closed"):
        open_plan("mine", view, a_range("[-300, 300)"), a_limits())


@pytest.mark.parametrize("make", [close_plan, collect_plan])
def test_gas_has_its_limit_for_what_is_taken_out_too(make) -> None:
    with pytest.raises(GuardVeto, match="gate gas per day is closed"):
        make("mine", seen(gas=10**17), a_limits())
