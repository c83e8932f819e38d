"""A token that begins to take a fee while its pool is managed is found out by the readings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from devnet_world import World
from round_trips import Counting

from lpmanager.abi import Function
from lpmanager.amm import sqrt_price_at_tick
from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.node import Node
from lpmanager.chain.pools import find_pool, read_pool
from lpmanager.chain.reader import CHECKED_AGAIN_S, Reader
from lpmanager.chain.token_probe import checked, token_probe_question
from lpmanager.chain.transport import RpcError
from lpmanager.devnet.deploy import created_address
from lpmanager.model import PoolKey, Snapshot, SqrtPriceX96, TokenCheck

CREATE_POOL = Function("createPool(address,address,uint24)")
INITIALIZE = Function("initialize(uint160)")
MINT_TOKEN = Function("mint(address,uint256)")
TAX = Function("tax(address,address)")
NOBODY = "0x" + "00" * 20
#: What one reading asks: for the head, and then for all else.
ONE_READING = 2


class RefusingProbes(Counting):
    """A transport that can be told to refuse the check of tokens, and nothing else."""

    refuses = False

    def request_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        probe = "0x" + own_artifact("TokenProbe").bytecode.hex()
        return [
            RpcError(-32000, "execution aborted", None)
            if self.refuses and method == "eth_call" and params[0]["data"].startswith(probe)
            else answer
            for (method, params), answer in zip(
                requests, super().request_many(requests), strict=True
            )
        ]


def taxable_pool(world: World) -> tuple[PoolKey, str]:
    """A pool with liquidity, of whose tokens one can be told to take a fee; and that one."""
    deployer, stable = world.backend.accounts[3], world.pool.token0.address
    nonce = world.controls.nonce(deployer)
    types, values = ("string", "string", "uint8", "uint256"), ("Taxed", "TAX", 18, 100)
    creation = own_artifact("FeeOnTransferToken").creation(types, values)
    world.controls.execute(deployer, None, creation, what="a token")
    taxed = created_address(deployer, nonce)
    low, high = sorted((stable, taxed), key=lambda address: int(address, 16))
    world.execute(deployer, world.deployment.factory, CREATE_POOL.encode(low, high, 500))
    address = find_pool(world.node, world.venue, (low, high), 500)
    world.execute(deployer, address, INITIALIZE.encode(SqrtPriceX96(sqrt_price_at_tick(0))))
    pool = read_pool(world.node, world.venue, address)
    world.execute(deployer, taxed, MINT_TOKEN.encode(world.deployment.flow_trader, 10**24))
    world.provide(-1_000, 1_000, 10**12, pool)
    return pool, taxed


def test_a_token_that_begins_to_take_a_fee_is_found_within_the_hour_and_costs_no_round_trip(
    small_world: World,
) -> None:
    world = small_world
    pool, taxed = taxable_pool(world)
    transport = Counting(world.backend.transport)
    node = Node(transport, world.backend.chain_id)
    opened = world.node.head()
    opening = checked(world.node.ask(token_probe_question(pool, opened)), opened)
    assert opening.refused is None
    watch = world.watch(world.backend.accounts[3], pool=pool, quote=pool.token0)
    reader = Reader(node, world.venue, watch, lambda: 0, opening)

    def read() -> Snapshot:
        transport.trips = 0
        snapshot = reader.read()
        assert transport.trips == ONE_READING
        return snapshot

    world.execute(world.backend.accounts[3], taxed, TAX.encode(pool.address, NOBODY))
    assert read().tokens == opening
    world.pass_time(CHECKED_AGAIN_S)
    later = read()
    assert later.tokens is not None
    assert later.tokens.checked_at == later.block.timestamp
    assert later.tokens.refused is not None
    assert later.tokens.refused.startswith(f"TAX ({taxed}) does not deliver what is sent")
    # what was refused is looked at each time, until it is sound again
    world.execute(world.backend.accounts[3], taxed, TAX.encode(NOBODY, NOBODY))
    again = read()
    assert again.tokens is not None
    assert again.tokens.refused is None
    assert again.tokens.checked_at == again.block.timestamp
    world.pass_time(CHECKED_AGAIN_S // 2)
    assert read().tokens == again.tokens


def test_a_check_that_the_node_refuses_is_no_reason_not_to_read_the_rest(
    small_world: World,
) -> None:
    """Else nobody could leave either."""
    world, transport = small_world, RefusingProbes(small_world.backend.transport)
    node = Node(transport, world.backend.chain_id)
    old = TokenCheck(checked_at=0, refused=None)
    reader = Reader(node, world.venue, world.watch(world.backend.accounts[3]), lambda: 0, old)
    transport.refuses = True
    refused = reader.read()
    assert refused.tokens is not None
    assert refused.tokens.refused is not None
    assert "could not be checked: " in refused.tokens.refused
    assert "execution aborted" in refused.tokens.refused
    assert refused.state == world.read(world.backend.accounts[3]).state
    transport.refuses = False
    sound = reader.read().tokens
    assert sound is not None
    assert sound.refused is None
