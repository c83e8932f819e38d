"""Amounts as a person types them."""

from __future__ import annotations

import pytest
from builders import a_pool

from lpmanager.devnet.funds import funds_in, parse_funds
from lpmanager.errors import UsageError


def test_funds_are_read_in_the_pools_order_whatever_the_order_typed() -> None:
    funds = funds_in(a_pool(), parse_funds(["0.5 WETH", "1000 USDC"]))
    assert funds.raw == (1_000 * 10**6, 5 * 10**17)


def test_a_token_may_be_named_by_its_address_or_in_small_letters() -> None:
    usdc = a_pool().token0
    assert funds_in(a_pool(), {usdc.address.lower(): "1"}).raw == (10**6, 0)
    assert funds_in(a_pool(), {"weth": "1"}).raw == (0, 10**18)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["22"], "expected an amount and a token"),
        (["1 DAI"], "'DAI' does not name one token of the pool"),
        (["many WETH"], "'many' is not a decimal amount of WETH"),
        (["0 WETH"], "expected amounts above 0"),
        (["-1 WETH", "5 USDC"], "expected amounts above 0"),
    ],
)
def test_what_is_no_amount_of_the_pools_tokens_is_refused(texts: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        funds_in(a_pool(), parse_funds(texts))
