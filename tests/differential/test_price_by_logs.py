"""The pool's price at the end of every block, by its logs, against what the contract says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from devnet_world import PRICE, World, a_world
from meddling import Forgetful

from lpmanager.chain.history import price_by_logs
from lpmanager.chain.node import Node
from lpmanager.venues import uniswap_v3


@pytest.fixture(params=["eth-tester", "anvil"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Others swap both ways, mint and burn between, in blocks of their own."""
    with a_world(request.param) as made:
        owner = made.backend.accounts[3]
        made.trade(10**9, zero_for_one=True)
        token_id = made.mint(owner, "[198000, 200000)", 10**9, 10**18)
        made.trade(10**18, zero_for_one=False)
        (held,) = made.read(owner).positions
        made.close(owner, token_id, held.liquidity)
        made.trade(3 * 10**9, zero_for_one=True)
        made.provide(198_000, 200_000, 10**15)
        yield made


@pytest.mark.parametrize("most_blocks", [1, 7, 2_000])
def test_the_price_by_logs_is_the_price_by_state_at_every_block(
    world: World, most_blocks: int
) -> None:
    """However few blocks the node searches at once."""
    pool, head = world.pool.address, world.node.head()
    node = Node(Forgetful(world.backend.transport, most_blocks), world.backend.chain_id)
    born = head.number
    while world.node.call(uniswap_v3.slot0(pool), world.node.block(born - 1)).sqrt_price_x96:
        born -= 1
    prices = []
    for height in range(born, head.number + 1):
        by_state = world.node.call(uniswap_v3.slot0(pool), world.node.block(height))
        prices.append(price_by_logs(node, pool, height))
        assert prices[-1] == by_state.sqrt_price_x96
    assert prices[0] == PRICE
    assert len(set(prices)) == 7
