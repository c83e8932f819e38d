"""A Sighting by one `eth_call`, through contracts/src/SnapshotLens.sol, which is not deployed.

The call creates the contract and names no address. Its constructor reads everything and reverts
with what it has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from lpmanager.abi import CustomError
from lpmanager.chain.artifacts import own_artifact
from lpmanager.chain.at_block import require_still
from lpmanager.chain.node import Node, Question, header_question
from lpmanager.chain.sighting import TICK_WINDOW, Sighting, Watch, believable, words_around
from lpmanager.chain.vault_views import vault_calls, vault_state
from lpmanager.errors import CallReverted, ChainError
from lpmanager.foreign_words import in_one_line
from lpmanager.model import (
    Block,
    Liquidity,
    Position,
    SqrtPriceX96,
    TickRange,
    TickState,
    VaultState,
)
from lpmanager.venues import uniswap_v3
from lpmanager.venues.liquidity_vault import position_id
from lpmanager.venues.uniswap_v3 import UniswapV3

#: NFTs that one call looks at. So many, with 200 ticks, take half of the 2**24 gas that newer
#: forks allow a transaction, and their answer is 60 kB.
PAGE = 200

_QUERY = (
    "(address,uint24,int24,int24,uint32,address,address[2],address[2],address,address,address,"
    "uint256[],uint256,uint256,address)"
)
_SEEN = CustomError("Seen(uint256[],uint256[],uint256[],uint256[],uint256[])")
_PARTS = 5
_NOBODY = "0x" + "00" * 20

_WORD = 32
_TICKS_IN_WORD = 256

#: Where in the world what is told begins.
_BLOCK, _SLOT0, _LIQUIDITY, _GROWTH, _PRICING, _NATIVE = 0, 3, 10, 11, 13, 14
_BALANCES, _ALLOWANCES, _COUNT, _OBSERVED, _WORLD = 15, 17, 21, 22, 25

#: Words of a position, and of each answer of a vault in the order of `vault_calls`.
_RECORD = 8
_VAULT = (1, 1, 1, 1, 1, 5, 7, 1)

_LOW_128 = 2**128 - 1
_OF_POOL = 1 << 176


class LensRefused(ChainError):
    """The node does not answer the lens. It may well answer single calls."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Which NFTs one call looks at: `ids`, and `most` of all that the holder has, from `first`."""

    ids: tuple[int, ...] = ()
    first: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one call told: the parts of the error `Seen`, each in words of 32 bytes."""

    world: bytes
    words: bytes
    ticks: bytes
    positions: bytes
    vault: bytes

    def told(self, first: int, count: int) -> bytes:
        """Some words of the world."""
        return self.world[first * _WORD : (first + count) * _WORD]

    def numbers(self, first: int, count: int) -> tuple[int, ...]:
        """Some words of the world, as numbers."""
        return tuple(_numbers(self.told(first, count)))

    @property
    def nft_count(self) -> int:
        """How many NFTs the holder owns, of whichever pool."""
        return self.numbers(_COUNT, 1)[0]


class Lens:
    """Reads one campaign's contracts by one call, or one for each 200 NFTs."""

    def __init__(self, node: Node, venue: UniswapV3, watch: Watch) -> None:
        self._node = node
        self._venue = venue
        self._watch = watch
        self._contract = own_artifact("SnapshotLens")
        self._count = 0  # of the NFTs at the last reading

    def read(
        self, block: Block, questions: Sequence[Question[Any]], ours: Iterable[int]
    ) -> tuple[list[Any], Sighting]:
        """The answers to `questions`, and what the contracts tell.

        Raises LensRefused where the node does not answer, and ChainError where it answers for
        another block.
        """
        chosen = self._watch.chosen(ours)
        pages = self._pages(chosen)
        *answers, header = self._node.ask_many(
            [
                *questions,
                *(self._question(block, page, number) for number, page in enumerate(pages)),
                header_question(block.number),  # last, so that the logs were told before it
            ]
        )
        again, parent = header
        require_still(block, again)
        seen = answers[len(questions) :]
        self._count = believable(seen[0].nft_count)
        missing = self._pages(chosen)[len(pages) :]
        seen += self._node.ask_many(
            [
                self._question(block, page, number)
                for number, page in enumerate(missing, start=len(pages))
            ]
        )
        for one in seen:
            _require_of(block, parent, one)
        try:
            return answers[: len(questions)], self._sighting(seen)
        except ValueError as error:
            raise ChainError(f"the lens's answer is malformed ({error})") from error

    def _pages(self, chosen: tuple[int, ...] | None) -> list[_Page]:
        """What the calls look at, as far as it is known beforehand. There is one at least."""
        if self._watch.vault is not None:
            return [_Page()]
        if chosen is not None:
            starts = range(0, max(len(chosen), 1), PAGE)
            return [_Page(ids=chosen[start : start + PAGE]) for start in starts]
        starts = range(0, max(self._count, 1), PAGE)
        return [_Page(first=start, most=PAGE) for start in starts]

    def _question(self, block: Block, page: _Page, number: int) -> Question[_Seen]:
        watch, venue, pool = self._watch, self._venue, self._watch.pool
        query = (
            pool.address,
            pool.fee_pips,
            pool.tick_spacing,
            0 if number else TICK_WINDOW,  # the first has told of the ticks
            watch.twap_window_s,
            watch.pricing_pool.address,
            (pool.token0.address, pool.token1.address),
            (venue.position_manager, venue.swap_router),
            watch.holder,
            watch.account,
            venue.position_manager,
            page.ids,
            page.first,
            page.most,
            watch.vault or _NOBODY,
        )
        creation = self._contract.creation((_QUERY,), (query,))
        return Question(
            "eth_call",
            [{"data": "0x" + creation.hex()}, {"blockHash": block.hash}],
            _not_reverted,
            _read_seen,
        )

    def _sighting(self, seen: Sequence[_Seen]) -> Sighting:
        first, watch, pool = seen[0], self._watch, self._watch.pool
        slot0 = uniswap_v3.slot0(pool.address).decode(first.told(_SLOT0, 7))
        words, known = words_around(slot0.tick, pool.tick_spacing)
        growth0, growth1 = first.numbers(_GROWTH, 2)
        balance0, balance1 = first.numbers(_BALANCES, 2)
        return Sighting(
            slot0=slot0,
            liquidity=Liquidity(first.numbers(_LIQUIDITY, 1)[0]),
            fee_growth_global=(growth0, growth1),
            observed=_observed(first),
            pricing_sqrt_price_x96=SqrtPriceX96(first.numbers(_PRICING, 1)[0]),
            native=first.numbers(_NATIVE, 1)[0],
            balances=(balance0, balance1),
            allowances=first.numbers(_ALLOWANCES, 4),
            ticks=_ticks(words, pool.tick_spacing, first),
            known=known,
            positions=self._positions([r for one in seen for r in _records(one.positions)]),
            vault=None if watch.vault is None else _vault(watch.vault, first.vault),
        )

    def _positions(self, records: list[list[int]]) -> tuple[Position, ...]:
        """Of a vault all in its order; NFTs by their ids, of the account and this pool alone."""
        watch = self._watch
        if watch.vault is not None:
            positions = tuple(map(_position, records))
            for one in positions:
                if one.token_id != position_id(watch.vault, one.range):
                    raise ValueError(f"range {one.range} has not the id {one.token_id}")
            return positions
        found = []
        for record in sorted(records):
            token_id, owner, held, _, _, owed, _, _ = record
            if not owner:
                continue  # burned since it was configured
            ours = owner == int(watch.account, 16)
            if not ours and token_id not in (watch.positions or ()):
                continue  # minted for the campaign, and given away since
            if not ours or not held & _OF_POOL:
                raise LensRefused(f"position {token_id} is wrong, and single calls tell how")
            if held & _LOW_128 or owed:
                found.append(_position(record))
        return tuple(found)


