"""What can be done with a pool: each operation as the contract's call and as our Pool's.

An operation holds plain integers and owners' names, so that a sequence that fails can be kept as
JSON and carried out again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from abi_words import array_at, selector, signed, to_array, to_bytes, to_words, with_tails
from amm_contracts import OWNERS, PositionKey

from lpmanager.amm import MAX_SQRT_PRICE, MIN_SQRT_PRICE, Pool

#: What a call says, number by number, and what it brought the pool of (token0, token1).
Said = tuple[int, ...]
Moved = tuple[int, int]

_INITIALIZE = selector("initialize(uint160)")
_MINT = selector("mint(address,int24,int24,uint128,bytes)")
_BURN = selector("burn(int24,int24,uint128)")
_COLLECT = selector("collect(address,int24,int24,uint128,uint128)")
_SWAP = selector("swap(address,bool,int256,uint160,bytes)")
_FLASH = selector("flash(address,uint256,uint256,bytes)")
_SET_FEE_PROTOCOL = selector("setFeeProtocol(uint8,uint8)")
_COLLECT_PROTOCOL = selector("collectProtocol(address,uint128,uint128)")
_INCREASE = selector("increaseObservationCardinalityNext(uint16)")
_OBSERVE = selector("observe(uint32[])")
_INSIDE = selector("snapshotCumulativesInside(int24,int24)")


@dataclass(frozen=True, slots=True)
class Operation(ABC):
    """One call of a pool."""

    @property
    def caller(self) -> str:
        """The owner who sends the call to the contract."""
        return OWNERS[0]

    @property
    def edges(self) -> tuple[int, ...]:
        """The ticks that the call names."""
        return ()

    @property
    def positions(self) -> tuple[PositionKey, ...]:
        """The position that the call is about, if any."""
        return ()

    @abstractmethod
    def order(self, caller: int) -> bytes:
        """The contract's call data; `caller` is the caller's address."""

    @abstractmethod
    def do(self, pool: Pool) -> Said:
        """Carry it out on our pool; what that says, in the order of the contract's answer."""

    def answered(self, words: Sequence[int]) -> Said:
        """What the contract's answer says."""
        return tuple(words)

    def moved(self, said: Said) -> Moved:
        """What the pool got for the call, negative where it paid."""
        return 0, 0


@dataclass(frozen=True, slots=True)
class Initialize(Operation):
    sqrt_price_x96: int

    def order(self, caller: int) -> bytes:
        return _INITIALIZE + to_words((self.sqrt_price_x96,))

    def do(self, pool: Pool) -> Said:
        pool.initialize(self.sqrt_price_x96)
        return ()


@dataclass(frozen=True, slots=True)
class _OfPosition(Operation):
    owner: str
    tick_lower: int
    tick_upper: int

    @property
    def caller(self) -> str:
        return self.owner

    @property
    def edges(self) -> tuple[int, ...]:
        return self.tick_lower, self.tick_upper

    @property
    def positions(self) -> tuple[PositionKey, ...]:
        return ((self.owner, self.tick_lower, self.tick_upper),)


@dataclass(frozen=True, slots=True)
class Mint(_OfPosition):
    liquidity: int

    def order(self, caller: int) -> bytes:
        head = caller, self.tick_lower, self.tick_upper, self.liquidity
        return _MINT + with_tails(head, [to_bytes(b"")])

    def do(self, pool: Pool) -> Said:
        return pool.mint(*astuple(self))

    def moved(self, said: Said) -> Moved:
        return said[0], said[1]


@dataclass(frozen=True, slots=True)
class Burn(_OfPosition):
    liquidity: int

    def order(self, caller: int) -> bytes:
        return _BURN + to_words((self.tick_lower, self.tick_upper, self.liquidity))

    def do(self, pool: Pool) -> Said:
        return pool.burn(*astuple(self))


@dataclass(frozen=True, slots=True)
class Collect(_OfPosition):
    amount0_requested: int
    amount1_requested: int

    def order(self, caller: int) -> bytes:
        requested = self.amount0_requested, self.amount1_requested
        return _COLLECT + to_words((caller, self.tick_lower, self.tick_upper, *requested))

    def do(self, pool: Pool) -> Said:
        return pool.collect(*astuple(self))

    def moved(self, said: Said) -> Moved:
        return -said[0], -said[1]


