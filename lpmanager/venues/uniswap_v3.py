"""Uniswap v3: which contract to ask, with which bytes, and what the answers mean.

Written from the public interfaces of v3-core and v3-periphery. Nothing here talks to a chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from lpmanager.abi import ContractCall, Event, Function
from lpmanager.model import Amounts, Liquidity, PoolKey, SqrtPriceX96, TickRange, TickState

UINT128_MAX = 2**128 - 1

_SLOT0 = Function("slot0()", "(uint160,int24,uint16,uint16,uint16,uint8,bool)")
_LIQUIDITY = Function("liquidity()", "(uint128)")
_GROWTH0 = Function("feeGrowthGlobal0X128()", "(uint256)")
_GROWTH1 = Function("feeGrowthGlobal1X128()", "(uint256)")
_TICKS = Function("ticks(int24)", "(uint128,int128,uint256,uint256,int56,uint160,uint32,bool)")
_OBSERVE = Function("observe(uint32[])", "(int56[],uint160[])")
_TOKEN0 = Function("token0()", "(address)")
_TOKEN1 = Function("token1()", "(address)")
_FEE = Function("fee()", "(uint24)")
_SPACING = Function("tickSpacing()", "(int24)")
_GET_POOL = Function("getPool(address,address,uint24)", "(address)")
_WORD = Function("getPopulatedTicksInWord(address,int16)", "((int24,int128,uint128)[])")
_BALANCE_OF = Function("balanceOf(address)", "(uint256)")
_OWNER_OF = Function("ownerOf(uint256)", "(address)")
_BY_INDEX = Function("tokenOfOwnerByIndex(address,uint256)", "(uint256)")
_POSITIONS = Function(
    "positions(uint256)",
    "(uint96,address,address,address,uint24,int24,int24,uint128,uint256,uint256,uint128,uint128)",
)
_POOL_POSITIONS = Function("positions(bytes32)", "(uint128,uint256,uint256,uint128,uint128)")
_MULTICALL = Function("multicall(bytes[])", "(bytes[])")
_MULTICALL_BY = Function("multicall(uint256,bytes[])", "(bytes[])")
_MINT = Function(
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
    "(uint256,uint128,uint256,uint256)",
)
_DECREASE = Function(
    "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))", "(uint256,uint256)"
)
_COLLECT = Function("collect((uint256,address,uint128,uint128))", "(uint256,uint256)")
_BURN = Function("burn(uint256)")
_SWAP = Function(
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
    "(uint256)",
)
_SWAP_02 = Function(
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))", "(uint256)"
)

SWAP_EVENT = Event(
    "Swap(address,address,int256,int256,uint160,uint128,int24)",
    "(int256,int256,uint160,uint128,int24)",
)
INITIALIZE_EVENT = Event("Initialize(uint160,int24)", "(uint160,int24)")
#: The pool's own, of which a position manager's positions all are one owner's.
POOL_MINT_EVENT = Event(
    "Mint(address,address,int24,int24,uint128,uint256,uint256)",
    "(address,uint128,uint256,uint256)",
)
POOL_BURN_EVENT = Event(
    "Burn(address,int24,int24,uint128,uint256,uint256)", "(uint128,uint256,uint256)"
)
POOL_COLLECT_EVENT = Event(
    "Collect(address,address,int24,int24,uint128,uint128)", "(address,uint128,uint128)"
)
INCREASE_EVENT = Event(
    "IncreaseLiquidity(uint256,uint128,uint256,uint256)", "(uint128,uint256,uint256)"
)
DECREASE_EVENT = Event(
    "DecreaseLiquidity(uint256,uint128,uint256,uint256)", "(uint128,uint256,uint256)"
)
COLLECT_EVENT = Event("Collect(uint256,address,uint256,uint256)", "(address,uint256,uint256)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot0:
    """The pool's price, tick and fee protocol, and how many past prices its oracle keeps."""

    sqrt_price_x96: SqrtPriceX96
    tick: int
    oracle_slots: int
    fee_protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the pool stores of a tick that bounds a position."""

    liquidity_gross: int
    fee_growth_outside0_x128: int
    fee_growth_outside1_x128: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPosition:
    """What the position manager stores of an NFT, or the pool of a position held in it directly."""

    token0: str
    token1: str
    fee_pips: int
    range: TickRange
    liquidity: Liquidity
    fee_growth_inside0_last_x128: int
    fee_growth_inside1_last_x128: int
    tokens_owed0: int
    tokens_owed1: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UniswapV3:
    """The venue's contracts on one chain.

    `swap_router_has_deadline` tells the first SwapRouter (deadline in its parameters) from
    SwapRouter02 (deadline in its multicall).
    """

    factory: str
    position_manager: str
    swap_router: str
    quoter: str
    tick_lens: str
    swap_router_has_deadline: bool

    # ---- reading the pool ----

    def find_pool(self, token0: str, token1: str, fee_pips: int) -> ContractCall[str]:
        """The address of a pool; the zero address where there is none."""
        return _GET_POOL.call(self.factory, token0, token1, fee_pips, read=_checksummed)

    def tick_word(self, pool: str, word: int) -> ContractCall[tuple[TickState, ...]]:
        """All initialized ticks of one word (256 tick spacings) of the pool's bitmap."""
        return _WORD.call(self.tick_lens, pool, word, read=_read_ticks)

    # ---- reading the position manager ----

    def position_count(self, owner: str) -> ContractCall[int]:
        """How many position NFTs an account owns."""
        return _BALANCE_OF.call(self.position_manager, owner, read=int)

    def position_id(self, owner: str, index: int) -> ContractCall[int]:
        """The id of an account's position NFT number `index`."""
        return _BY_INDEX.call(self.position_manager, owner, index, read=int)

    def position_owner(self, token_id: int) -> ContractCall[str]:
        """Who owns a position NFT; reverts where it does not exist."""
        return _OWNER_OF.call(self.position_manager, token_id, read=_checksummed)

    def position(self, token_id: int) -> ContractCall[ManagedPosition]:
        """What the position manager stores of an NFT; reverts where it does not exist."""
        return _POSITIONS.call(self.position_manager, token_id, read=_read_position)

    # ---- writing: calldata ----

    def mint(
        self,
        pool: PoolKey,
        tick_range: TickRange,
        desired: Amounts,
        minimum: Amounts,
        recipient: str,
        deadline: int,
    ) -> bytes:
        """Calldata for the position manager that opens a position."""
        return _MINT.encode(
            (
                pool.token0.address,
                pool.token1.address,
                pool.fee_pips,
                tick_range.lower,
                tick_range.upper,
                *desired.raw,
                *minimum.raw,
                recipient,
                deadline,
            )
        )

    def withdraw(
        self, token_id: int, liquidity: int, minimum: Amounts, recipient: str, deadline: int
    ) -> bytes:
        """Calldata for the position manager: decrease all, collect all, burn, in one."""
        steps = [
            _COLLECT.encode((token_id, recipient, UINT128_MAX, UINT128_MAX)),
            _BURN.encode(token_id),
        ]
        if liquidity:
            steps.insert(0, _DECREASE.encode((token_id, liquidity, *minimum.raw, deadline)))
        return _MULTICALL.encode(steps)

    def collect(self, token_id: int, recipient: str) -> bytes:
        """Calldata for the position manager that takes out all uncollected fees."""
        return _COLLECT.encode((token_id, recipient, UINT128_MAX, UINT128_MAX))

    def swap_exact_input(
        self,
        token_in: str,
        token_out: str,
        fee_pips: int,
        *,
        recipient: str,
        deadline: int,
        raw_in: int,
        minimum_raw_out: int,
        sqrt_price_limit_x96: SqrtPriceX96,
    ) -> bytes:
        """Calldata for the swap router that sells exactly `raw_in`, or up to the price limit."""
        head = (token_in, token_out, fee_pips, recipient)
        tail = (raw_in, minimum_raw_out, sqrt_price_limit_x96)
        if self.swap_router_has_deadline:
            return _SWAP.encode((*head, deadline, *tail))
        return _MULTICALL_BY.encode(deadline, [_SWAP_02.encode((*head, *tail))])


