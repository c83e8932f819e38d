"""The deployed Uniswap v3 pools, factory and all, in an in-process EVM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from abi_words import (
    array_at,
    from_words,
    revert_code,
    selector,
    to_array,
    to_bytes,
    to_words,
    with_tails,
)
from eth_utils import keccak
from evm_backends import SENDER, Evm

from lpmanager.chain.artifacts import own_artifact
from lpmanager.devnet.npm import core_artifact

#: The four fee tiers in pips, and their tick spacings.
SPACINGS = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
#: Who holds positions: each is a PoolCaller of its own. The first one also owns the factory.
OWNERS = ("alice", "bob")
#: What each owner has of both tokens: more than a pool can ask for, and no sum of it overflows.
FUNDS = 2**254

_CREATE_POOL = selector("createPool(address,address,uint24)")
_LOOK = selector("look(address,int24[],bytes32[],uint256[])")
_CALL_AND_LOOK = selector("callAndLook(address,bytes,int24[],bytes32[],uint256[])")

POOL_WORDS = (
    "sqrt_price_x96",
    "tick",
    "observation_index",
    "observation_cardinality",
    "observation_cardinality_next",
    "fee_protocol",
    "unlocked",
    "liquidity",
    "fee_growth_global0_x128",
    "fee_growth_global1_x128",
    "protocol_fees0",
    "protocol_fees1",
    "balance0",
    "balance1",
)
TICK_WORDS = (
    "liquidity_gross",
    "liquidity_net",
    "fee_growth_outside0_x128",
    "fee_growth_outside1_x128",
    "tick_cumulative_outside",
    "seconds_per_liquidity_outside_x128",
    "seconds_outside",
    "initialized",
)
POSITION_WORDS = (
    "liquidity",
    "fee_growth_inside0_last_x128",
    "fee_growth_inside1_last_x128",
    "tokens_owed0",
    "tokens_owed1",
)
OBSERVATION_WORDS = (
    "time",
    "tick_cumulative",
    "seconds_per_liquidity_x128",
    "initialized",
)

#: (owner, lower tick, upper tick)
PositionKey = tuple[str, int, int]


class Look(NamedTuple):
    """What to read of a pool besides what it has once."""

    ticks: Sequence[int] = ()
    positions: Sequence[PositionKey] = ()
    observations: Sequence[int] = ()


class Answer(NamedTuple):
    """What a call gave: its words, or the code it reverted with; and the pool afterwards."""

    words: Sequence[int]
    reverts: str | None
    found: Sequence[int]


@dataclass
class Contracts:
    """A chain with the factory, two tokens, the owners, and one pool of each fee tier."""

    evm: Evm
    factory: str = field(init=False)
    tokens: tuple[str, str] = field(init=False)
    owners: dict[str, str] = field(init=False)
    _pools: dict[int, str] = field(init=False, default_factory=dict)
    _fresh: Any = field(init=False)

    def __post_init__(self) -> None:
        self.factory = self.evm.deploy(core_artifact("UniswapV3Factory").bytecode)
        names = ("string", "string", "uint8")
        token = own_artifact("TestToken").creation(names, ("Test", "TEST", 18))
        first, second = sorted(self.evm.deploy(token) for _ in range(2))
        self.tokens = first, second
        self._call(self.factory, "enableFeeAmount(uint24,int24)", 100, 1)
        caller = own_artifact("PoolCaller").creation(("address", "address"), self.tokens)
        self.owners = {name: self.evm.deploy(caller) for name in OWNERS}
        for address in (*self.owners.values(), SENDER):
            for held in self.tokens:
                self._call(held, "mint(address,uint256)", int(address, 16), FUNDS)
        self._call(self.factory, "setOwner(address)", int(self.owners[OWNERS[0]], 16))
        for fee_pips in SPACINGS:
            self._pools[fee_pips] = self._create_pool(fee_pips)
        self._fresh = self.evm.snapshot()

    def fresh_pool(self, fee_pips: int, timestamp: int) -> ContractPool:
        """A pool to be initialized, at this block time. Undoes whatever was done before."""
        self.evm.revert(self._fresh)
        self._fresh = self.evm.snapshot()
        self.evm.set_time(timestamp)
        return ContractPool(self, self._pools[fee_pips])

    def _create_pool(self, fee_pips: int) -> str:
        order = _CREATE_POOL + to_words((*(int(t, 16) for t in self.tokens), fee_pips))
        return "0x" + self.evm.call(self.factory, order)[-20:].hex()

    def _call(self, to: str, signature: str, *arguments: int) -> None:
        self.evm.call(to, selector(signature) + to_words(arguments))


@dataclass(frozen=True)
class ContractPool:
    """One deployed pool. Everything is asked of it by an owner, who pays what it asks back."""

    contracts: Contracts
    address: str

    def call(self, order: bytes, look: Look, owner: str = OWNERS[0]) -> Answer:
        """Send `order` to the pool; what it answers, and what `look` finds afterwards.

        `found` has POOL_WORDS, then TICK_WORDS of each tick, POSITION_WORDS of each position and
        OBSERVATION_WORDS of each observation.
        """
        arguments = with_tails((int(self.address, 16),), (to_bytes(order), *self._arrays(look)))
        caller = self.contracts.owners[owner]
        return _parsed(self.contracts.evm.call(caller, _CALL_AND_LOOK + arguments))

    def look(self, look: Look) -> Sequence[int]:
        """What `look` finds now, as in an answer's `found`."""
        arguments = with_tails((int(self.address, 16),), self._arrays(look))
        caller = self.contracts.owners[OWNERS[0]]
        return array_at(from_words(self.contracts.evm.call(caller, _LOOK + arguments)), 0)

    def set_time(self, timestamp: int) -> None:
        """The time of the block that the next calls are in."""
        self.contracts.evm.set_time(timestamp)

    def _arrays(self, look: Look) -> tuple[bytes, bytes, bytes]:
        owners = self.contracts.owners
        keys = [
            position_key(int(owners[owner], 16), lower, upper)
            for owner, lower, upper in look.positions
        ]
        return to_array(look.ticks), to_array(keys), to_array(look.observations)


def _parsed(answer: bytes) -> Answer:
    words = from_words(answer)
    found = array_at(words, 2)
    start = words[1] + 32
    said = answer[start : start + words[words[1] // 32]]
    if words[0]:
        return Answer(from_words(said), None, found)
    return Answer((), revert_code(said), found)


@cache
def position_key(owner: int, lower: int, upper: int) -> int:
    """Where the pool keeps a position: the hash of owner and ticks, packed."""
    packed = owner.to_bytes(20, "big")
    packed += b"".join(tick.to_bytes(3, "big", signed=True) for tick in (lower, upper))
    return int.from_bytes(keccak(packed), "big")
