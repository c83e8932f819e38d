"""What names a market on the command line, and what is said where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from lpmanager.backtest.store.shelf import write_market
from lpmanager.chain.presets import presets
from lpmanager.cli.market_option import (
    MarketOptions,
    OpenMarket,
    chain_named,
    is_wrapped_coin,
    open_market,
    pool_of,
    quote_of,
)
from lpmanager.errors import MarketDataError, UsageError

POLYGON, BNB, ETHEREUM = (presets()[name] for name in ("polygon", "bnb", "ethereum"))
HEADER = (
    "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,inAmount0,"
    "inAmount1,currentLiquidity"
)
FILE = {"pair": "USDC/WETH", "fee": "0.05%", "chain": "polygon"}


def minutes(folder: Path, count: int = 5, tick: int = 202_693) -> Path:
    """A file of so many minutes from 2022-07-19 on, at one price."""
    rows = [
        f"2022-07-19 00:{minute:02}:00,0,0,{tick},{tick},{tick},{tick},1000000,0,422680516552367239"
        for minute in range(count)
    ]
    path = folder / "minutes.csv"
    path.write_text("\n".join([HEADER, *rows, ""]))
    return path


def opened(path: Path, chains: Mapping[str, object] | None = None, **options: object) -> OpenMarket:
    return open_market(MarketOptions(market=path, **options), chains or presets())


def test_a_file_is_read_with_the_terms_of_its_pool(tmp_path: Path) -> None:
    found = opened(minutes(tmp_path), **FILE)
    pool = found.market.pool
    assert (pool.token0.symbol, pool.token0.decimals) == ("USDC", 6)
    assert (pool.token1.symbol, pool.token1.decimals) == ("WETH", 18)
    assert (pool.fee_pips, pool.tick_spacing, found.market.chain_id) == (500, 10, 137)
    assert (found.quote, found.base) == (pool.token0, pool.token1)
    assert len(found.market.rows) == 5
    assert any("made-up ones stand for them" in note for note in found.market.notes)


def test_made_up_addresses_are_the_same_each_time_and_differ_from_one_another() -> None:
    pool, again = (pool_of("USDC/WETH", "0.05%", None, POLYGON) for _ in range(2))
    assert pool == again
    assert len({pool.address, pool.token0.address, pool.token1.address}) == 3
    assert pool_of("USDC/WETH", "0.05%", None, BNB).token0.address != pool.token0.address


def test_the_wrapped_coin_of_the_chain_is_known_by_its_name() -> None:
    assert is_wrapped_coin(pool_of("USDC/WETH", "500", None, ETHEREUM).token1, ETHEREUM)
    assert is_wrapped_coin(pool_of("WMATIC/USDC", "500", None, POLYGON).token0, POLYGON)
    assert not is_wrapped_coin(pool_of("USDC/WETH", "500", None, POLYGON).token1, POLYGON)


def test_decimals_are_those_given_or_those_of_the_chain() -> None:
    assert pool_of("USDC/WETH", "500", None, BNB).token0.decimals == 18
    assert pool_of("USDC:6/ABC:9", "500", None, BNB).token1.decimals == 9


def test_the_window_is_the_part_that_was_asked_for(tmp_path: Path) -> None:
    path = minutes(tmp_path)
    found = opened(path, **FILE, start="2022-07-19 00:02", end="1658188980")
    assert len(found.market.rows) == 1
    with pytest.raises(MarketDataError, match=r"minutes\.csv: no rows from 2023-01-01"):
        opened(path, **FILE, start="2023-01-01")


def test_a_store_tells_all_of_a_pool_by_itself(tmp_path: Path) -> None:
    filed = opened(minutes(tmp_path), **FILE).market
    store = tmp_path / "store"
    store.mkdir()
    write_market(store, filed)
    found = opened(store)
    assert (found.market.pool, found.chain) == (filed.pool, POLYGON)
    assert len(opened(store, start="2022-07-19 00:04").market.rows) == 1
    with pytest.raises(UsageError, match="--pair: is for a file"):
        opened(store, pair="USDC/WETH")
    with pytest.raises(UsageError, match="store: is of chain 137, which is no preset"):
        opened(store, {"ethereum": ETHEREUM})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"pair": None}, "--pair: missing"),
        ({"fee": None}, "--fee: missing"),
        ({"chain": None}, "--chain: missing"),
        ({"pair": "USDC"}, "expected two tokens"),
        ({"pair": "USDC/USDC"}, "two different tokens"),
        ({"pair": "USDC/ABC"}, "--pair: ABC: give its decimals too"),
        ({"pair": "USDC:six/WETH"}, "expected a token and its decimals"),
        ({"pair": "USDC:78/WETH"}, "decimals must be in"),
        ({"fee": "0.05"}, "--fee: '0.05': expected the fee in percent"),
        ({"fee": "0.03%"}, "--spacing: missing"),
        ({"chain": "polygone"}, "there is no chain 'polygone'; there are ethereum (1)"),
        ({"quote": "DAI"}, "--quote: 'DAI' is not one token of the pool"),
        ({"start": "yesterday"}, "--from: 'yesterday': expected a date"),
        ({"start": "2022-07-20", "end": "2022-07-19"}, "--to: 2022-07-19 is not after"),
    ],
)
def test_what_does_not_name_a_market_is_wrong_usage(
    change: dict[str, object], says: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as refused:
        opened(minutes(tmp_path), **{**FILE, **change})
    assert says in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match=r"absent\.csv: cannot be read"):
        opened(tmp_path / "absent.csv", **FILE)


def test_a_pair_that_the_price_contradicts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="not plausible"):
        opened(minutes(tmp_path), **{**FILE, "pair": "WETH/USDC"})


def test_a_chain_is_named_by_its_name_or_its_id() -> None:
    assert chain_named("137", presets()) is chain_named("polygon", presets())


def test_value_is_counted_in_the_only_dollar_and_otherwise_must_be_said() -> None:
    pool = pool_of("WETH/USDC", "500", None, ETHEREUM)
    assert quote_of(pool, None) == pool.token1
    assert quote_of(pool, "weth") == pool.token0
    two = pool_of("USDC/USDT", "0.01%", None, ETHEREUM)
    for no_choice in (two, replace(pool, token1=replace(pool.token1, symbol="ABC"))):
        with pytest.raises(UsageError, match="--quote: missing"):
            quote_of(no_choice, None)
