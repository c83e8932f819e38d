"""What a pool of two tokens that should be equal tells of their pegs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from builders import BLOCK_TIME_S, USDC, WETH, a_pool, a_token
from order_flow_builders import a_flow, a_swap, after

from lpmanager.model import Snapshot, Token
from lpmanager.risk.contagion.depeg import Peg, PegState
from lpmanager.risk.contagion.own_peg import own_peg
from lpmanager.risk.missing import Missing

USDT = a_token("USDT", 6, 5)
DAI = a_token("DAI", 18, 4)
PEG = Peg(token="USDC", against="USDT", value=1.0, tolerance=0.01, for_s=600)
LAST = 100


def pool_of(token0: Token, token1: Token, ticks: dict[int, int]) -> Snapshot:
    """Swaps in these of a hundred blocks that left the price at these ticks, the last to stay."""
    swaps = [a_swap(block, tick=tick) for block, tick in ticks.items()]
    newest = list(ticks.values())[-1] if ticks else 0
    return replace(after(swaps, last_block=LAST, tick=newest), pool=a_pool(token0, token1))


def state(snapshot: Snapshot, peg: Peg = PEG) -> PegState:
    found = own_peg(snapshot, peg)
    assert isinstance(found, PegState)
    return found


def test_a_token_fails_that_was_off_its_peg_for_long_enough() -> None:
    """200 ticks are 2 %; 50 blocks are 600 s."""
    assert state(pool_of(USDC, USDT, {40: -200})).failing
    assert state(pool_of(USDC, USDT, {40: -200})).deviation == pytest.approx(1.0001**-200 - 1)
    assert not state(pool_of(USDC, USDT, {40: 0, 60: -200})).failing
    assert not state(pool_of(USDC, USDT, {40: -200, 99: 0})).failing


@pytest.mark.parametrize(("token0", "token1", "sign"), [(USDC, USDT, 1), (USDT, USDC, -1)])
def test_the_price_is_of_the_token_whichever_comes_first_in_the_pool(
    token0: Token, token1: Token, sign: int
) -> None:
    found = state(pool_of(token0, token1, {40: -200}))
    assert found.deviation == pytest.approx(1.0001 ** (-200 * sign) - 1)


def test_prices_are_of_whole_tokens() -> None:
    """DAI has 12 decimals more than USDC."""
    tick = round(-12 * math.log(10) / math.log(1.0001))
    peg = replace(PEG, token="DAI", against="USDC")
    assert state(pool_of(DAI, USDC, {40: tick}), peg).deviation == pytest.approx(0, abs=1e-4)


def test_a_pool_in_which_nobody_trades_keeps_its_price() -> None:
    still = replace(pool_of(USDC, USDT, {}), flow=a_flow([], last_block=LAST))
    assert state(still).deviation == pytest.approx(0)
    short = replace(still, flow=replace(still.flow, seconds=599))
    assert isinstance(own_peg(short, PEG), Missing)


def test_swaps_that_do_not_reach_back_tell_nothing() -> None:
    found = own_peg(pool_of(USDC, USDT, {90: -200}), PEG)
    assert found == Missing(
        f"the peg of USDC needs prices of the last 600 s; they reach back {10 * BLOCK_TIME_S} s"
    )
    assert isinstance(own_peg(replace(pool_of(USDC, USDT, {}), flow=None), PEG), Missing)


def test_a_pool_of_other_tokens_has_no_word_on_it() -> None:
    assert own_peg(pool_of(USDC, WETH, {40: 0}), PEG) is None
    assert own_peg(pool_of(DAI, USDT, {40: 0}), PEG) is None