def slot0(pool: str) -> ContractCall[Slot0]:
    """The pool's price and tick."""
    return _SLOT0.call(
        pool,
        read=lambda price, tick, _i, cardinality, _n, protocol, _u: Slot0(
            sqrt_price_x96=price, tick=tick, oracle_slots=cardinality, fee_protocol=protocol
        ),
    )


def oracle_slots(pool: str) -> ContractCall[int]:
    """How many past prices the pool keeps, at most one of each block."""
    return _SLOT0.call(pool, read=lambda _price, _tick, _i, cardinality, *_rest: int(cardinality))


def liquidity(pool: str) -> ContractCall[Liquidity]:
    """The pool's active liquidity."""
    return _LIQUIDITY.call(pool, read=Liquidity)


def fee_growth_global0(pool: str) -> ContractCall[int]:
    """Fees in token0 per unit of liquidity since the pool began, times 2**128, mod 2**256."""
    return _GROWTH0.call(pool, read=int)


def fee_growth_global1(pool: str) -> ContractCall[int]:
    """Fees in token1 per unit of liquidity since the pool began, times 2**128, mod 2**256."""
    return _GROWTH1.call(pool, read=int)


def edge(pool: str, tick: int) -> ContractCall[Edge]:
    """What the pool stores of a tick."""
    return _TICKS.call(
        pool,
        tick,
        read=lambda gross, _net, outside0, outside1, *_rest: Edge(
            liquidity_gross=gross,
            fee_growth_outside0_x128=outside0,
            fee_growth_outside1_x128=outside1,
        ),
    )


