"""`lpm risk --market`: the desk's questions at the end of a recorded market."""

from __future__ import annotations

import csv
import gzip
import json
import math
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from builders import price_at
from market_builders import (
    MAINNET_EVENTS,
    POLYGON_MINUTES,
    TICK,
    a_minute,
    minute_file,
    needs_data,
)
from typed_here import Ended, typed_here

from lpmanager.backtest.markets.events import EVENT_COLUMNS
from lpmanager.cli import risk_market
from lpmanager.model.units import LOG_TICK
from lpmanager.risk.heston.model import Heston
from lpmanager.risk.learned.next_hour import NextHour
from lpmanager.risk.missing import Missing
from lpmanager.risk.monte_carlo.random_paths import heston_moves
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


ROUTERS = (
    "0x3fC91A3afd70395Cd496C647d5a6CC9D4B2b7FAD",
    "0xE592427A0AEce92De3Edee1F18E0157C05861564",
)


def swaps_along(folder: Path, ticks: Sequence[int], *, tell_senders: bool) -> None:
    """A swap a minute that leaves the price at the next tick. Who bought token0 and who sold it is
    one router each, in the form that exporters write."""
    columns = [*EVENT_COLUMNS, "sender"] if tell_senders else EVENT_COLUMNS
    lines = [",".join(columns)]
    for number, tick in enumerate(ticks):
        bought = number % 2 == 0
        worth = round(10**9 * 1.0001**tick)
        raw0, raw1 = (-(10**9), worth * 10_005 // 10_000) if bought else (10**9, -worth)
        when = datetime.fromtimestamp(1_704_412_800 + 60 * number, UTC)
        cells = (number + 1, f"{when:%Y-%m-%d %H:%M:%S}", "SWAP", 0, raw0, raw1, 10**19)
        row = (*cells, price_at(tick), tick, "", "", "", ROUTERS[number % 2].lower())
        lines.append(",".join(map(str, row[: len(columns)])))
    (folder / "market.csv").write_text("\n".join(lines) + "\n")


def test_markouts_are_told_by_sender_where_the_file_has_them(tmp_path: Path) -> None:
    """The price of token0 rises, so whoever bought it cost the providers."""
    rising = [199_000 + 2 * minute + minute % 3 for minute in range(120)]
    swaps_along(tmp_path, rising, tell_senders=True)
    found = measures(asked(tmp_path, *HELD))
    told = {name: one for name, one in found.items() if name.startswith("markout of ")}
    assert list(told) == [f"markout of {router}" for router in ROUTERS]
    bought, sold = (one["value"] for one in told.values())
    assert bought < 0 < sold
    assert found["markout of " + ROUTERS[0]]["unit"] == "USDC"


def test_the_swaps_that_cost_most_are_listed_for_programs(tmp_path: Path) -> None:
    """The price of token0 jumps once, for good: whoever bought it just before it did cost most."""
    jump = [199_000 + number % 3 + 300 * (number > 100) for number in range(120)]
    swaps_along(tmp_path, jump, tell_senders=True)
    listed = asked(tmp_path, *HELD)["campaigns"]["market.csv"]["worst_swaps"]
    assert (listed["missing"], listed["unit"], len(listed["swaps"])) == (None, "USDC", 10)
    worst = listed["swaps"][0]
    assert worst["block"] == 97
    assert {one["block"] for one in listed["swaps"][1:3]} == {99, 101}
    assert worst["sender"] == ROUTERS[0]
    assert worst["tx_hash"] is None
    assert worst["gain"] == pytest.approx(-30, abs=1)
    assert worst["fee"] == pytest.approx(0.0005 * worst["volume"])
    gains = [one["gain"] for one in listed["swaps"]]
    assert gains == sorted(gains)


def test_bars_list_no_swaps_and_say_why(folder: Path) -> None:
    listed = asked(folder, *HELD)["campaigns"]["market.csv"]["worst_swaps"]
    assert listed["swaps"] == []
    assert "only one, as bars do" in listed["missing"]


def test_a_file_without_senders_says_so_and_decides_alike(tmp_path: Path) -> None:
    rising = [199_000 + 2 * minute + minute % 3 for minute in range(120)]
    shown = []
    for tell_senders in (True, False):
        swaps_along(tmp_path, rising, tell_senders=tell_senders)
        shown.append(asked(tmp_path, *PLACED))
    told, untold = (measures(one) for one in shown)
    assert untold["markout by sender"]["missing"] == "the record does not tell who swapped"
    shared = told.keys() & untold.keys()
    assert {name for name in told if name not in shared} == {f"markout of {r}" for r in ROUTERS}
    assert all(told[name] == untold[name] for name in shared)
    for key in ("decision", "reason", "gates"):
        one, other = (each["campaigns"]["market.csv"][key] for each in shown)
        assert one == other


def a_market_that_panics(folder: Path) -> None:
    """Weeks in which the dollars for one ether fall as their variance rises."""
    panic = Heston(start=0.0025, mean=0.0025, reversion=4.0, vol_of_vol=0.14, correlation=-0.9)
    moves = heston_moves(np.random.default_rng(4), 400 * 60, days=1 / 1440, heston=panic)
    # the tick tells ether for one dollar
    ticks = np.rint(TICK - np.cumsum(moves) / LOG_TICK).astype(int)
    minute_file(folder, *minutes_along([TICK, *ticks.tolist()]), name="market.csv")


def test_hestons_correlation_is_of_the_price_that_the_campaign_counts_by(tmp_path: Path) -> None:
    a_market_that_panics(tmp_path)
    in_dollars = asked(tmp_path, *HELD)["heston"]
    in_ether = asked(tmp_path, *HELD, "--quote", "WETH")["heston"]
    assert in_dollars["rho"] < -0.4
    assert in_ether["rho"] > 0.4
    assert in_ether["theta"] == pytest.approx(in_dollars["theta"])


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


def test_a_mean_price_that_may_be_anywhere_is_no_limit(folder: Path) -> None:
    words = ("--limit", "max_twap_deviation_ticks=10000000", "--policy", "fixed_width")
    ended = lpm(folder, *HELD, *words, "--option", "half_width_ticks=300")
    assert ended.code != 0
    (line,) = ended.err.splitlines()
    assert "max_twap_deviation_ticks: should be less than or equal to 100000" in line


def test_the_farthest_mean_price_still_has_its_cost(folder: Path) -> None:
    found = measures(asked(folder, *PLACED, "--limit", "max_twap_deviation_ticks=100000"))
    assert "100000 ticks" in found["TWAP attack cost"]["meaning"]


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
def test_the_senders_of_a_mainnet_hour_are_of_its_file_the_dearest_first(
    tmp_path: Path,
) -> None:
    until = ("--to", "2024-01-05 03:00")
    day = ("--market", str(MAINNET_EVENTS), *POOL, "--value", "10000", "--gas-gwei", "20")
    (campaign,) = asked(tmp_path, *day, *until)["campaigns"].values()
    found = {one["name"]: one for one in campaign["measures"]}
    senders = [name for name in found if name.startswith("markout of 0x")]
    assert len(senders) == 10
    values = [found[name]["value"] for name in senders]
    assert values == sorted(values)
    with gzip.open(MAINNET_EVENTS, "rt") as file:
        known = {row["sender"] for row in csv.DictReader(file)}
    assert {name.removeprefix("markout of ").lower() for name in senders} <= known


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
    # the dollars for one ether rose with their variance, so its token0 fell by token1
    assert heston["rho"] == pytest.approx(0.168, abs=0.001)
    assert forecasts["hours"] == 503
    assert forecasts["used"] == min(forecasts["qlike"], key=forecasts["qlike"].__getitem__)
    assert forecasts["used"] == "HAR 1/6/24"
    assert len(forecasts["qlike"]) == 6
    assert "boosted trees is not used" in forecasts["learned_is_not_used"]
    assert 0.2 < forecasts["volatility"] < 5