def _not_reverted(told: Any) -> _Seen:
    found = in_one_line(str(told))
    raise LensRefused(f"expected the lens to revert with what it has seen, found {found}")


def _read_seen(refusal: ChainError) -> _Seen:
    if not isinstance(refusal, CallReverted) or refusal.data[:4] != _SEEN.selector:
        raise LensRefused(f"expected what the lens has seen, found: {refusal}")
    return _Seen(*_arrays(refusal.data[4:]))


def _arrays(data: bytes) -> list[bytes]:
    """The members of the arrays that `Seen` consists of. eth_abi would take longer than the node.

    Some RPCs cut long revert data: what is left of it is worth nothing.
    """
    arrays = []
    for start in _numbers(data[: _PARTS * _WORD]):
        begin = start + _WORD
        end = begin + int.from_bytes(data[start:begin]) * _WORD
        if end > len(data):
            raise LensRefused(f"the lens's answer is cut off after {len(data)} bytes")
        arrays.append(data[begin:end])
    if len(arrays) != _PARTS or len(arrays[0]) != _WORLD * _WORD:
        raise LensRefused(f"the lens's answer of {len(data)} bytes is malformed")
    return arrays


def _numbers(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + _WORD]) for at in range(0, len(data), _WORD)]


def _require_of(block: Block, parent: str, seen: _Seen) -> None:
    number, parent_told, time = seen.numbers(_BLOCK, 3)
    if (number, parent_told, time) != (block.number, int(parent, 16), block.timestamp):
        raise ChainError(
            f"the lens was asked about block {block.number} of {block.timestamp} after {parent}, "
            f"and told of {number} of {time} after 0x{parent_told:064x}; ask again, or use another "
            "RPC"
        )