def position_in_pool(
    pool: PoolKey, owner: str, tick_range: TickRange
) -> ContractCall[ManagedPosition]:
    """What the pool stores of a position that a contract holds in it without a manager."""
    key = keccak(
        bytes.fromhex(owner[2:])
        + tick_range.lower.to_bytes(3, signed=True)
        + tick_range.upper.to_bytes(3, signed=True)
    )
    return _POOL_POSITIONS.call(
        pool.address,
        key,
        read=lambda held, last0, last1, owed0, owed1: ManagedPosition(
            token0=pool.token0.address,
            token1=pool.token1.address,
            fee_pips=pool.fee_pips,
            range=tick_range,
            liquidity=Liquidity(held),
            fee_growth_inside0_last_x128=last0,
            fee_growth_inside1_last_x128=last1,
            tokens_owed0=owed0,
            tokens_owed1=owed1,
        ),
    )


def observe(pool: str, window_s: int) -> ContractCall[tuple[int, int]]:
    """Cumulative ticks `window_s` ago and now; reverts where the pool's history is shorter."""
    return _OBSERVE.call(pool, [window_s, 0], read=lambda ticks, _seconds: (ticks[0], ticks[1]))


def pool_tokens(pool: str) -> tuple[ContractCall[str], ContractCall[str]]:
    """The pool's token0 and token1."""
    return _TOKEN0.call(pool, read=_checksummed), _TOKEN1.call(pool, read=_checksummed)


def pool_fee_and_spacing(pool: str) -> tuple[ContractCall[int], ContractCall[int]]:
    """The pool's fee in pips and its tick spacing."""
    return _FEE.call(pool, read=int), _SPACING.call(pool, read=int)


def _checksummed(address: str) -> str:
    return to_checksum_address(address)


def _read_ticks(populated: tuple[tuple[int, int, int], ...]) -> tuple[TickState, ...]:
    ticks = [
        TickState(tick=tick, liquidity_net=net, liquidity_gross=gross)
        for tick, net, gross in populated
    ]
    return tuple(sorted(ticks, key=lambda t: t.tick))


def _read_position(*values: Any) -> ManagedPosition:
    (_nonce, _operator, token0, token1, fee, lower, upper, held, last0, last1, owed0, owed1) = (
        values
    )
    return ManagedPosition(
        token0=_checksummed(token0),
        token1=_checksummed(token1),
        fee_pips=fee,
        range=TickRange(lower, upper),
        liquidity=Liquidity(held),
        fee_growth_inside0_last_x128=last0,
        fee_growth_inside1_last_x128=last1,
        tokens_owed0=owed0,
        tokens_owed1=owed1,
    )
