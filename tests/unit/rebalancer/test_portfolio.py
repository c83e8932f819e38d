"""Campaigns of several pools as one portfolio, in one money."""

from __future__ import annotations

import math
import sys

import pytest
from builders import USDC, WETH, a_market, a_pool, a_position, a_record, a_token, a_view

from lpmanager.errors import UsageError
from lpmanager.model import Token
from lpmanager.rebalancer import View
from lpmanager.rebalancer.assessment.portfolio import rates, token_symbols, whole
from lpmanager.rebalancer.at_stake import stake_held
from lpmanager.risk.contagion.exposures import Factor, Kind
from lpmanager.risk.contagion.neighbours import Loan, as_neighbour
from lpmanager.risk.contagion.together import worth_in
from lpmanager.risk.missing import Missing

WBTC = a_token("WBTC", 8, 3)
DAI = a_token("DAI", 18, 4)
USDT = a_token("USDT", 6, 5)


def a_campaign(
    token0: Token,
    token1: Token,
    quote: Token,
    *,
    held: tuple[int, int] = (0, 0),
    number: int = 0xF0,
    tick: int = 0,
    liquidity: int = 0,
    fees: tuple[int, int] = (0, 0),
) -> View:
    pool = a_pool(token0, token1, number)
    positions = (a_position("[-600, 600)", liquidity=liquidity, fees=fees),) if liquidity else ()
    market = a_market(pool=pool, quote=quote, tick=tick, positions=positions)
    return a_view(market, a_record(held, pool=pool))


def test_tokens_are_valued_by_the_pools_on_the_way() -> None:
    """WETH costs 3,000 USDC, WBTC 20 WETH."""
    eth = a_campaign(USDC, WETH, USDC, tick=196_257)
    btc = a_campaign(WETH, WBTC, WETH, tick=-260_222)
    seen = [as_neighbour("", view.snapshot, view.inventory.holdings) for view in (eth, btc)]
    worth = worth_in("USDC", seen)
    assert worth == pytest.approx({"USDC": 1, "WETH": 3_000, "WBTC": 60_000}, rel=1e-3)
    assert rates({"eth": eth, "btc": btc}) == pytest.approx({"eth": 1, "btc": 3_000}, rel=1e-3)


def test_values_that_no_pool_leads_to_cannot_be_added() -> None:
    found = rates({"a": a_campaign(USDC, WETH, USDC), "b": a_campaign(DAI, USDT, DAI)})
    assert isinstance(found, Missing)
    assert "from DAI to USDC" in found.reason
    assert isinstance(whole({"a": a_campaign(USDC, WETH, USDC)}, {}), Missing)


def test_two_tokens_of_a_chain_with_one_symbol_are_told() -> None:
    fake = a_token("USDC", 6, 6)
    views = {"a": a_campaign(USDC, WETH, USDC), "b": a_campaign(WETH, fake, fake)}
    with pytest.raises(UsageError, match="call themselves USDC"):
        token_symbols(views.values())
    found = whole(views, {})
    assert isinstance(found, Missing)
    assert "call themselves USDC" in found.reason


def test_what_is_lent_beside_the_campaigns_hangs_on_its_lender_its_token_and_its_issuer() -> None:
    """Of 2 million USDC half lies with the lender, to which 200,000 are owed in ether."""
    held = a_campaign(USDC, WETH, USDC, held=(10**12, 0))
    ether = worth_in("USDC", [as_neighbour("", held.snapshot, held.inventory.holdings)])["WETH"]
    loans = (
        Loan(lender="Aave", token="USDC", amount=1e6),
        Loan(lender="Aave", token="WETH", amount=-2e5 / ether),
    )
    found = whole({"held": held}, {"USDC": "Circle"}, loans)
    assert not isinstance(found, Missing)
    assert found.exposures.net == pytest.approx(1.8e6)
    assert found.exposures.shares == pytest.approx(
        {
            Factor(Kind.TOKEN, "USDC"): 2 / 1.8,
            Factor(Kind.TOKEN, "WETH"): -0.2 / 1.8,
            Factor(Kind.ISSUER, "Circle"): 2 / 1.8,
            Factor(Kind.LENDER, "Aave"): 1 / 1.8,
        }
    )
    assert not isinstance(found.reach, Missing)
    assert found.reach[Factor(Kind.LENDER, "Aave")] == pytest.approx(1 / 1.8)
    assert found.reach[Factor(Kind.TOKEN, "USDC")] == pytest.approx(2 / 1.8)


