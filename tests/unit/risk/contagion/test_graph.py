"""Failures reach campaigns through lenders, pools and issuers."""

from __future__ import annotations

import pytest

from lpmanager.risk.contagion.exposures import Factor, Holding, Kind, Portfolio
from lpmanager.risk.contagion.graph import Campaign, exposure_graph, hit_by

PORTFOLIO = Portfolio(
    holdings=(
        Holding(campaign="a", token="WETH", value=400, pool="eth/usdc"),
        Holding(campaign="a", token="USDC", value=200, pool="eth/usdc"),
        Holding(campaign="b", token="DAI", value=300, lender="Aave"),
        Holding(campaign="b", token="WETH", value=-100, lender="Aave"),
        Holding(campaign="b", token="DAI", value=50),
    ),
    pools={"eth/usdc": ("WETH", "USDC")},
    issuers={"USDC": "Circle", "DAI": "Sky"},
)
GRAPH = exposure_graph(PORTFOLIO)


def test_a_failing_issuer_hits_all_that_is_in_pools_with_its_tokens() -> None:
    assert hit_by(GRAPH, Factor(Kind.ISSUER, "Circle")) == {"a": 600}


def test_a_failing_token_hits_what_is_lent_beside_what_lies_there() -> None:
    assert hit_by(GRAPH, Factor(Kind.TOKEN, "DAI")) == {"b": 350}


def test_a_failing_place_hits_what_is_in_it() -> None:
    assert hit_by(GRAPH, Factor(Kind.LENDER, "Aave")) == {"b": 300}
    assert hit_by(GRAPH, Factor(Kind.POOL, "eth/usdc")) == {"a": 600}


def test_what_one_owes_hangs_on_nobody() -> None:
    assert "b" not in hit_by(GRAPH, Factor(Kind.TOKEN, "WETH"))


@pytest.mark.parametrize("token", ["WETH", "USDC"])
def test_a_failing_token_hits_all_that_is_in_its_pool(token: str) -> None:
    assert hit_by(GRAPH, Factor(Kind.TOKEN, token)) == {"a": 600}


def test_holdings_in_one_place_are_one_edge() -> None:
    edge = GRAPH.get_edge_data(Campaign("a"), Factor(Kind.POOL, "eth/usdc"))
    assert edge == {"value": 600}


def test_what_nobody_hangs_on_is_refused() -> None:
    with pytest.raises(ValueError, match="no token 'PEPE'"):
        hit_by(GRAPH, Factor(Kind.TOKEN, "PEPE"))
