"""What a report says of gas over fees and of hindsight."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from builders import USDC, a_market, a_record, a_view, price_at

from lpmanager.cli.worth import Worth, worth_json, worth_of, worth_rows
from lpmanager.ledger.diary import CycleRow
from lpmanager.ledger.result import Flows, Result, result_of
from lpmanager.model import Amount, Deposit
from lpmanager.rebalancer import View
from lpmanager.risk.lookback import hindsight_price
from lpmanager.risk.missing import Missing
from lpmanager.risk.regret import Regret

HOUR = 3_600


def held_since(hours: int) -> tuple[View, Result]:
    """One WETH and some USDC put in so many hours ago, and nothing done but a fee of 3 earned."""
    view = a_view(a_market(), a_record((10**12, 10**18), fees=(3 * 10**6, 0), gas_ever=5 * 10**14))
    block, pool = view.snapshot.block, view.snapshot.pool
    deposit = Deposit(
        amounts=pool.amounts(10**12, 10**18),
        sqrt_price_x96=price_at(0),
        block_number=block.number - hours,
        timestamp=block.timestamp - hours * HOUR,
    )
    nothing = pool.amounts(0, 0)
    flows = Flows(
        deposits=(deposit,),
        pool_exchange=nothing,
        fees=nothing,
        rounding=nothing,
        swaps={},
        gas=Amount(view.snapshot.wallet.native.token, 0),
    )
    result = result_of(flows, view.inventory.holdings, view.snapshot)
    return replace(view, record=replace(view.record, deposits=(deposit,))), result


def cycles(view: View, hours: int) -> list[CycleRow]:
    """One every hour, with the price at 0 and at 100 ticks in turn; and one before the deposit."""
    now = view.snapshot.block.timestamp
    return [
        CycleRow(
            block_number=1,
            timestamp=now - back * HOUR,
            sqrt_price_x96=price_at(100 * (back % 2)),
            decision={},
            acted=False,
            stopped=None,
        )
        for back in range(hours + 1, 0, -1)
    ]


def test_hindsight_is_told_over_the_prices_of_the_campaigns_cycles() -> None:
    view, result = held_since(24)
    told = worth_of(view, result, cycles(view, 24))
    assert isinstance(told.regret, Regret)
    rate = (100 * math.log(1.0001)) ** 2 / HOUR
    # a raw USDC for a raw WETH, which has 12 decimals more
    worth = hindsight_price(price=10.0**12, variance_rate=rate, seconds=24 * HOUR)
    assert told.regret.hindsight == pytest.approx(worth)
    assert told.regret.behind == pytest.approx(worth)
    assert told.gas_to_fees == pytest.approx(0.5)


def test_a_report_says_it_to_people_and_to_programs() -> None:
    known = Worth(gas_to_fees=0.125, regret=Regret(hindsight=80.0, behind=-2.5))
    assert [value for _, value in worth_rows(known, USDC)] == [
        "12.5%",
        "80.0000 USDC",
        "-2.5000 USDC",
    ]
    assert worth_json(known) == {
        "gas_to_fees": 0.125,
        "hindsight": 80.0,
        "behind_hindsight": -2.5,
        "unknown": {},
    }


def test_what_is_unknown_says_why() -> None:
    view, result = held_since(3)
    told = worth_of(view, result, cycles(view, 3))
    assert isinstance(told.regret, Missing)
    shown = worth_json(told)
    assert shown["hindsight"] is None
    assert "found 3" in shown["unknown"]["hindsight"]
    assert any("found 3" in value for _, value in worth_rows(told, USDC))
    assert Fraction(result.identity_error) == 0