def test_what_is_lent_of_a_token_without_a_price_makes_all_shares_unknown() -> None:
    loan = Loan(lender="Aave", token="DAI", amount=1.0)
    found = whole({"held": a_campaign(USDC, WETH, USDC, held=(10**12, 0))}, {}, (loan,))
    assert isinstance(found, Missing)
    assert "lead from DAI to USDC" in found.reason


@pytest.mark.parametrize("amount", [0.0, math.inf, math.nan])
def test_a_loan_of_nothing_is_none(amount: float) -> None:
    with pytest.raises(ValueError, match="lent or owed is finite and not 0"):
        Loan(lender="Aave", token="USDC", amount=amount)


def test_what_all_campaigns_hang_on() -> None:
    """At a raw price of 1 a million million raw units are a million USDC, whichever token."""
    stable = a_campaign(USDC, USDT, USDC, held=(3 * 10**12, 0), number=0xF1)
    ranged = a_campaign(
        USDC, WETH, USDC, held=(0, 10**12), liquidity=10**14, fees=(10**12, 2 * 10**12)
    )
    found = whole({"stable": stable, "ranged": ranged}, {"USDC": "Circle"})
    assert not isinstance(found, Missing)
    shares, held = found.exposures.shares, ranged.inventory.holdings
    inside = held.principal + held.uncollected
    assert held.uncollected.raw == (10**12, 2 * 10**12)
    total = 4 * 10**12 + sum(inside.raw)
    assert found.money == "USDC"
    assert found.exposures.net == pytest.approx(total / 10**6)
    assert shares[Factor(Kind.TOKEN, "WETH")] == pytest.approx((10**12 + inside.raw[1]) / total)
    assert shares[Factor(Kind.TOKEN, "USDC")] == pytest.approx((3 * 10**12 + inside.raw[0]) / total)
    assert shares[Factor(Kind.ISSUER, "Circle")] == shares[Factor(Kind.TOKEN, "USDC")]
    pool = Factor(Kind.POOL, "USDC/WETH 0.05% on chain 31337")
    assert shares[pool] == pytest.approx(sum(inside.raw) / total)
    assert not isinstance(found.reach, Missing)
    assert found.reach[Factor(Kind.TOKEN, "WETH")] == pytest.approx(
        (10**12 + sum(inside.raw)) / total
    )
    assert found.reach[Factor(Kind.TOKEN, "USDT")] == 0
    assert found.reach[Factor(Kind.ISSUER, "Circle")] == pytest.approx(
        (3 * 10**12 + sum(inside.raw)) / total
    )


def test_without_its_library_what_fails_together_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "networkx", None)
    found = whole({"a": a_campaign(USDC, WETH, USDC, held=(10**9, 0))}, {})
    assert not isinstance(found, Missing)
    assert isinstance(found.reach, Missing)
    assert "pip install 'lpmanager[quant]'" in found.reach.reason
    assert found.exposures.shares[Factor(Kind.TOKEN, "USDC")] == 1


def test_shares_are_of_one_money_whatever_each_campaign_counts_in() -> None:
    """3,000 USDC and 1 WETH are as much, and so are both together and a tenth of a WBTC."""
    eth = a_campaign(USDC, WETH, USDC, held=(3_000 * 10**6, 0), tick=196_257)
    btc = a_campaign(WETH, WBTC, WETH, held=(10**18, 10**7), tick=-260_222)
    found = whole({"eth": eth, "btc": btc}, {})
    assert not isinstance(found, Missing)
    assert found.exposures.net == pytest.approx(12_000, rel=1e-3)
    shares = {factor.name: share for factor, share in found.exposures.shares.items()}
    assert shares == pytest.approx({"USDC": 0.25, "WETH": 0.25, "WBTC": 0.5}, rel=1e-3)


def test_campaigns_that_hold_nothing_hang_on_nothing() -> None:
    assert isinstance(whole({"empty": a_campaign(USDC, WETH, USDC)}, {}), Missing)
    assert isinstance(whole({}, {}), Missing)


def test_what_is_held_is_worth_what_the_inventory_says_without_an_outlook() -> None:
    view = a_campaign(USDC, WETH, WETH, held=(10**9, 10**20), liquidity=10**13)
    stake = stake_held(view)
    assert stake.value(stake.sqrt_price) == pytest.approx(float(view.inventory.value) / 10**18)
    assert stake.fee_rate == 0