def _observed(seen: _Seen) -> tuple[int, int] | None:
    reaches_back, *_ = seen.numbers(_OBSERVED, 3)
    if not reaches_back:
        return None
    then, now = seen.told(_OBSERVED + 1, 1), seen.told(_OBSERVED + 2, 1)
    return int.from_bytes(then, signed=True), int.from_bytes(now, signed=True)


def _ticks(words: range, spacing: int, seen: _Seen) -> tuple[TickState, ...]:
    bitmap, told = _numbers(seen.words), _numbers(seen.ticks)
    found = [
        (word * _TICKS_IN_WORD + place) * spacing
        for word, bits in zip(words, bitmap, strict=True)
        for place in _bits(bits)
    ]
    return tuple(
        TickState(
            tick=tick,
            liquidity_gross=both >> 128,
            liquidity_net=_signed(both & _LOW_128, 128),
        )
        for tick, both in zip(found, told, strict=True)
    )


def _bits(word: int) -> Iterator[int]:
    """The places of the bits that are set, from the lowest on."""
    while word:
        lowest = word & -word
        yield lowest.bit_length() - 1
        word ^= lowest


def _records(positions: bytes) -> list[list[int]]:
    numbers = _numbers(positions)
    return [numbers[at : at + _RECORD] for at in range(0, len(numbers), _RECORD)]


def _position(record: list[int]) -> Position:
    token_id, _owner, held, last0, last1, owed, inside0, inside1 = record
    return Position(
        token_id=token_id,
        range=TickRange(_signed(held >> 152, 24), _signed(held >> 128, 24)),
        liquidity=Liquidity(held & _LOW_128),
        fee_growth_inside0_x128=inside0,
        fee_growth_inside1_x128=inside1,
        fee_growth_inside0_last_x128=last0,
        fee_growth_inside1_last_x128=last1,
        tokens_owed0=owed >> 128,
        tokens_owed1=owed & _LOW_128,
    )


def _vault(address: str, told: bytes) -> VaultState:
    """What the vault's views answer stands there one after the other."""
    ends = [end * _WORD for end in accumulate(_VAULT)]
    starts = [0, *ends[:-1]]
    return vault_state(
        address,
        [
            call.decode(told[start:end])
            for call, start, end in zip(vault_calls(address), starts, ends, strict=True)
        ],
    )


def _signed(value: int, bits: int) -> int:
    """The lowest bits of a number in two's complement."""
    low = value & (1 << bits) - 1
    return low - (1 << bits) if low >> bits - 1 else low
