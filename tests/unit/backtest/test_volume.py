"""How much was swapped in a market."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import USDC, WETH, a_token
from market_builders import TICK, a_minute, a_recorded_market, events_of, minute_file

from lpmanager.backtest.markets.market import MINT
from lpmanager.backtest.markets.minutes import read_minutes
from lpmanager.backtest.markets.volume import quote_volume

#: Raw WETH for a raw USDC at the builders' tick.
RATIO = 1.0001**TICK


def test_swaps_of_either_side_count_and_what_is_minted_does_not() -> None:
    rows = (0, 0, 5 * 10**6, -3), (12, 0, -7 * 10**6, 4), (24, 0, 10**6, 1)
    market = a_recorded_market(events_of(*rows, changes={2: (MINT, "[-10, 10)", 1)}))
    assert quote_volume(market, USDC) == pytest.approx(12)
    assert quote_volume(market, WETH) == pytest.approx(7e-18)


def test_of_a_bar_both_sides_count_at_the_price_of_its_close(tmp_path: Path) -> None:
    bars, _ = read_minutes([minute_file(tmp_path, a_minute(inAmount0=10**9, inAmount1=10**18))])
    market = a_recorded_market(bars)
    assert quote_volume(market, USDC) == pytest.approx(1_000 + 1e18 / RATIO / 1e6)
    assert quote_volume(market, WETH) == pytest.approx(1e9 * RATIO / 1e18 + 1)


def test_a_token_of_another_pool_counts_nothing() -> None:
    with pytest.raises(ValueError, match="DAI"):
        quote_volume(a_recorded_market(events_of((0, 0, 1, -1))), a_token("DAI", 18, 9))