@dataclass(frozen=True, slots=True)
class Swap(Operation):
    zero_for_one: bool
    amount_specified: int
    #: None: as far as prices go
    sqrt_price_limit_x96: int | None

    def order(self, caller: int) -> bytes:
        limit = self.sqrt_price_limit_x96
        if limit is None:
            limit = MIN_SQRT_PRICE + 1 if self.zero_for_one else MAX_SQRT_PRICE - 1
        head = caller, int(self.zero_for_one), self.amount_specified, limit
        return _SWAP + with_tails(head, [to_bytes(b"")])

    def do(self, pool: Pool) -> Said:
        done = pool.swap(self.zero_for_one, self.amount_specified, self.sqrt_price_limit_x96)
        return done.amount0, done.amount1

    def answered(self, words: Sequence[int]) -> Said:
        return signed(words[0]), signed(words[1])

    def moved(self, said: Said) -> Moved:
        return said[0], said[1]


@dataclass(frozen=True, slots=True)
class Flash(Operation):
    """A loan within one call; `paid` is what comes back beyond it, at least the fee."""

    amount0: int
    amount1: int
    paid0: int
    paid1: int

    def order(self, caller: int) -> bytes:
        back = to_words((self.amount0 + self.paid0, self.amount1 + self.paid1))
        return _FLASH + with_tails((caller, self.amount0, self.amount1), [to_bytes(back)])

    def do(self, pool: Pool) -> Said:
        pool.flash(*astuple(self))
        return ()

    def moved(self, said: Said) -> Moved:
        return self.paid0, self.paid1


@dataclass(frozen=True, slots=True)
class SetFeeProtocol(Operation):
    fee_protocol0: int
    fee_protocol1: int

    def order(self, caller: int) -> bytes:
        return _SET_FEE_PROTOCOL + to_words((self.fee_protocol0, self.fee_protocol1))

    def do(self, pool: Pool) -> Said:
        pool.set_fee_protocol(self.fee_protocol0, self.fee_protocol1)
        return ()


@dataclass(frozen=True, slots=True)
class CollectProtocol(Operation):
    amount0_requested: int
    amount1_requested: int

    def order(self, caller: int) -> bytes:
        requested = self.amount0_requested, self.amount1_requested
        return _COLLECT_PROTOCOL + to_words((caller, *requested))

    def do(self, pool: Pool) -> Said:
        return pool.collect_protocol(self.amount0_requested, self.amount1_requested)

    def moved(self, said: Said) -> Moved:
        return -said[0], -said[1]


@dataclass(frozen=True, slots=True)
class IncreaseObservations(Operation):
    cardinality_next: int

    def order(self, caller: int) -> bytes:
        return _INCREASE + to_words((self.cardinality_next,))

    def do(self, pool: Pool) -> Said:
        pool.increase_observation_cardinality_next(self.cardinality_next)
        return ()


@dataclass(frozen=True, slots=True)
class Observe(Operation):
    seconds_agos: tuple[int, ...]

    def order(self, caller: int) -> bytes:
        return _OBSERVE + with_tails((), [to_array(self.seconds_agos)])

    def do(self, pool: Pool) -> Said:
        ticks, seconds_per_liquidity = pool.observe(self.seconds_agos)
        return *ticks, *seconds_per_liquidity

    def answered(self, words: Sequence[int]) -> Said:
        return *map(signed, array_at(words, 0)), *array_at(words, 1)


@dataclass(frozen=True, slots=True)
class CumulativesInside(Operation):
    tick_lower: int
    tick_upper: int

    @property
    def edges(self) -> tuple[int, ...]:
        return self.tick_lower, self.tick_upper

    def order(self, caller: int) -> bytes:
        return _INSIDE + to_words((self.tick_lower, self.tick_upper))

    def do(self, pool: Pool) -> Said:
        return pool.snapshot_cumulatives_inside(self.tick_lower, self.tick_upper)

    def answered(self, words: Sequence[int]) -> Said:
        return signed(words[0]), words[1], words[2]


@dataclass(frozen=True, slots=True)
class Wait:
    """Not a call: the next block, so many seconds later."""

    seconds: int


Step = Operation | Wait

_KINDS: Mapping[str, type[Step]] = {
    kind.__name__: kind
    for kind in (
        Initialize,
        Mint,
        Burn,
        Collect,
        Swap,
        Flash,
        SetFeeProtocol,
        CollectProtocol,
        IncreaseObservations,
        Observe,
        CumulativesInside,
        Wait,
    )
}


def to_json(step: Step) -> dict[str, Any]:
    """A step as a JSON object: its kind under "do", and its fields."""
    return {"do": type(step).__name__, **{f.name: getattr(step, f.name) for f in fields(step)}}


def from_json(row: Mapping[str, Any]) -> Step:
    """The step that `to_json` wrote. Raises KeyError or TypeError for anything else.

    A row may have "reverts" besides.
    """
    values = {name: value for name, value in row.items() if name not in ("do", "reverts")}
    if "seconds_agos" in values:
        values["seconds_agos"] = tuple(values["seconds_agos"])
    return _KINDS[row["do"]](**values)
