"""What a manager in a simulation is told to do."""

from __future__ import annotations

from lpmanager.devnet.terms import with_policy
from lpmanager.settings import CampaignTable

TERMS = CampaignTable.model_validate(
    {
        "pool": "0x" + "11" * 20,
        "quote": "USDC",
        "policy": "fixed_width",
        "options": {"half_width_ticks": 100, "deploy": "0.5"},
        "limits": {"max_swap_cost_per_day": "1"},
    }
)


def test_an_option_changes_and_the_others_stay() -> None:
    assert with_policy(TERMS, None, {"deploy": 1}).options == {
        "half_width_ticks": 100,
        "deploy": 1,
    }


def test_the_same_policy_named_again_keeps_its_options() -> None:
    assert with_policy(TERMS, "fixed_width", {}) == TERMS


def test_another_policy_takes_no_options_of_the_one_before() -> None:
    changed = with_policy(TERMS, "passive", {"half_width_ticks": 7})
    assert (changed.policy, changed.options) == ("passive", {"half_width_ticks": 7})
    assert changed.limits == TERMS.limits
