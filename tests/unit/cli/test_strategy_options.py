"""A campaign told on the command line: its deposit, its limits, its gas."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lpmanager.amm.fast.packing import to_limbs
from lpmanager.backtest.markets.gas_prices import FixedGasPrice
from lpmanager.backtest.markets.market import Bars, Market
from lpmanager.chain.presets import presets
from lpmanager.cli.market_option import OpenMarket, pool_of, quote_of
from lpmanager.cli.strategy_options import Strategy, StrategyOptions, settings_of, strategy_of
from lpmanager.errors import ConfigError, UsageError

TOLD = {"policy": "fixed_width", "value": "3000", "gas_gwei": "30", "native_price": "0.5"}
CONFIG = """\
chain = "polygon"
store = "sqlite:///books.db"
[account]
address = "0x00000000000000000000000000000000000000A1"
[campaigns.eth]
pool = "0x45dDa9cb7c25131DF268515131f647d726f50608"
quote = "USDC"
policy = "fixed_width"
target_weight = "0.4"
budget = { USDC = "1000", WETH = "0.25" }
[campaigns.eth.options]
half_width_ticks = 600
[issuers]
USDC = "Circle"
[pegs.USDC]
against = "USDT"
[campaigns.eth.limits]
max_swap_cost_per_day = "5"
max_moves_per_day = 3
"""


def a_market_of(pair: str = "USDC/WETH", chain: str = "polygon", quote: str = "USDC") -> OpenMarket:
    """A minute at tick 203190: 1,500 USDC for a WETH where USDC is token0, about."""
    pool = pool_of(pair, "0.05%", None, presets()[chain])
    tick, nothing = np.array([203_190], np.int32), to_limbs([0], 2)
    bars = Bars(
        time=np.array([1_658_188_800]),
        open=tick,
        low=tick,
        high=tick,
        close=tick,
        in0=nothing,
        in1=nothing,
        liquidity=to_limbs([10**18], 2),
        step_s=60,
    )
    market = Market(
        name="made", chain_id=presets()[chain].chain_id, pool=pool, rows=bars, start=None, notes=()
    )
    return OpenMarket(market=market, chain=presets()[chain], quote=quote_of(pool, quote))


def told(market: OpenMarket | None = None, **options: object) -> Strategy:
    wished = StrategyOptions(**{**TOLD, **options})
    return strategy_of(wished, settings_of(wished), market or a_market_of())


def configured(folder: Path, **options: object) -> Strategy:
    (folder / "lpm.toml").write_text(CONFIG)
    return told(config=folder / "lpm.toml", campaign="eth", policy=None, **options)


def test_a_value_is_split_at_the_first_price_and_rounded_down() -> None:
    usdc, weth = told().terms.deposit.raw
    assert usdc == 1_500 * 10**6
    assert weth == pytest.approx(10**18, rel=3e-3)
    assert told(target_weight="1").terms.deposit.raw[0] == 0


def test_a_budget_is_what_it_says() -> None:
    assert told(value=None, budget="1000.5USDC, 0.5 WETH").terms.deposit.raw == (
        1_000_500_000,
        5 * 10**17,
    )
    assert told(value=None, budget="0.1weth").terms.deposit.raw == (0, 10**17)


def test_gas_is_priced_by_the_pool_where_it_holds_the_coin() -> None:
    market = a_market_of(chain="ethereum")
    terms = told(market, native_price=None).terms
    assert (terms.native_price, terms.wrapped_native) == (None, market.market.pool.token1)
    assert terms.gas == FixedGasPrice(30 * 10**9)
    with pytest.raises(UsageError, match="the pool's own WETH tells it"):
        told(market)


def test_gas_is_priced_in_raw_quote_units_for_a_wei_where_it_does_not() -> None:
    assert told().terms.native_price == Fraction(5 * 10**5, 10**18)
    assert told().terms.wrapped_native is None
    with pytest.raises(UsageError, match="--native-price: missing; no token of the pool is POL"):
        told(native_price=None)


def test_gas_may_be_left_out_but_not_forgotten() -> None:
    assert told(gas_gwei="0", native_price=None).terms.gas == FixedGasPrice(0)
    with pytest.raises(UsageError, match="--gas-gwei: missing"):
        told(gas_gwei=None)


def test_gas_may_be_told_by_a_record(tmp_path: Path) -> None:
    record = tmp_path / "gas.csv"
    record.write_text("block_timestamp,gas_price\n2022-07-19 00:00:00,31.5\n")
    assert told(gas_gwei=None, gas_prices=record).terms.gas.at(1_658_188_860) == 31_500_000_000
    with pytest.raises(UsageError, match="give --gas-gwei or --gas-prices, not both"):
        told(gas_prices=record)
    with pytest.raises(UsageError, match="--native-price: missing"):
        told(gas_gwei=None, gas_prices=record, native_price=None)


def test_a_limit_on_swap_costs_that_is_not_told_is_a_hundredth_of_the_deposit() -> None:
    assert Fraction(told().table.limits.max_swap_cost_per_day) == pytest.approx(30, rel=1e-6)


def test_a_limit_on_gas_that_is_not_told_is_a_hundredth_of_the_deposit_in_coins() -> None:
    """30 of 3,000 USDC: 60 coins at half a dollar; 0.02 at about 1,500."""
    assert told().table.limits.max_gas_per_day == "60.0"
    on_ethereum = told(a_market_of(chain="ethereum"), native_price=None)
    assert on_ethereum.table.limits.max_gas_per_day == "0.0200"


def test_limits_of_money_that_nobody_told_are_said() -> None:
    swaps, gas = told().notes
    assert "a hundredth of the deposit: no --limit max_swap_cost_per_day" in swaps
    assert gas.startswith("Gas may cost at most 60.0 POL a day, a hundredth of the deposit")
    own = told(limit=["max_swap_cost_per_day=7", "max_gas_per_day=3", "min_interval_s=1h"])
    assert own.table.limits.max_swap_cost_per_day == "7"
    assert own.table.limits.min_interval_s == 3_600
    assert own.notes == ()


def test_pace_and_latency_are_taken_over() -> None:
    terms = told(every="30m", latency_blocks=3, trigger_ticks=60).terms
    assert (terms.every_s, terms.latency_blocks, terms.latency_s) == (1_800, 3, 6)
    assert (terms.trigger_ticks, told().terms.trigger_ticks) == (60, None)


def test_a_latency_in_blocks_is_as_many_seconds_as_they_take() -> None:
    arbitrum = a_market_of(chain="arbitrum")
    latencies = {
        blocks: told(arbitrum, native_price=None, latency_blocks=blocks).terms.latency_s
        for blocks in (0, 1, 4, 40)
    }
    assert latencies == {0: 0, 1: 1, 4: 1, 40: 10}


def test_everything_is_taken_from_a_campaign_of_the_configuration(tmp_path: Path) -> None:
    strategy = configured(tmp_path, value=None)
    assert strategy.terms.deposit.raw == (1_000 * 10**6, 25 * 10**16)
    assert strategy.table.options == {"half_width_ticks": 600}
    assert strategy.table.limits.max_moves_per_day == 3
    assert strategy.table.target_weight == Fraction(2, 5)
    assert strategy.terms.surroundings.issuers == {"USDC": "Circle"}
    assert [(peg.token, peg.for_s) for peg in strategy.terms.surroundings.pegs] == [("USDC", 1_800)]


def test_what_is_told_goes_before_the_configuration(tmp_path: Path) -> None:
    strategy = configured(tmp_path, option=["recentre_at=0.5"], limit=["max_moves_per_day=9"])
    assert strategy.table.options["half_width_ticks"] == 600
    assert str(strategy.table.options["recentre_at"]) == "0.5"
    assert strategy.table.limits.max_moves_per_day == 9
    assert strategy.table.limits.max_swap_cost_per_day == "5"
    assert strategy.terms.deposit.raw[0] == 1_800 * 10**6


def test_a_campaign_that_is_not_configured_is_named(tmp_path: Path) -> None:
    (tmp_path / "lpm.toml").write_text(CONFIG)
    with pytest.raises(UsageError, match="there is no 'btc'; the configuration has eth"):
        told(config=tmp_path / "lpm.toml", campaign="btc")
    with pytest.raises(ConfigError, match="there is no such file"):
        told(config=tmp_path / "absent.toml", campaign="eth")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"policy": None}, "--policy: missing"),
        ({"value": None}, "--value: missing"),
        ({"value": "0"}, "--value: expected more than 0"),
        ({"value": "much"}, "--value: 'much' is not a decimal amount"),
        ({"value": "-5"}, "--value: expected more than 0"),
        ({"value": None, "budget": "1WETH,2weth"}, "--budget: names WETH twice"),
        ({"value": None, "budget": "1WETH,2WETH"}, "--budget: names WETH twice"),
        ({"value": "1e60"}, "--value: is more"),
        ({"budget": "1WETH"}, "give --budget or --value, not both"),
        ({"value": None, "budget": "1000"}, "--budget: '1000': expected an amount of each token"),
        ({"value": None, "budget": "1 DAI"}, "--budget: 'DAI' is not one token of the pool"),
        ({"value": None, "budget": "0WETH"}, "--budget: expected more than 0"),
        ({"value": None, "budget": f"{'9' * 90}WETH"}, "--budget: "),
        ({"target_weight": "1.5"}, "--target-weight: expected a share of 1"),
        ({"every": "soon"}, "--every: 'soon'"),
        ({"gas_gwei": "-1"}, "--gas-gwei: expected at least 0"),
        ({"gas_gwei": "x"}, "--gas-gwei: 'x': expected a decimal number"),
        ({"native_price": "0"}, "--native-price: expected more than 0"),
        ({"option": ["half_width_ticks"]}, "--option: 'half_width_ticks': expected KEY=VALUE"),
        ({"limit": ["max_moves=1"]}, "--limit max_moves: unknown key"),
        (
            {"limit": ["max_moves_per_day=many"]},
            "--limit max_moves_per_day: expected a whole",
        ),
    ],
)
def test_what_is_no_campaign_is_wrong_usage(change: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        told(**change)
    assert says in str(refused.value)


def test_a_recorded_market_has_no_calibration_to_believe() -> None:
    options = (
        "multiplier=1",
        "horizon_s=3600",
        "min_half_width_ticks=10",
        "max_half_width_ticks=99",
    )
    by_volatility = {"policy": "volatility_width", "option": [*options, "forecast=calibrated"]}
    with pytest.raises(UsageError, match=r"--option forecast: .* give --option forecast=realised"):
        told(**by_volatility)
    falls_back = [*options, "forecast=calibrated_or_realised"]
    assert told(**{**by_volatility, "option": falls_back}).table.policy == "volatility_width"
