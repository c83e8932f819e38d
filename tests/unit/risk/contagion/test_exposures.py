"""How much of everything hangs on one token, issuer, pool or lender."""

from __future__ import annotations

import math

import pytest

from lpmanager.risk.contagion.exposures import (
    Exposures,
    Factor,
    Holding,
    Kind,
    OverCap,
    Portfolio,
    exposures,
    over_caps,
)
from lpmanager.risk.missing import Missing

POOLS = {"eth/usdc": ("WETH", "USDC"), "usdc/dai": ("USDC", "DAI")}
ISSUERS = {"USDC": "Circle", "EURC": "Circle"}
HOLDINGS = (
    Holding(campaign="a", token="WETH", value=400, pool="eth/usdc"),
    Holding(campaign="a", token="USDC", value=200, pool="eth/usdc"),
    Holding(campaign="b", token="DAI", value=300, pool="usdc/dai"),
    Holding(campaign="b", token="EURC", value=100),
    Holding(campaign="b", token="USDC", value=500, lender="Aave"),
    Holding(campaign="b", token="WETH", value=-500, lender="Aave"),
)
PORTFOLIO = Portfolio(holdings=HOLDINGS, pools=POOLS, issuers=ISSUERS)


def found(portfolio: Portfolio = PORTFOLIO) -> Exposures:
    result = exposures(portfolio)
    assert isinstance(result, Exposures)
    return result


def share(kind: Kind, name: str) -> float:
    return found().shares[Factor(kind, name)]


def test_shares_are_of_all_that_is_held_less_what_is_owed() -> None:
    assert found().net == 1_000
    assert share(Kind.TOKEN, "USDC") == 0.7
    assert share(Kind.POOL, "eth/usdc") == 0.6


def test_a_debt_is_taken_off_its_token_and_may_outweigh_it() -> None:
    assert share(Kind.TOKEN, "WETH") == pytest.approx(-0.1)


def test_what_is_owed_to_a_lender_is_not_saved_when_it_fails() -> None:
    assert share(Kind.LENDER, "Aave") == 0.5


def test_tokens_of_one_issuer_stand_and_fall_together() -> None:
    assert share(Kind.ISSUER, "Circle") == pytest.approx(0.8)


def test_shares_of_tokens_add_up_to_everything() -> None:
    tokens = [value for factor, value in found().shares.items() if factor.kind is Kind.TOKEN]
    assert math.fsum(tokens) == pytest.approx(1)


def test_what_is_beyond_its_cap_is_named_the_worst_first() -> None:
    over = over_caps(found(), {Kind.TOKEN: 0.5, Kind.ISSUER: 0.4, Kind.LENDER: 0.5})
    assert over == (
        OverCap(Factor(Kind.ISSUER, "Circle"), pytest.approx(0.8), 0.4),
        OverCap(Factor(Kind.TOKEN, "USDC"), 0.7, 0.5),
    )


def test_a_debt_beyond_the_cap_counts_as_a_holding_does() -> None:
    (over,) = over_caps(found(), {Kind.TOKEN: 0.69, Kind.POOL: 0.9})
    assert over.factor.name == "USDC"
    short = (HOLDINGS[4], Holding(campaign="b", token="WETH", value=-400, lender="Aave"))
    shorted = found(Portfolio(holdings=short, pools={}, issuers={}))
    over_both = over_caps(shorted, {Kind.TOKEN: 3})
    assert [each.share for each in over_both] == [5.0, -4.0]


def test_a_portfolio_without_value_has_no_shares() -> None:
    nothing = exposures(Portfolio(holdings=(), pools={}, issuers={}))
    assert isinstance(nothing, Missing)
    owed = exposures(Portfolio(holdings=(HOLDINGS[5],), pools={}, issuers={}))
    assert isinstance(owed, Missing)
    assert "-500" in owed.reason


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Holding(campaign="a", token="WETH", value=value)


def test_a_holding_is_in_one_place() -> None:
    with pytest.raises(ValueError, match="neither lent nor owed"):
        Holding(campaign="a", token="WETH", value=1, pool="p", lender="l")
    with pytest.raises(ValueError, match="neither lent nor owed"):
        Holding(campaign="a", token="WETH", value=-1, pool="p")


def test_a_token_that_its_pool_does_not_have_is_refused() -> None:
    stray = Holding(campaign="a", token="DAI", value=1, pool="eth/usdc")
    with pytest.raises(ValueError, match="not a token of pool"):
        Portfolio(holdings=(stray,), pools=POOLS, issuers={})
