"""What is calibrated decides: a width, a regime's factors, a pause; and none of it once stale."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import a_limits, a_position, a_record, a_view, an_outlook, price_at
from calibration_builders import (
    FIVE_PERCENT,
    HOUR_S,
    RULE,
    STEP_S,
    a_calibration,
    a_snapshot_after,
    a_toxic_hour,
)
from decisions import closed, gate
from order_flow_builders import a_swap

from lpmanager.backtest.fast.policies import strategy_of
from lpmanager.errors import ConfigError, UsageError
from lpmanager.model import Decision, Flow, Hold, Mint, Plan
from lpmanager.rebalancer import View, decide, make_policy
from lpmanager.rebalancer.assessment import Measure, Unit, assessment
from lpmanager.rebalancer.policies import FixedWidth, VolatilityWidth
from lpmanager.rebalancer.regime import change_of
from lpmanager.rebalancer.toxic_gates import toxicity_of
from lpmanager.risk.appetite import Adjustment, Appetite, RegimesBy, WhereMissing
from lpmanager.risk.calibration.calibration import NOT_LEARNED, NOT_MADE, Calibration
from lpmanager.risk.calibration.rules import Ewma, Rule
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.toxicity import Toxicity
from lpmanager.risk.search import Search
from lpmanager.risk.volatility.garch_model import Garch
from lpmanager.risk.volatility.har_model import Har
from lpmanager.risk.volatility.periods import Periods

DAY_S = 86_400
TICK = 1_005
LEFT_BEHIND = a_position("[-600, 600)", token_id=7, liquidity=10**13)
MARKET = a_snapshot_after([TICK - 1, TICK], LEFT_BEHIND)
NOW = MARKET.block.timestamp
STALE = Missing("the calibration is stale")
BY_VOLATILITY = VolatilityWidth(
    multiplier=Fraction(2), horizon_s=DAY_S, min_half_width_ticks=50, max_half_width_ticks=3_000
)
FIXED = FixedWidth(half_width_ticks=600)
WIDER = {"turbulent": Adjustment(width=Fraction(2))}


def left_behind(calibration: Calibration | Missing = NOT_MADE) -> View:
    """The price has left the only range; the volatility of now is 2.5 % in a root of a day."""
    view = a_view(MARKET, a_record((0, 0)), an_outlook(variance_rate=FIVE_PERCENT / 4))
    return replace(view, calibration=calibration)


def decided(view: View, policy=FIXED, **appetite: object) -> Decision:
    return decide("mine", view, policy, a_limits(appetite=Appetite(**appetite)))


def width(decision: Decision) -> int:
    """Ticks from the lowest to the highest that would be held."""
    assert isinstance(decision, Plan), decision
    ranges = [action.range for action in decision.actions if isinstance(action, Mint)]
    return max(r.upper for r in ranges) - min(r.lower for r in ranges)


# ---- the width ----


def test_a_calibrated_forecast_makes_another_width_than_realised_volatility() -> None:
    view = left_behind(a_calibration(NOW))
    realised, calibrated = (
        decided(view, replace(BY_VOLATILITY, forecast=forecast))
        for forecast in ("realised", "calibrated")
    )
    ticks = 2 * 0.05 / math.log(1.0001)
    assert width(calibrated) == pytest.approx(2 * ticks, abs=25)
    assert width(realised) == pytest.approx(ticks, abs=25)
    assert f"as {RULE} of 0 s ago forecasts" in calibrated.reason


#: Of a variance of 1 an hour that was 16 in the last two: HAR over the last hour and the last day,
#: GARCH with a root of 1, and the mean that fades.
HAR = Har(horizons=(1, 24), constant=0, weights=(0.5, 0.5), noise=0, lowest=1e-12, highest=1)
QUIET = FIVE_PERCENT * HOUR_S
GARCH = Garch(mean=0, constant=QUIET / 10, shock=0.2, persistence=0.7, freedom=8, start=QUIET)


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        (HAR, 16 ** (1 / 2 + 1 / 2 * 2 / 24)),
        (GARCH, 0.1 + 0.2 * 16 + 0.7 * (0.1 + 0.2 * 16 + 0.7)),
        (Ewma(decay=0.94), 1 + 15 * (1 - 0.94**2)),
    ],
    ids=["HAR", "GARCH", "EWMA"],
)
def test_after_two_wild_hours_each_rule_makes_a_width_of_its_own(rule: Rule, times: float) -> None:
    calibration = a_calibration(NOW, rule=rule)
    assert not isinstance(calibration.volatility, Missing)
    recent = calibration.volatility.recent
    wild = Periods(
        period_s=HOUR_S,
        returns=(*recent.returns[:-2], *(4 * change for change in recent.returns[-2:])),
        variances=(*recent.variances[:-2], *(16 * each for each in recent.variances[-2:])),
    )
    after = replace(calibration, volatility=replace(calibration.volatility, recent=wild))
    policy = replace(BY_VOLATILITY, forecast="calibrated")
    quiet = 2 * 2 * 0.05 / math.log(1.0001)
    assert width(decided(left_behind(after), policy)) == pytest.approx(quiet * times**0.5, abs=25)


@pytest.mark.parametrize(
    ("times", "wider"), [(4, math.sqrt(2)), (1.5, math.sqrt(1.5)), (0.1, 0.5**0.5)]
)
def test_what_the_trees_learned_moves_the_width_by_the_root_of_two_at_most(
    times: float, wider: float
) -> None:
    """They forecast so many times the variance of the rule, of which twice or half counts."""
    policy = replace(BY_VOLATILITY, forecast="calibrated")
    by_rule, by_trees = (
        decided(left_behind(a_calibration(NOW, learned_rate=rate)), policy)
        for rate in (None, times * FIVE_PERCENT)
    )
    assert width(by_trees) == pytest.approx(wider * width(by_rule), abs=25)
    assert "boosted trees, within reach of the rule" in by_trees.reason


@pytest.mark.parametrize("missing", [STALE, NOT_MADE])
def test_without_a_good_calibration_nothing_is_placed(missing: Missing) -> None:
    held = decided(left_behind(missing), replace(BY_VOLATILITY, forecast="calibrated"))
    assert isinstance(held, Hold)
    assert held.reason == f"no width can be told: {missing.reason}"


def test_or_realised_volatility_counts_where_the_option_says_so_and_is_named() -> None:
    either = replace(BY_VOLATILITY, forecast="calibrated_or_realised")
    without = decided(left_behind(STALE), either)
    assert width(without) == width(decided(left_behind(STALE), BY_VOLATILITY))
    assert "by realised volatility: the calibration is stale" in without.reason
    whole = left_behind(a_calibration(NOW))
    strict = decided(whole, replace(BY_VOLATILITY, forecast="calibrated"))
    assert width(decided(whole, either)) == width(strict)


def test_a_calibration_without_a_forecast_says_what_that_needs() -> None:
    short = replace(a_calibration(NOW), volatility=Missing("a contest needs 50 periods"))
    held = decided(left_behind(short), replace(BY_VOLATILITY, forecast="calibrated"))
    assert held.reason == "no width can be told: a contest needs 50 periods"


def test_what_tells_the_volatility_is_an_option_and_a_wrong_one_is_named() -> None:
    options = {
        "multiplier": 2,
        "horizon_s": DAY_S,
        "min_half_width_ticks": 50,
        "max_half_width_ticks": 300,
    }
    made = make_policy("volatility_width", {**options, "forecast": "calibrated"})
    assert isinstance(made, VolatilityWidth)
    assert made.forecast == "calibrated"
    with pytest.raises(ConfigError, match=r"forecast must be one of .* found 'guessed'"):
        make_policy("volatility_width", {**options, "forecast": "guessed"})


def test_compiled_code_knows_no_calibration_and_refuses_it() -> None:
    strategy_of(BY_VOLATILITY)
    for forecast in ("calibrated", "calibrated_or_realised"):
        with pytest.raises(UsageError, match="needs the calibration of a live campaign"):
            strategy_of(replace(BY_VOLATILITY, forecast=forecast))
    with pytest.raises(UsageError, match="'without_jumps' is not compiled"):
        strategy_of(replace(BY_VOLATILITY, forecast="without_jumps"))


# ---- the regime ----


@pytest.mark.parametrize(("chance", "factor"), [(0.1, 1), (0.5, 1), (0.9, 2)])
def test_the_chance_of_turbulence_makes_what_is_placed_wider(chance: float, factor: int) -> None:
    view = left_behind(a_calibration(NOW, turbulent=chance))
    plan = decided(view, regimes=WIDER, regimes_by=RegimesBy.MARKOV)
    plain = width(decided(view))
    assert width(plan) == pytest.approx(factor * plain, abs=20)
    assert f"turbulent with a chance of {chance:.1%}" in gate(plan, "regime").measured


def test_calm_by_markov_is_calm_and_ewma_needs_no_calibration() -> None:
    """The flow is too short for the latter, which is then what closes its gate."""
    view = left_behind(a_calibration(NOW, turbulent=0.1))
    by_markov = decided(view, regimes=WIDER, regimes_by=RegimesBy.MARKOV)
    assert gate(by_markov, "regime").measured.startswith("calm")
    by_ewma = decided(view, regimes=WIDER)
    assert closed(by_ewma) == ["regime"]
    assert "48 returns" in gate(by_ewma, "regime").reason


def test_a_stale_calibration_closes_the_regimes_gate_or_leaves_it_out() -> None:
    asked = {"regimes": WIDER, "regimes_by": RegimesBy.MARKOV}
    held = decided(left_behind(STALE), **asked)
    assert closed(held) == ["regime"]
    assert gate(held, "regime").reason.endswith("the calibration is stale")
    plan = decided(left_behind(STALE), **asked, where_missing=WhereMissing.IGNORE)
    assert width(plan) == width(decided(left_behind()))


# ---- the change ----


def test_a_gate_that_goes_by_a_calibration_tells_its_age() -> None:
    asked = {"regimes": WIDER, "regimes_by": RegimesBy.MARKOV, "pause_after_change_s": 1}
    plan = decided(replace(grown_wild(0), calibration=a_calibration(NOW - 5_400)), **asked)
    assert isinstance(plan, Plan)
    for name in ("regime", "change"):
        assert "calibrated 1 h 30 min ago" in gate(plan, name).measured


def test_a_gate_that_goes_on_without_the_stale_calibration_names_it() -> None:
    """A change is looked for in recent swaps then, and the measured toxic share counts alone."""
    wild = replace(grown_wild(60), calibration=STALE)
    change = gate(decided(wild, pause_after_change_s=1), "change")
    assert change.passed
    assert change.measured.endswith("in recent swaps; the calibration is stale)")
    passed, measured = toxic_gate(STALE)
    assert passed
    assert measured.endswith("% (as measured alone; the calibration is stale)")


def test_nothing_is_placed_soon_after_volatility_became_another() -> None:
    view = left_behind(a_calibration(NOW - 60, last_change=NOW - HOUR_S))
    assert isinstance(decided(view, pause_after_change_s=HOUR_S), Plan)
    held = decided(view, pause_after_change_s=HOUR_S + 1)
    assert closed(held) == ["change"]
    assert gate(held, "change").measured == f"{HOUR_S} s ago (calibrated 1 min ago)"


def test_a_history_without_a_change_pauses_nothing() -> None:
    calm = a_calibration(NOW, changes_sought_s=7 * 24 * HOUR_S)
    plan = decided(left_behind(calm), pause_after_change_s=7 * 24 * HOUR_S)
    assert isinstance(plan, Plan)
    assert gate(plan, "change").measured == "none found (calibrated 0 s ago)"


def test_a_change_before_the_history_that_was_searched_is_not_taken_for_none() -> None:
    day = left_behind(a_calibration(NOW, changes_sought_s=24 * HOUR_S))
    held = decided(day, pause_after_change_s=25 * HOUR_S)
    assert closed(held) == ["change"]
    assert "needs 25.0 h of history, found 24.0 h" in gate(held, "change").reason
    older = left_behind(a_calibration(NOW, changes_sought_s=NOT_LEARNED))
    assert closed(decided(older, pause_after_change_s=1)) == ["change"]


def test_a_change_that_nobody_could_notice_yet_is_not_taken_for_none() -> None:
    """Of twelve hours the first five are what the others are compared with."""
    calm = grown_wild(0)
    assert isinstance(decided(calm, pause_after_change_s=6 * HOUR_S), Plan)
    held = decided(calm, pause_after_change_s=8 * HOUR_S)
    assert closed(held) == ["change"]
    assert "needs 13.0 h of history, found 11.9 h" in gate(held, "change").reason


def grown_wild(wild_steps: int) -> View:
    """Twelve hours without a calibration, in steps of five minutes: two ticks to and fro, and forty
    in the last of them."""
    steps = 144
    calm = [2 * (step % 2) for step in range(steps - wild_steps)]
    ticks = [1_005 + tick for tick in (*calm, *(40 * (step % 2) for step in range(wild_steps)))]
    last = MARKET.block.number
    swaps = tuple(a_swap(last - steps + n, tick=tick) for n, tick in enumerate(ticks, start=1))
    flow = Flow(from_block=swaps[0].block_number, seconds=300 * steps, swaps=swaps)
    state = replace(MARKET.state, tick=ticks[-1], sqrt_price_x96=price_at(ticks[-1]))
    view = left_behind()
    return replace(view, snapshot=replace(view.snapshot, flow=flow, state=state))


def since_change(view: View) -> int | None:
    found = change_of(view)
    assert isinstance(found, Search)
    return found.last_s


def test_without_a_calibration_a_change_counts_that_was_noticed_in_the_flow() -> None:
    wild = grown_wild(60)
    since = since_change(wild)
    assert since is not None
    assert since < 60 * STEP_S
    held = decided(wild, pause_after_change_s=since + 1)
    assert closed(held) == ["change"]
    assert isinstance(decided(wild, pause_after_change_s=max(since, 1)), Plan)
    assert since_change(grown_wild(0)) is None


@pytest.mark.parametrize("last_change", [None, NOW - 30 * HOUR_S])
def test_a_change_since_the_calibration_pauses_as_it_does_without_one(
    last_change: int | None,
) -> None:
    """Made twelve hours ago, before the market grew wild."""
    wild = grown_wild(60)
    since = since_change(wild)
    assert since is not None
    calibrated = replace(
        wild, calibration=a_calibration(NOW - 12 * HOUR_S, last_change=last_change)
    )
    assert since_change(calibrated) == since
    assert closed(decided(calibrated, pause_after_change_s=since + 1)) == ["change"]
    assert isinstance(decided(calibrated, pause_after_change_s=since), Plan)


@pytest.mark.parametrize("last_change", [None, NOW - 5 * HOUR_S])
def test_of_the_time_before_the_calibration_hindsight_knows_better(last_change: int | None) -> None:
    wild = grown_wild(60)
    since = since_change(wild)
    assert since is not None
    calibrated = replace(wild, calibration=a_calibration(NOW - since, last_change=last_change))
    assert since_change(calibrated) == (None if last_change is None else 5 * HOUR_S)
    assert isinstance(decided(calibrated, pause_after_change_s=5 * HOUR_S), Plan)


@pytest.mark.parametrize("last_change", [None, NOW - 30 * HOUR_S])
def test_where_nothing_watches_the_time_since_the_calibration_the_change_is_unknown(
    last_change: int | None,
) -> None:
    """The flow of a few minutes is too short for that; a calibration of just now leaves no gap."""
    asked = {"pause_after_change_s": HOUR_S}
    hour_old = left_behind(a_calibration(NOW - HOUR_S, last_change=last_change))
    held = decided(hour_old, **asked)
    assert closed(held) == ["change"]
    assert gate(held, "change").measured == "unknown"
    assert "nothing tells of the 1 h since the calibration" in gate(held, "change").reason
    assert "120 returns" in gate(held, "change").reason
    assert isinstance(decided(hour_old, **asked, where_missing=WhereMissing.IGNORE), Plan)
    new = left_behind(a_calibration(NOW - STEP_S + 1, last_change=last_change))
    assert isinstance(decided(new, **asked), Plan)


def test_hours_between_the_calibration_and_what_is_watched_are_not_taken_for_calm() -> None:
    """The flow tells of seven hours, and the calibration ended twelve hours ago."""
    calm = grown_wild(0)
    day_old = replace(calm, calibration=a_calibration(NOW - 12 * HOUR_S, last_change=None))
    assert isinstance(decided(day_old, pause_after_change_s=6 * HOUR_S), Plan)
    held = decided(day_old, pause_after_change_s=8 * HOUR_S)
    assert closed(held) == ["change"]
    assert "needs 13.0 h of history" in gate(held, "change").reason
    new = replace(calm, calibration=a_calibration(NOW - 6 * HOUR_S, last_change=None))
    assert isinstance(decided(new, pause_after_change_s=8 * HOUR_S), Plan)


@pytest.mark.parametrize("where_missing", WhereMissing)
def test_a_recent_change_pauses_whatever_came_after_it(where_missing: WhereMissing) -> None:
    view = left_behind(a_calibration(NOW - HOUR_S, last_change=NOW - 2 * HOUR_S))
    held = decided(view, pause_after_change_s=3 * HOUR_S, where_missing=where_missing)
    assert closed(held) == ["change"]
    told_by = "calibrated 1 h ago, and recent swaps"
    assert gate(held, "change").measured == f"{2 * HOUR_S} s ago ({told_by})"


def test_without_the_library_nothing_is_noticed_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lpmanager.risk.regimes.noticed_changes.find_spec", lambda name: None)
    held = decided(grown_wild(60), pause_after_change_s=1)
    assert closed(held) == ["change"]
    assert "pip install 'lpmanager[ml]'" in gate(held, "change").reason


def test_an_unknown_change_pauses_or_is_left_out() -> None:
    assert closed(decided(left_behind(STALE), pause_after_change_s=1)) == ["change"]
    ignoring = decided(
        left_behind(STALE), pause_after_change_s=1, where_missing=WhereMissing.IGNORE
    )
    assert isinstance(ignoring, Plan)


# ---- toxic flow ----

#: Every fifth of the swaps buys before the price goes on up by ten times the fee, and stays there.
TOXIC_FIFTH = a_snapshot_after(
    [TICK - 50 * ((place + 4) // 5) for place in range(39, -1, -1)], LEFT_BEHIND
)
LIMIT = {"max_toxic_share": Fraction(3, 10)}


def in_toxic_flow(calibration: Calibration | Missing) -> View:
    return replace(left_behind(calibration), snapshot=TOXIC_FIFTH)


def learned(share: float, *, age: int = 60, wins: bool = True) -> Calibration:
    """Of the hour that began five minutes before the calibration was made."""
    made_at = TOXIC_FIFTH.block.timestamp - age
    return a_calibration(made_at, toxicity=a_toxic_hour(made_at - 300, share, wins=wins))


def toxic_gate(calibration: Calibration | Missing, **appetite: object) -> tuple[bool, str]:
    found = gate(decided(in_toxic_flow(calibration), **(LIMIT | appetite)), "toxic flow")
    return found.passed, found.measured


def test_nothing_is_placed_in_an_hour_that_is_learned_to_be_toxic() -> None:
    without, with_it = (in_toxic_flow(each) for each in (learned(0.9, wins=False), learned(0.9)))
    assert isinstance(decided(without, **LIMIT), Plan)
    held = decided(with_it, **LIMIT)
    assert isinstance(held, Hold)
    assert closed(held) == ["toxic flow"]
    share = toxicity_of(without)
    assert isinstance(share, Toxicity)
    assert 0.15 < share.toxic_share < 0.3
    assert gate(held, "toxic flow").measured == (
        f"{2 * share.toxic_share:.1%} (learned for this hour, calibrated 1 min ago; "
        f"{share.toxic_share:.1%} was measured)"
    )


def test_what_is_learned_never_opens_the_gate_of_toxic_flow() -> None:
    limit = {"max_toxic_share": Fraction(1, 10)}
    alone = toxic_gate(NOT_MADE, **limit)
    assert not alone[0]
    passed, measured = toxic_gate(learned(0.0), **limit)
    assert not passed
    assert measured == f"{alone[1]} (calibrated 1 min ago, which makes it no worse)"


def test_a_share_that_is_stale_or_beaten_or_of_another_hour_leaves_the_measured_one() -> None:
    alone, measured = toxic_gate(NOT_MADE)
    assert alone
    for calibration, why in (
        (STALE, "the calibration is stale"),
        (learned(0.9, wins=False), "what is learned is not used"),
        (learned(0.9, age=HOUR_S), "are over for 5 min"),
        (a_calibration(0), "the calibration is without it"),
    ):
        passed, told = toxic_gate(calibration)
        assert passed
        assert told.startswith(f"{measured} (as measured alone; ")
        assert why in told


def test_without_a_measured_share_nothing_learned_opens_the_gate() -> None:
    silent = replace(in_toxic_flow(learned(0.1)), snapshot=replace(TOXIC_FIFTH, flow=None))
    held = decided(silent, **LIMIT)
    assert closed(held) == ["toxic flow"]
    assert gate(held, "toxic flow").measured == "unknown"


# ---- what is told of it ----


def measures(view: View) -> dict[str, Measure]:
    return {one.name: one for one in assessment(view, a_limits())}


def test_every_part_of_a_calibration_is_told_with_its_age() -> None:
    calibration = a_calibration(NOW - 60, turbulent=0.25, last_change=NOW - HOUR_S)
    found = measures(left_behind(calibration))
    told = {
        name: (found[name].value, found[name].unit)
        for name in ("calibration", "turbulence", "last change")
    }
    assert told == {
        "calibration": (60.0, Unit.SECONDS),
        "turbulence": (0.25, Unit.SHARE),
        "last change": (float(HOUR_S), Unit.SECONDS),
    }
    forecast = found["forecast volatility"]
    assert forecast.value == pytest.approx(0.05 * math.sqrt(365))
    assert forecast.meaning == f"of the hour to come, by {RULE}"


def test_a_stale_calibration_is_named_in_each_place() -> None:
    found = measures(left_behind(STALE))
    for name in ("calibration", "forecast volatility", "turbulence"):
        assert found[name].value == STALE
    change = found["last change"].value
    assert isinstance(change, Missing)
    assert change.reason.startswith(f"{STALE.reason}, and ")


def test_the_regime_is_told_by_what_decides() -> None:
    view = left_behind(a_calibration(NOW, turbulent=0.9))
    by = {
        how: next(
            one
            for one in assessment(view, a_limits(appetite=Appetite(regimes_by=how)))
            if one.name == "regime"
        )
        for how in RegimesBy
    }
    assert by[RegimesBy.MARKOV].value == "turbulent"
    assert "Markov" in by[RegimesBy.MARKOV].meaning
    assert isinstance(by[RegimesBy.EWMA].value, Missing)


def test_the_learned_toxic_share_is_told_or_why_the_measured_one_counts_alone() -> None:
    def told(calibration: Calibration | Missing) -> float | str | Missing:
        return measures(in_toxic_flow(calibration))["learned toxic flow"].value

    assert told(learned(0.9)) == 0.9
    assert told(STALE) == STALE
    beaten, over = told(learned(0.9, wins=False)), told(learned(0.9, age=HOUR_S))
    assert isinstance(beaten, Missing)
    assert "what is learned is not used: its mean squared error" in beaten.reason
    assert isinstance(over, Missing)
    assert "which are over for 5 min" in over.reason
