"""`lpm risk --market`: the desk's questions at the end of a recorded market."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from market_builders import POLYGON_MINUTES, a_minute, minute_file, needs_data
from typed_here import Ended, typed_here

from lpmanager.cli import risk_market
from lpmanager.risk.learned.next_hour import NextHour
from lpmanager.risk.missing import Missing
from lpmanager.risk.volatility.contest import Contest, Score

POOL = ("--pair", "USDC/WETH", "--fee", "0.05%", "--chain", "ethereum")
HELD = ("--market", "market.csv", *POOL, "--value", "10000", "--gas-gwei", "0.1")
PLACED = (*HELD, "--policy", "fixed_width", "--option", "half_width_ticks=300", "--every", "10m")
NO_FORECASTERS = "_FORECASTS_NEED", ("a_library_that_is_not_there",)


def lpm(folder: Path, *arguments: str) -> Ended:
    """Run `lpm risk` in a folder."""
    return typed_here(folder, "risk", *arguments)


def minutes_along(ticks: Iterable[int]) -> list[dict[str, str]]:
    return [
        a_minute(
            number,
            openTick=opened,
            closeTick=close,
            lowestTick=min(opened, close),
            highestTick=max(opened, close),
            inAmount0=9 * 10**10,
            inAmount1=4 * 10**19,
        )
        for number, (opened, close) in enumerate(pairwise(ticks))
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a market of 16 hours, whose price goes up and comes back, and trembles."""
    rng = random.Random(3)
    ticks = [
        round(199_000 + 150 * math.sin(minute / 48) + rng.gauss(0, 4)) for minute in range(961)
    ]
    return minute_file(tmp_path, *minutes_along(ticks), name="market.csv").parent


def asked(folder: Path, *arguments: str) -> dict[str, Any]:
    ended = lpm(folder, *arguments, "--json")
    assert (ended.code, ended.err) == (0, "")
    shown: dict[str, Any] = json.loads(ended.out)
    return shown


def measures(shown: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in shown["campaigns"]["market.csv"]["measures"]}


def test_what_a_policy_placed_is_asked_about_at_the_markets_end(folder: Path) -> None:
    shown = asked(folder, *PLACED)
    found = measures(shown)
    assert found["value"]["unit"] == "USDC"
    assert 5_000 < found["value"]["value"] < 15_000
    assert found["CVaR"]["value"] > found["value at risk"]["value"] > 0
    assert 0 < found["our share"]["value"] < 1
    end = shown["campaigns"]["market.csv"]
    assert end["block"]["timestamp"] == 1_704_412_800 + 960 * 60
    assert {gate["name"] for gate in end["gates"]} >= {"TWAP", "imbalance"}
    assert any(note.startswith("Gas is what the manager sets aside") for note in shown["notes"])


def test_how_well_it_paid_is_what_a_backtest_tells(folder: Path) -> None:
    found, options = measures(asked(folder, *PLACED)), PLACED[2:]
    ended = typed_here(folder, "backtest", "market.csv", *options, "--json")
    assert ended.code == 0
    told = json.loads(ended.out)["statistics"]
    for name, statistic in (
        ("net fee APR", "net_fee_apr_share"),
        ("past time in range", "in_range_share"),
        ("fees per volume", "fees_per_volume"),
        ("rebalances", "rebalances_per_day"),
    ):
        assert found[name]["value"] == pytest.approx(told[statistic], rel=1e-12)
    nothing = measures(asked(folder, *HELD))
    assert "no --policy was told" in nothing["net fee APR"]["missing"]


def test_the_quote_of_a_policy_that_leans_is_told(folder: Path) -> None:
    options = ("--policy", "inventory_skew", "--option", "half_width_ticks=300", "--every", "1h")
    found = measures(asked(folder, *HELD, *options))
    below, above, shift = (found[f"quote {part}"] for part in ("below", "above", "shift"))
    assert {each["unit"] for each in (below, above, shift)} == {"ticks"}
    assert shift["value"] == pytest.approx((above["value"] - below["value"]) / 2)
    assert found["imbalance"]["value"] * shift["value"] < 0


def test_without_a_policy_nothing_is_placed(folder: Path) -> None:
    shown = asked(folder, *HELD)
    end, found = shown["campaigns"]["market.csv"], measures(shown)
    assert (end["decision"], end["reason"]) == ("hold", "nothing is placed: no --policy was told")
    assert found["our share"]["value"] == 0
    assert "quote below" not in found
    assert found["chance to stay in range"]["missing"] == "the campaign has no range"


