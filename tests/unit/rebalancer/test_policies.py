"""What ranges the built-in policies want, and how a policy is named and given its options."""

from __future__ import annotations

import sys
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from builders import a_market, a_position, a_range, a_record, a_view

from lpmanager.errors import ConfigError
from lpmanager.model import MAX_TICK, Target
from lpmanager.rebalancer import make_policy
from lpmanager.rebalancer.policies import FixedWidth, Passive

HALF = 600
FIXED = FixedWidth(half_width_ticks=HALF)
PASSIVE = Passive(half_width_ticks=HALF, order_width_ticks=300)


def wanted(policy, tick: int, *held: str, wallet: tuple[int, int] = (10**9, 10**9)) -> Target:
    positions = tuple(a_position(text, token_id=i) for i, text in enumerate(held))
    return policy.target(a_view(a_market(tick=tick, positions=positions), a_record(wallet)))


def ranges(target: Target) -> list[str]:
    return [str(weighted.range) for weighted in target.ranges]


# ---- fixed width ----


@pytest.mark.parametrize(
    ("tick", "text"), [(0, "[-600, 600)"), (4, "[-600, 610)"), (-4, "[-610, 600)")]
)
def test_the_first_range_is_around_the_price_on_the_grid(tick: int, text: str) -> None:
    target = wanted(FIXED, tick)
    assert ranges(target) == [text]
    assert target.swap
    assert target.ranges[0].weight == 1


@pytest.mark.parametrize("tick", [-600, -1, 0, 599])
def test_a_range_stands_while_the_price_is_inside(tick: int) -> None:
    target = wanted(FIXED, tick, "[-600, 600)")
    assert ranges(target) == ["[-600, 600)"]
    assert not target.swap


@pytest.mark.parametrize("tick", [-601, 600, 5000])
def test_a_range_that_the_price_has_left_is_placed_anew(tick: int) -> None:
    target = wanted(FIXED, tick, "[-600, 600)")
    assert tick in target.ranges[0].range
    assert a_range("[-600, 600)") not in [w.range for w in target.ranges]


@pytest.mark.parametrize(
    ("tick", "stands"), [(300, True), (-300, True), (301, False), (-301, False)]
)
def test_a_range_is_centred_again_just_past_its_share_of_the_half_width(
    tick: int, stands: bool
) -> None:
    early = FixedWidth(half_width_ticks=HALF, recentre_at=Fraction(1, 2))
    assert (ranges(wanted(early, tick, "[-600, 600)")) == ["[-600, 600)"]) is stands


def test_a_range_narrower_than_wanted_is_replaced_and_a_wider_one_kept() -> None:
    assert ranges(wanted(FIXED, 0, "[-590, 600)")) == ["[-600, 600)"]
    assert ranges(wanted(FIXED, 0, "[-700, 700)")) == ["[-700, 700)"]


@pytest.mark.parametrize("policy", [FIXED, PASSIVE])
@pytest.mark.parametrize(
    ("widening", "tick", "stands"),
    [
        (Fraction(1), 600, True),
        (Fraction(1), 601, False),
        (Fraction(2), 1_199, True),
        (Fraction(3), 1_199, True),
        (None, -1_200, True),
        (Fraction(3, 2), 900, True),
        (Fraction(3, 2), 901, False),
    ],
)
def test_a_range_that_the_market_widened_is_centred_again_as_much_later(
    policy, widening: Fraction | None, tick: int, stands: bool
) -> None:
    held = "[-1200, 1200)"
    view = a_view(a_market(tick=tick, positions=(a_position(held),)), a_record((10**9, 10**9)))
    assert (ranges(policy.target(replace(view, widening=widening))) == [held]) is stands


def test_a_share_is_kept_back_where_asked() -> None:
    part = FixedWidth(half_width_ticks=HALF, deploy=Fraction(3, 4))
    assert wanted(part, 0).ranges[0].weight == Fraction(3, 4)


@pytest.mark.parametrize("tick", [0, 100_000, -700_000])
def test_a_full_range_is_cut_at_the_last_usable_ticks(tick: int) -> None:
    full = FixedWidth(half_width_ticks=2 * MAX_TICK)
    assert ranges(wanted(full, tick)) == ["[-887270, 887270)"]


# ---- passive ----


def test_the_left_over_token_becomes_an_order_on_its_side_of_the_price() -> None:
    assert ranges(wanted(PASSIVE, 5, wallet=(10**9, 10**8))) == ["[-600, 610)", "[20, 320)"]
    assert ranges(wanted(PASSIVE, 5, wallet=(10**8, 10**9))) == ["[-600, 610)", "[-310, -10)"]


