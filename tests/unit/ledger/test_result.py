"""The result of a campaign: its terms by hand, and that they add up or say that they do not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from builders import a_pool, a_snapshot, amounts, price_at, wei

from lpmanager.errors import ConfigError
from lpmanager.inventory.holdings import Holdings
from lpmanager.ledger.result import (
    Exchanged,
    Flows,
    SwapRecord,
    result_of,
    split_swap,
    total_cost,
    with_swap,
)
from lpmanager.model import Deposit, SqrtPriceX96, SwapPurpose

POOL = a_pool()
NOTHING = amounts(0, 0)
Q96 = 2**96
#: token1 for token0: 1, 4 and 9, all exact in a sqrtPriceX96
ONE, FOUR, NINE = (SqrtPriceX96(root * Q96) for root in (1, 2, 3))


def a_deposit(raw0: int, raw1: int, sqrt_price_x96: SqrtPriceX96) -> Deposit:
    return Deposit(
        amounts=amounts(raw0, raw1), sqrt_price_x96=sqrt_price_x96, block_number=1, timestamp=1
    )


def flows(*deposits: Deposit, gas: int = 0, swaps: tuple[SwapRecord, ...] = ()) -> Flows:
    return Flows(
        deposits=deposits,
        pool_exchange=NOTHING,
        fees=NOTHING,
        rounding=NOTHING,
        swaps=together(*swaps),
        gas=wei(gas),
    )


def together(*swaps: SwapRecord) -> dict[SwapPurpose, Exchanged]:
    sums: dict[SwapPurpose, Exchanged] = {}
    for swap in swaps:
        sums = with_swap(sums, swap, POOL, POOL.token1)
    return sums


def holding(raw0: int, raw1: int) -> Holdings:
    return Holdings(wallet=amounts(raw0, raw1), principal=NOTHING, uncollected=NOTHING)


def at(sqrt_price_x96: SqrtPriceX96):
    """A snapshot that quotes in token1, so that prices are 1, 4 and 9."""
    return a_snapshot(sqrt_price_x96=sqrt_price_x96, quote=POOL.token1)


def test_what_only_lies_there_has_a_price_move_and_nothing_else() -> None:
    result = result_of(flows(a_deposit(100, 50, ONE)), holding(100, 50), at(FOUR))
    assert (result.nav_start, result.nav_end, result.hodl) == (150, 450, 300)
    assert result.identity_error == 0
    assert result.impermanent_loss == result.fees == result.swap_cost == result.hedge == 0


def test_every_term_of_a_campaign_by_hand() -> None:
    flow = Flows(
        deposits=(a_deposit(1_000, 1_000, ONE), a_deposit(0, 400, FOUR), a_deposit(-10, 0, FOUR)),
        pool_exchange=amounts(-300, 600),
        fees=amounts(7, 9),
        rounding=amounts(1, 2),
        swaps=together(
            SwapRecord(
                purpose=SwapPurpose.RERANGE, delta=amounts(50, -210), sqrt_price_before_x96=FOUR
            ),
            SwapRecord(
                purpose=SwapPurpose.HEDGE, delta=amounts(-20, 70), sqrt_price_before_x96=FOUR
            ),
        ),
        gas=wei(10**9),
    )
    held0 = 1_000 - 10 - 300 + 7 - 1 + 50 - 20
    held1 = 1_000 + 400 + 600 + 9 - 2 - 210 + 70
    result = result_of(flow, holding(held0, held1), at(NINE))
    assert result.nav_start == 2_000
    assert result.net_deposits == 400 - 40
    assert result.hodl == (990 * 9 + 1_400) - (2_000 + 360)
    # the pool's exchange at 9, and the re-range's 50 for 200 of then
    assert result.impermanent_loss == (-300 * 9 + 600) + (50 * 9 - 200)
    assert result.hedge == -20 * 9 + 80
    assert result.swap_cost == (210 - 200) + (80 - 70)
    assert result.fees == 7 * 9 + 9
    assert result.rounding == 1 * 9 + 2
    assert result.gas == 3
    assert result.nav_end == held0 * 9 + held1 - 3
    assert result.hodl_value == 990 * 9 + 1_400
    assert result.identity_error == 0


@pytest.mark.parametrize("term", ["pool_exchange", "fees", "rounding"])
def test_a_flow_that_is_one_unit_wrong_shows_as_an_error_of_the_identity(term: str) -> None:
    wrong = replace(flows(a_deposit(100, 50, ONE)), **{term: amounts(0, 1)})
    assert abs(result_of(wrong, holding(100, 50), at(FOUR)).identity_error) == 1


def test_holdings_that_are_one_unit_short_show_as_an_error_of_the_identity() -> None:
    result = result_of(flows(a_deposit(100, 50, ONE)), holding(99, 50), at(FOUR))
    assert result.identity_error == -4


def test_a_swap_without_a_counterpart_in_the_holdings_shows_too() -> None:
    swap = SwapRecord(purpose=SwapPurpose.HEDGE, delta=amounts(-5, 15), sqrt_price_before_x96=FOUR)
    booked = flows(a_deposit(100, 50, ONE), swaps=(swap,))
    assert result_of(booked, holding(100, 50), at(FOUR)).identity_error == 5


def test_a_swap_is_split_the_same_way_whichever_token_is_the_quote() -> None:
    delta = amounts(-100, 390)
    in_token1 = POOL.price(POOL.token1, FOUR)
    base, fair, cost = split_swap(delta, in_token1)
    assert (base.raw, fair, cost) == (-100, 400, 10)
    in_token0 = POOL.price(POOL.token0, FOUR)
    base, fair, cost = split_swap(delta, in_token0)
    assert (base.raw, fair, cost) == (390, Fraction(-195, 2), Fraction(5, 2))


def test_costs_of_swaps_add_up_each_at_the_price_of_its_own_time() -> None:
    swaps = [
        SwapRecord(purpose=p, delta=amounts(-10, raw), sqrt_price_before_x96=price)
        for p, raw, price in ((SwapPurpose.HEDGE, 9, ONE), (SwapPurpose.RERANGE, 38, FOUR))
    ]
    assert total_cost(swaps, at(NINE)) == 1 + 2


def test_swaps_of_one_purpose_add_up_to_what_each_of_them_was() -> None:
    bought = SwapRecord(
        purpose=SwapPurpose.HEDGE, delta=amounts(10, -45), sqrt_price_before_x96=FOUR
    )
    sold = SwapRecord(purpose=SwapPurpose.HEDGE, delta=amounts(-4, 35), sqrt_price_before_x96=NINE)
    sums = together(bought, sold)
    assert sums == {SwapPurpose.HEDGE: Exchanged(base_raw=6, fair=-40 + 36, cost=5 + 1)}


def test_terms_are_printed_as_exact_decimals_of_whole_quote_tokens() -> None:
    snapshot = a_snapshot(sqrt_price_x96=FOUR)  # quotes in the 6-digit token0; token1 costs 1/4
    result = result_of(
        flows(a_deposit(1_500_000, 0, ONE), gas=10**12), holding(1_500_000, 1), snapshot
    )
    printed = result.in_quote()
    assert printed["nav_start"] == "1.5"
    assert printed["gas"] == "0.003"
    assert printed["nav_end"] == "1.49700025"
    assert printed["identity_error"] == "0.00000025"
    assert printed["impermanent_loss"] == "0"


def test_a_price_without_an_end_still_gives_decimals_that_end() -> None:
    snapshot = a_snapshot(sqrt_price_x96=NINE)  # token1 costs 1/9 of token0
    result = result_of(flows(a_deposit(0, 10**18, NINE)), holding(0, 10**18), snapshot)
    assert result.in_quote()["nav_end"].startswith("111111111111.1111")
    assert result.identity_error == 0


def test_gas_that_nothing_prices_is_refused() -> None:
    snapshot = a_snapshot(prices_gas=False)
    with pytest.raises(ConfigError, match="native_pool"):
        result_of(flows(a_deposit(1, 1, price_at(0)), gas=1), holding(1, 1), snapshot)


def test_no_gas_needs_no_price_of_it() -> None:
    snapshot = a_snapshot(prices_gas=False)
    assert result_of(flows(a_deposit(1, 1, price_at(0))), holding(1, 1), snapshot).gas == 0


def test_before_the_first_deposit_there_is_no_result() -> None:
    with pytest.raises(ValueError, match="first deposit"):
        result_of(flows(), holding(0, 0), a_snapshot())