def test_the_price_is_looked_back_on_over_the_whole_file(folder: Path) -> None:
    """The hour of flow that gates know is too short to tell regimes and jumps."""
    found = measures(asked(folder, *HELD))
    assert found["regime"]["missing"] is None
    assert found["last jump"]["missing"] is None
    later = measures(asked(folder, *HELD, "--from", "2024-01-05 14:00"))
    assert "48 returns of 300 s, found 23" in later["regime"]["missing"]
    assert "144 returns of 300 s, found 23" in later["last jump"]["missing"]


def test_too_short_a_market_says_what_forecasts_need(folder: Path) -> None:
    shown = asked(folder, *HELD)
    assert shown["forecasts"]["missing"].startswith("a contest needs 50 periods of 3600 s")
    assert shown["heston"]["missing"].startswith("Heston's moments need 200 periods of 3600 s")
    assert "bars tell only their sum" in shown["toxicity"]["missing"]
    ended = lpm(folder, *HELD)
    assert ended.code == 0
    assert "Which forecast is believed? unknown: a contest needs" in " ".join(ended.out.split())


def test_without_its_libraries_the_forecast_says_how_to_get_them(folder: Path) -> None:
    with mock.patch.object(risk_market, *NO_FORECASTERS):
        missing = asked(folder, *HELD)["forecasts"]["missing"]
    assert missing.endswith("pip install 'lpmanager[backtest,quant,ml]'")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (("main", *HELD), "take one's policy by --campaign main"),
        (("--policy", "passive", "--from", "2024"), "--from, --policy is about a recorded market"),
        (("--market", "market.csv", *POOL), "--value: missing"),
        (("--market", "none.csv", *POOL, "--value", "1"), "none.csv"),
    ],
)
def test_what_does_not_go_together_is_refused(
    folder: Path, told: tuple[str, ...], said: str
) -> None:
    ended = lpm(folder, *told)
    assert ended.code != 0
    assert said in " ".join(ended.err.split())


def test_a_contest_of_forecasters_reads_well(capsys: pytest.CaptureFixture[str]) -> None:
    rules = (Score(name="HAR 1/6/24", qlike=0.45696), Score(name="boosted trees", qlike=0.5))
    left_out = (("GARCH(1,1)-t", Missing("it did not converge")),)
    risk_market.print_forecasts(
        NextHour(
            contest=Contest(scores=rules, left_out=left_out, scored=503),
            used="HAR 1/6/24",
            rule="HAR 1/6/24",
            unused=Missing("boosted trees is not used: HAR is better"),
            variance_rate=0.64 / (365 * 86_400),
            learned_rate=None,
        )
    )
    told = " ".join(capsys.readouterr().out.split())
    for words in (
        "On 503 hours that none had seen",
        "HAR 1/6/24 0.4570 used boosted trees 0.5000 GARCH(1,1)-t unknown it did not converge",
        "The next hour: a volatility of 80.0% a year. boosted trees is not used: HAR is better.",
    ):
        assert words in told


@pytest.mark.realdata
@needs_data
def test_on_recorded_weeks_the_rule_that_looks_back_a_day_is_believed(tmp_path: Path) -> None:
    """It has the lowest loss of all out of sample, and what was learned is left alone."""
    polygon = ("--pair", "USDC/WETH", "--fee", "0.05%", "--chain", "polygon")
    gas = ("--gas-gwei", "50", "--native-price", "0.8")
    weeks = ("--market", str(POLYGON_MINUTES), *polygon, "--value", "10000", *gas)
    shown = asked(tmp_path, *weeks)
    heston, forecasts = shown["heston"], shown["forecasts"]
    (campaign,) = shown["campaigns"].values()
    found = {one["name"]: one for one in campaign["measures"]}
    past, simulated = found["CVaR, historical"], found["CVaR"]
    assert "began on the hour in 34 past days" in past["meaning"]
    assert 0 < found["value at risk, historical"]["value"] < past["value"] < 10_000 / 4
    assert past["value"] == pytest.approx(simulated["value"], rel=0.8)
    # they went on at a volatility of about 0.87 a year
    assert heston["hours"] == 839
    assert heston["theta"] == pytest.approx(0.75, abs=0.01)
    assert forecasts["hours"] == 503
    assert forecasts["used"] == min(forecasts["qlike"], key=forecasts["qlike"].__getitem__)
    assert forecasts["used"] == "HAR 1/6/24"
    assert len(forecasts["qlike"]) == 6
    assert "boosted trees is not used" in forecasts["learned_is_not_used"]
    assert 0.2 < forecasts["volatility"] < 5