@pytest.mark.parametrize("tick", [-11, -10, -1, 0, 1, 9, 10])
@pytest.mark.parametrize("wallet", [(10**9, 10**8), (10**8, 10**9)])
def test_an_order_beside_the_price_stays_there_while_the_price_moves_a_step_of_the_grid(
    tick: int, wallet: tuple[int, int]
) -> None:
    _, order = (weighted.range for weighted in wanted(PASSIVE, tick, wallet=wallet).ranges)
    for moved in (tick - a_market().pool.tick_spacing, tick + a_market().pool.tick_spacing):
        assert not order.lower <= moved < order.upper
        assert (moved < order.lower) == (tick < order.lower)


def test_passive_never_swaps() -> None:
    assert not wanted(PASSIVE, 5, wallet=(10**9, 0)).swap
    assert not wanted(PASSIVE, 2_000, "[-600, 600)").swap


def test_base_and_order_stand_together_while_the_base_is_good() -> None:
    kept = wanted(PASSIVE, 100, "[-600, 600)", "[10, 310)")
    assert ranges(kept) == ["[-600, 600)", "[10, 310)"]


# ---- names and options ----


def test_options_come_as_the_configuration_writes_them() -> None:
    policy = make_policy(
        "fixed_width", {"half_width_ticks": 10, "recentre_at": Decimal("0.1"), "deploy": "2/3"}
    )
    assert policy == FixedWidth(
        half_width_ticks=10, recentre_at=Fraction(1, 10), deploy=Fraction(2, 3)
    )


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fixed", {}, "policy: there is no 'fixed'; choose fixed_width, passive"),
        ("fixed_width", {}, "options.half_width_ticks: policy fixed_width needs it"),
        ("fixed_width", {"width": 1}, "options.width: policy fixed_width has no such option"),
        ("fixed_width", {"half_width_ticks": "10"}, "expected int, found '10'"),
        ("fixed_width", {"half_width_ticks": True}, "expected int, found True"),
        ("fixed_width", {"half_width_ticks": 0}, "half_width_ticks must be positive"),
        ("fixed_width", {"half_width_ticks": 1, "deploy": "x"}, "'x' is not a number"),
        ("fixed_width", {"half_width_ticks": 1, "deploy": "1/0"}, "'1/0' is not a number"),
        ("fixed_width", {"half_width_ticks": 1, "deploy": Decimal("NaN")}, "is not a number"),
        ("fixed_width", {"half_width_ticks": 1, "deploy": Decimal("inf")}, "is not a number"),
        ("fixed_width", {"half_width_ticks": 1, "deploy": 0}, r"deploy must be in \(0, 1\]"),
        ("fixed_width", {"half_width_ticks": 1, "recentre_at": 2}, "recentre_at must be in"),
        ("passive", {"half_width_ticks": 1, "order_width_ticks": -1}, "order_width_ticks must be"),
        ("nowhere:Mine", {}, "cannot load 'nowhere:Mine'"),
        ("builders:Nothing", {}, "cannot load 'builders:Nothing'"),
        ("builders:a_view", {}, "is not a dataclass with a method"),
    ],
)
def test_a_wrong_name_or_option_is_named(name: str, options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_policy(name, options)


OWN = """
from dataclasses import dataclass, field
from fractions import Fraction

from lpmanager.model import Target


@dataclass(frozen=True, kw_only=True)
class Mine:
    label: str
    active: bool = True
    bias: float = 0.0
    seen: tuple[int, ...] = field(default_factory=tuple)

    def target(self, view):
        return Target(ranges=(), swap=False, reason=self.label)
"""


@pytest.fixture
def own_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_policies.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_policies", raising=False)
    return "own_policies:Mine"


def test_a_policy_of_the_users_own_has_options_like_a_built_in_one(own_policies: str) -> None:
    policy = make_policy(own_policies, {"label": "x", "active": False, "bias": Decimal("0.25")})
    assert (policy.label, policy.active, policy.bias, policy.seen) == ("x", False, 0.25, ())
    assert policy.target(a_view()).reason == "x"


def test_the_users_own_options_are_checked_too(own_policies: str) -> None:
    with pytest.raises(ConfigError, match="expected bool, found 1"):
        make_policy(own_policies, {"label": "x", "active": 1})
    with pytest.raises(ConfigError, match="expected float, found 'wide'"):
        make_policy(own_policies, {"label": "x", "bias": "wide"})
