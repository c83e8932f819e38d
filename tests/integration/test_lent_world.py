"""A world on anvil is lent to one test after another: each finds it as new."""

from __future__ import annotations

from typing import Any

from devnet_world import World, a_world

from lpmanager.chain.node import Question, balance_question
from lpmanager.venues.uniswap_v3 import slot0

GWEI = 10**9


def ask(world: World, method: str, *params: object) -> Any:
    return world.node.ask(Question(method, list(params), lambda told: told))


def look(world: World) -> tuple[object, ...]:
    """The chain, what its next block will be, and the pool."""
    head = world.node.head()
    coming = ask(world, "eth_getBlockByNumber", "pending", False)
    nonces = [world.controls.nonce(account) for account in world.backend.accounts]
    price = world.node.call(slot0(world.pool.address), head)
    return head, coming["number"], coming["baseFeePerGas"], coming["transactions"], nonces, price


def disturb(world: World) -> None:
    """Leave it in the middle of everything: a trade waits, nothing is mined, and gas is dear."""
    world.trade(10**12, zero_for_one=True)
    world.pass_time(1_000)
    world.controls.set_automine(False)
    account = world.backend.accounts[2]
    world.controls.queue([{"from": account, "to": account, "gas": hex(50_000)}])
    ask(world, "anvil_setNextBlockBaseFeePerGas", hex(500 * GWEI))
    ask(world, "anvil_setBlockTimestampInterval", 77)


def test_a_world_is_as_new_whatever_was_done_in_it_before() -> None:
    with a_world("anvil") as world:
        new = look(world)
        disturb(world)
        assert look(world) != new
    for _ in range(3):
        with a_world("anvil") as again:
            assert again.backend is world.backend
            assert look(again) == new
            before = again.node.head().timestamp
            again.trade(10**9, zero_for_one=True)
            assert again.node.head().timestamp == before + 1
            first = again.node.block(1)
            again.node.ask(balance_question(again.backend.accounts[0], first))
            disturb(again)


def test_two_worlds_at_once_are_two() -> None:
    with a_world("anvil") as one, a_world("anvil") as other:
        before = look(other)
        one.trade(10**12, zero_for_one=True)
        assert look(other) == before


def test_a_chain_that_forgets_its_old_states_is_lent_no_more() -> None:
    with a_world("anvil") as world:
        for _ in range(50):
            world.pass_time(12)
    with a_world("anvil") as other:
        assert other.backend is not world.backend
