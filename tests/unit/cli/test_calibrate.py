"""`lpm calibrate` as a person types it, on a market that was recorded."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import a_pool, price_at
from calibration_builders import a_calibration, a_toxic_hour
from empty_store import put_empty_store
from market_builders import MIDNIGHT, a_recorded_market, events_of
from typed_here import Ended, typed_here

from lpmanager.backtest.markets.events import EVENT_COLUMNS
from lpmanager.backtest.store.shelf import write_market
from lpmanager.cli.calibration_words import print_calibration
from lpmanager.ledger.calibrations import kept_calibration
from lpmanager.ledger.store import Ledger
from lpmanager.risk.calibration.calibration import (
    Calibration,
    ToxicityCalibration,
    VolatilityCalibration,
)
from lpmanager.risk.calibration.rules import next_variance
from lpmanager.risk.implied_volatility import annual_volatility
from lpmanager.risk.missing import Missing

BEGINS = datetime(2024, 1, 1, tzinfo=UTC)
MARKET = ("--pair", "USDC/WETH", "--fee", "0.05%", "--chain", "ethereum")
OTHER = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
CONFIG = """\
chain = "ethereum"
store = "sqlite:///books.db"
[account]
address = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
"""
CAMPAIGN = """\
[campaigns.{name}]
pool = "0xd0b53D9277642d899DF5C87A3966A349A798F224"
quote = "USDC"
policy = "passive"
[campaigns.{name}.options]
half_width_ticks = 100
order_width_ticks = 20
[campaigns.{name}.limits]
max_swap_cost_per_day = "5"
"""


def market_file(folder: Path, ticks: Iterable[int], name: str = "events.csv") -> None:
    """A swap every five minutes that leaves the price at the next of these ticks."""
    lines = [",".join(EVENT_COLUMNS)]
    for number, tick in enumerate(ticks):
        when = BEGINS + timedelta(minutes=5 * number)
        cells = (number + 1, f"{when:%Y-%m-%d %H:%M:%S}", "SWAP", 0, -(10**9), 10**18, 10**19)
        lines.append(",".join(map(str, (*cells, price_at(tick), tick, "", "", ""))))
    (folder / name).write_text("\n".join(lines) + "\n")


def walk(steps: int) -> list[int]:
    """Ticks of a price that is wild for an hour in eight."""
    rng, ticks = random.Random(4), [199_000]
    for step in range(steps):
        ticks.append(ticks[-1] + round(rng.gauss(0, 40 if step // 12 % 8 == 0 else 10)))
    return ticks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put_empty_store(tmp_path / "books.db")
    (tmp_path / "lpmanager.toml").write_text(CONFIG + CAMPAIGN.format(name="eth"))
    return tmp_path


def lpm(folder: Path, *words: str) -> Ended:
    return typed_here(folder, "calibrate", *words)


def kept(folder: Path) -> Calibration | Missing:
    ledger = Ledger.read(f"sqlite:///{folder}/books.db")
    found = kept_calibration(ledger.engine, "eth")
    ledger.engine.dispose()
    return found


def test_a_recorded_market_is_learned_from_and_the_result_kept(folder: Path) -> None:
    hours = 388
    market_file(folder, walk(12 * hours))
    done = lpm(folder, "eth", "--market", "events.csv", *MARKET, "--json")
    assert done.code == 0, done.err
    assert "its newest data is too old for cycles of now" in done.err
    told = json.loads(done.out)["campaigns"]["eth"]
    made = kept(folder)
    assert isinstance(made, Calibration), made
    ended = BEGINS + timedelta(hours=hours)
    assert told["made_at"] == made.made_at == int(ended.timestamp())
    found = made.volatility
    assert isinstance(found, VolatilityCalibration), found
    assert told["volatility"]["qlike"] == {score.name: score.qlike for score in found.scores}
    assert {"EWMA 0.94", "HAR 1/6/24", "GARCH(1,1)-t", "boosted trees"} <= {
        score.name for score in found.scores
    }
    rate = next_variance(found.rule, found.recent) / 3_600
    assert told["volatility"]["next_hour"] == annual_volatility(rate)
    assert told["regimes"]["turbulent"] > 2 * told["regimes"]["calm"]
    assert told["last_change"]["missing"] is None
    toxic = made.toxicity
    assert isinstance(toxic, ToxicityCalibration), toxic
    # the last five minutes of swaps do not show yet what they cost
    assert toxic.begins == made.made_at - 300
    assert told["toxicity"] == {
        "missing": None,
        "begins": toxic.begins,
        "seconds": 3_600,
        "next_hour": toxic.contest.share_believed,
        "hours": hours // 2,
        "mean_squared_error": {
            "learned": toxic.contest.learned,
            "fading mean": toxic.contest.ewma,
        },
        "learned_is_used": toxic.contest.learned_wins,
    }


def test_a_history_that_is_long_enough_for_a_part_says_what_the_others_need(folder: Path) -> None:
    market_file(folder, walk(12 * 12))
    done = lpm(folder, "--market", "events.csv", *MARKET)
    assert done.code == 0, done.err
    told = " ".join(done.out.split())
    assert "eth: calibrated up to 2024-01-01 12:00:00 UTC" in told
    assert "volatility unknown: a contest needs 50 periods" in told
    assert "the second with a chance of" in told
    assert "toxic flow unknown: learned toxicity needs 300 periods of 3600 s, found 11" in told


def test_both_forecasts_of_toxic_flow_read_well(capsys: pytest.CaptureFixture[str]) -> None:
    begins = int(BEGINS.timestamp())
    for wins, said in (
        (
            True,
            "toxic flow 80.0% of volume in the hour from 2024-01-01 00:00:00 UTC on, as learned:",
        ),
        (False, "toxic flow 50.0% of volume in the hour from 2024-01-01 00:00:00 UTC on, by the"),
    ):
        toxicity = a_toxic_hour(begins, 0.8, wins=wins)
        print_calibration("eth", a_calibration(begins, toxicity=toxicity))
        assert said in " ".join(capsys.readouterr().out.split())


def test_too_short_a_history_leaves_the_calibration_before_it(folder: Path) -> None:
    market_file(folder, walk(12 * 12))
    market_file(folder, walk(3), "short.csv")
    assert lpm(folder, "--market", "events.csv", *MARKET).code == 0
    before = kept(folder)
    done = lpm(folder, "--market", "short.csv", *MARKET)
    assert done.code == 1
    assert "campaign eth: nothing could be calibrated: a period needs 12 returns" in done.err
    assert kept(folder) == before
    assert isinstance(before, Calibration)


def test_a_market_is_the_history_of_one_campaign_and_of_its_quote_token(folder: Path) -> None:
    market_file(folder, walk(3))
    wrong = lpm(folder, "--market", "events.csv", "--pair", "USDT/WETH", *MARKET[2:])
    assert wrong.code == 2
    assert "--quote: 'USDC' is not one token of the pool" in wrong.err
    other = CAMPAIGN.format(name="btc").replace("0xd0b53D9277642d899DF5C87A3966A349A798F224", OTHER)
    (folder / "lpmanager.toml").write_text(CONFIG + CAMPAIGN.format(name="eth") + other)
    done = lpm(folder, "--market", "events.csv", *MARKET)
    assert done.code == 2
    assert "--market: is the history of one pool" in done.err
    told = lpm(folder, "--pair", "USDC/WETH")
    assert told.code == 2
    assert "--market: missing; --pair is about a recorded market" in told.err


def test_a_store_of_another_pool_is_refused(folder: Path) -> None:
    market = a_recorded_market(events_of((MIDNIGHT, 0, 1, -1), (MIDNIGHT + 300, 5, 1, -1)))
    write_market(folder / "markets", market)
    wrong = lpm(folder, "--market", "markets")
    assert wrong.code == 2
    assert f"markets is of the pool {a_pool().address}, but campaign eth manages" in wrong.err
    own = CAMPAIGN.format(name="eth").replace(
        "0xd0b53D9277642d899DF5C87A3966A349A798F224", a_pool().address
    )
    (folder / "lpmanager.toml").write_text(CONFIG + own)
    assert "nothing could be calibrated" in lpm(folder, "--market", "markets").err
