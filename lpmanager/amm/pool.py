"""A whole pool in memory: the accounting of UniswapV3Pool, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from lpmanager.amm.arguments import between, edges, int128, int256, range_between, uint
from lpmanager.amm.fee_growth import fee_growth_inside
from lpmanager.amm.full_math import Q128, Q256, mul_div_up
from lpmanager.amm.liquidity import amounts_for_liquidity_down, amounts_for_liquidity_up
from lpmanager.amm.oracle import Q32, Observation, Oracle, Present
from lpmanager.amm.position_info import NO_POSITION, PositionInfo, updated
from lpmanager.amm.reverts import PoolRevert
from lpmanager.amm.swap import Start, SwapResult, Walk, walk
from lpmanager.amm.swap_step import PIPS
from lpmanager.amm.tick_info import (
    Accumulators,
    TickInfo,
    add_liquidity,
    crossed,
    cumulatives_inside,
    max_liquidity_per_tick,
    with_liquidity,
)
from lpmanager.amm.tick_map import TickMap
from lpmanager.amm.tick_math import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    sqrt_price_at_tick,
    tick_at_sqrt_price,
)
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Liquidity,
    PoolState,
    Position,
    SqrtPriceX96,
    TickRange,
    TickState,
)

if TYPE_CHECKING:
    from lpmanager.model import Snapshot

#: The contract's factory allows less than this.
_TICK_SPACING_END = 16_384
#: The owner's share of the fees: none, or one in this many.
_SHARES = (0, *range(4, 11))

PositionKey = tuple[str, int, int]


class Pool:
    """A pool: `initialize` it, then mint, burn, collect and swap as on chain.

    Amounts are raw integers. What the deployed contract would revert raises PoolRevert with the
    contract's own code; an argument that its ABI could not even take raises ValueError. Either
    way the pool is unchanged. Tokens are not moved: callers are taken to pay what they owe, so the
    codes of unpaid callbacks (M0, M1, IIA, TF) do not come up.

    Formulas: Uniswap v4-core's libraries (MIT), with v3's accounting of positions and oracle.

    Warning: a pool built from a PoolState knows the ticks in `known` alone, and starts its
    fee growth outside ticks and its oracle at that state's block. Differences from there on, and so
    fees, are the contract's.
    """

    __slots__ = (
        "_oracle",
        "_positions",
        "_ticks",
        "fee_growth_global0_x128",
        "fee_growth_global1_x128",
        "fee_pips",
        "fee_protocol",
        "liquidity",
        "max_liquidity_per_tick",
        "protocol_fees0",
        "protocol_fees1",
        "sqrt_price_x96",
        "tick",
        "tick_spacing",
        "timestamp",
    )

    def __init__(self, fee_pips: int, tick_spacing: int, *, timestamp: int = 0) -> None:
        """A pool without a price. `timestamp` is the block's, in Unix seconds."""
        self.fee_pips = between("fee_pips", fee_pips, 0, PIPS - 1)
        self.tick_spacing = between("tick_spacing", tick_spacing, 1, _TICK_SPACING_END - 1)
        self.max_liquidity_per_tick = max_liquidity_per_tick(tick_spacing)
        self.timestamp = uint("timestamp", timestamp, 64)
        self.sqrt_price_x96 = SqrtPriceX96(0)
        self.tick = 0
        self.liquidity = Liquidity(0)
        self.fee_growth_global0_x128 = 0
        self.fee_growth_global1_x128 = 0
        #: the owner's share of the fees, 1/n of token0's in the low 4 bits, of token1's above
        self.fee_protocol = 0
        self.protocol_fees0 = 0
        self.protocol_fees1 = 0
        self._ticks = TickMap(tick_spacing, TickRange(MIN_TICK, MAX_TICK), {})
        self._positions: dict[PositionKey, PositionInfo] = {}
        self._oracle = Oracle()

    @classmethod
    def from_state(
        cls, state: PoolState, fee_pips: int, tick_spacing: int, *, timestamp: int = 0
    ) -> Pool:
        """The pool as it was read; see the warning above. Its positions are not known.

        Raises ValueError where the state contradicts itself.
        """
        pool = cls(fee_pips, tick_spacing, timestamp=timestamp)
        require_sound(state, tick_spacing)
        pool.sqrt_price_x96, pool.tick = state.sqrt_price_x96, state.tick
        pool.liquidity = state.liquidity
        pool.fee_growth_global0_x128 = state.fee_growth_global0_x128
        pool.fee_growth_global1_x128 = state.fee_growth_global1_x128
        pool.fee_protocol = state.fee_protocol
        pool._oracle.initialize(pool.timestamp % Q32)
        now = pool._accumulators()
        infos = {
            t.tick: pool._first_used(t.tick, now)._replace(
                liquidity_gross=t.liquidity_gross, liquidity_net=t.liquidity_net
            )
            for t in state.ticks
        }
        pool._ticks = TickMap(tick_spacing, state.known, infos)
        return pool

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> Pool:
        """The snapshot's pool, with its positions under their token id as owner.

        Each position collects what it would on chain. Warning: one that reaches beyond the known
        ticks cannot be changed.
        """
        key = snapshot.pool
        pool = cls.from_state(
            snapshot.state, key.fee_pips, key.tick_spacing, timestamp=snapshot.block.timestamp
        )
        for position in snapshot.positions:
            name = str(position.token_id), position.range.lower, position.range.upper
            pool._positions[name] = pool._as_read(position)
        return pool

    def copy(self) -> Pool:
        """An independent pool in the same state."""
        twin = Pool(self.fee_pips, self.tick_spacing, timestamp=self.timestamp)
        twin.become(self)
        return twin

    def state(self) -> PoolState:
        """The pool as the value that decisions work on."""
        return PoolState(
            sqrt_price_x96=self.sqrt_price_x96,
            tick=self.tick,
            liquidity=self.liquidity,
            fee_growth_global0_x128=self.fee_growth_global0_x128,
            fee_growth_global1_x128=self.fee_growth_global1_x128,
            fee_protocol=self.fee_protocol,
            ticks=tuple(
                TickState(
                    tick=tick,
                    liquidity_gross=self.ticks[tick].liquidity_gross,
                    liquidity_net=self.ticks[tick].liquidity_net,
                )
                for tick in self._ticks.order
            ),
            known=self.known,
        )

    @property
    def known(self) -> TickRange:
        """Where all initialized ticks are known."""
        return self._ticks.known

    @property
    def ticks(self) -> Mapping[int, TickInfo]:
        """The initialized ticks, to read."""
        return self._ticks.infos

    @property
    def positions(self) -> Mapping[PositionKey, PositionInfo]:
        """Every position that was ever minted, by (owner, lower tick, upper tick), to read."""
        return MappingProxyType(self._positions)

    @property
    def observations(self) -> Sequence[Observation]:
        """The oracle's observations, by slot of its ring, to read."""
        return tuple(self._oracle.observations)

    @property
    def observation_index(self) -> int:
        """The slot of the newest observation."""
        return self._oracle.index

    @property
    def observation_cardinality(self) -> int:
        """How many observations the ring holds."""
        return self._oracle.cardinality

    @property
    def observation_cardinality_next(self) -> int:
        """How many it will hold once it comes round."""
        return self._oracle.cardinality_next

    def set_time(self, timestamp: int) -> None:
        """Go on to a block at `timestamp`, in Unix seconds; time never goes back."""
        self.timestamp = between("timestamp", timestamp, self.timestamp, 2**64 - 1)

    def initialize(self, sqrt_price_x96: int) -> None:
        """Set the first price. Reverts: AI, R."""
        sqrt_price_x96 = uint("sqrt_price_x96", sqrt_price_x96, 160)
        if self.sqrt_price_x96 != 0:
            raise PoolRevert("AI")
        if not MIN_SQRT_PRICE <= sqrt_price_x96 < MAX_SQRT_PRICE:
            raise PoolRevert("R")
        self.tick = tick_at_sqrt_price(SqrtPriceX96(sqrt_price_x96))
        self.sqrt_price_x96 = SqrtPriceX96(sqrt_price_x96)
        self._oracle.initialize(self.timestamp % Q32)

    def mint(self, owner: str, tick_lower: int, tick_upper: int, liquidity: int) -> tuple[int, int]:
        """Add liquidity to a position; the raw amounts it costs, rounded up.

        Reverts: LOK, TLU, TLM, TUM, LO, LA, or without a code for no liquidity, more than int128
        holds, or ticks off the spacing.
        """
        tick_lower, tick_upper = edges(tick_lower, tick_upper)
        liquidity = uint("liquidity", liquidity, 128)
        self._require_initialized()
        if liquidity == 0:
            raise PoolRevert("", "a mint needs liquidity, found 0")
        delta = int128(liquidity)
        tick_range = range_between(tick_lower, tick_upper)
        self._change(owner, tick_range, delta)
        return amounts_for_liquidity_up(self.sqrt_price_x96, tick_range, Liquidity(liquidity))

    def burn(self, owner: str, tick_lower: int, tick_upper: int, liquidity: int) -> tuple[int, int]:
        """Take liquidity out of a position; the raw amounts it is owed for that, rounded down.

        They wait, with the fees, to be collected; 0 brings the fees up to date. Reverts: LOK, TLU,
        TLM, TUM, LS, NP, or without a code for more than int128 holds.
        """
        tick_lower, tick_upper = edges(tick_lower, tick_upper)
        liquidity = uint("liquidity", liquidity, 128)
        self._require_initialized()
        delta = -int128(liquidity)
        tick_range = range_between(tick_lower, tick_upper)
        self._change(owner, tick_range, delta)
        amounts = amounts_for_liquidity_down(self.sqrt_price_x96, tick_range, Liquidity(liquidity))
        key = owner, tick_lower, tick_upper
        position = self._positions[key]
        self._positions[key] = position._replace(
            tokens_owed0=(position.tokens_owed0 + amounts[0]) % Q128,
            tokens_owed1=(position.tokens_owed1 + amounts[1]) % Q128,
        )
        return amounts

    def collect(
        self,
        owner: str,
        tick_lower: int,
        tick_upper: int,
        amount0_requested: int,
        amount1_requested: int,
    ) -> tuple[int, int]:
        """Pay out at most these raw amounts of what a position is owed. Reverts: LOK.

        Warning: as in the contract, fees since the position's last change are owed only after a
        burn, be it of 0.
        """
        key = owner, *edges(tick_lower, tick_upper)
        amount0_requested = uint("amount0_requested", amount0_requested, 128)
        amount1_requested = uint("amount1_requested", amount1_requested, 128)
        self._require_initialized()
        position = self._positions.get(key, NO_POSITION)
        amount0 = min(amount0_requested, position.tokens_owed0)
        amount1 = min(amount1_requested, position.tokens_owed1)
        if amount0 or amount1:
            self._positions[key] = position._replace(
                tokens_owed0=position.tokens_owed0 - amount0,
                tokens_owed1=position.tokens_owed1 - amount1,
            )
        return amount0, amount1

    def swap(
        self, zero_for_one: bool, amount_specified: int, sqrt_price_limit_x96: int | None = None
    ) -> SwapResult:
        """Swap exactly `amount_specified` in (positive) or out (negative), up to the price limit.

        Without a limit the swap goes as far as prices go. Reverts: AS, LOK, SPL. Raises
        TickDataMissing where the price would leave what is known.
        """
        done = self._walk(zero_for_one, amount_specified, sqrt_price_limit_x96)
        result = done.result
        if done.crossings:
            now = self._accumulators()
            for tick, growth in done.crossings:
                at = (
                    now._replace(fee_growth_global0_x128=growth)
                    if zero_for_one
                    else now._replace(fee_growth_global1_x128=growth)
                )
                self._ticks.set(tick, crossed(self._ticks.infos[tick], at))
        if result.tick != self.tick:
            self._oracle.write(self._present())
        if zero_for_one:
            self.fee_growth_global0_x128 = done.fee_growth_x128
            self.protocol_fees0 = (self.protocol_fees0 + done.protocol_fee) % Q128
        else:
            self.fee_growth_global1_x128 = done.fee_growth_x128
            self.protocol_fees1 = (self.protocol_fees1 + done.protocol_fee) % Q128
        self.sqrt_price_x96, self.liquidity, self.tick = result[2:5]
        return result

    def quote(
        self, zero_for_one: bool, amount_specified: int, sqrt_price_limit_x96: int | None = None
    ) -> SwapResult:
        """What `swap` would do; the pool stays as it is."""
        return self._walk(zero_for_one, amount_specified, sqrt_price_limit_x96).result

    def flash(self, amount0: int, amount1: int, paid0: int, paid1: int) -> tuple[int, int]:
        """Lend raw amounts for the length of a call, and note what is paid for it; the fees due.

        Reverts: LOK, L, F0, F1, or without a code where fee growth would overflow.
        """
        amount0, amount1 = uint("amount0", amount0, 256), uint("amount1", amount1, 256)
        paid0, paid1 = uint("paid0", paid0, 256), uint("paid1", paid1, 256)
        self._require_initialized()
        if self.liquidity == 0:
            raise PoolRevert("L")
        due0 = mul_div_up(amount0, self.fee_pips, PIPS)
        due1 = mul_div_up(amount1, self.fee_pips, PIPS)
        if paid0 < due0:
            raise PoolRevert("F0")
        if paid1 < due1:
            raise PoolRevert("F1")
        owner0 = _share_down(paid0, self.fee_protocol % 16)
        owner1 = _share_down(paid1, self.fee_protocol >> 4)
        growth0 = (paid0 - owner0) * Q128 // self.liquidity
        growth1 = (paid1 - owner1) * Q128 // self.liquidity
        if max(growth0, growth1) >= Q256:
            raise PoolRevert("", f"the fees {paid0} and {paid1} overflow fee growth")
        self.protocol_fees0 = (self.protocol_fees0 + owner0) % Q128
        self.protocol_fees1 = (self.protocol_fees1 + owner1) % Q128
        self.fee_growth_global0_x128 = (self.fee_growth_global0_x128 + growth0) % Q256
        self.fee_growth_global1_x128 = (self.fee_growth_global1_x128 + growth1) % Q256
        return due0, due1

    def set_fee_protocol(self, fee_protocol0: int, fee_protocol1: int) -> None:
        """Give the pool's owner one in this many of each token's fees: 0 (none) or 4 to 10.

        Reverts: LOK, or without a code for another share.
        """
        fee_protocol0 = uint("fee_protocol0", fee_protocol0, 8)
        fee_protocol1 = uint("fee_protocol1", fee_protocol1, 8)
        self._require_initialized()
        if fee_protocol0 not in _SHARES or fee_protocol1 not in _SHARES:
            raise PoolRevert("", f"a share must be one of {_SHARES}")
        self.fee_protocol = fee_protocol0 + (fee_protocol1 << 4)

    def collect_protocol(self, amount0_requested: int, amount1_requested: int) -> tuple[int, int]:
        """Pay the pool's owner at most these raw amounts; one unit of each always stays.

        Reverts: LOK.
        """
        amount0_requested = uint("amount0_requested", amount0_requested, 128)
        amount1_requested = uint("amount1_requested", amount1_requested, 128)
        self._require_initialized()
        amount0 = min(amount0_requested, max(self.protocol_fees0 - 1, 0))
        amount1 = min(amount1_requested, max(self.protocol_fees1 - 1, 0))
        self.protocol_fees0 -= amount0
        self.protocol_fees1 -= amount1
        return amount0, amount1

    def increase_observation_cardinality_next(self, cardinality_next: int) -> None:
        """Let the oracle hold at least this many observations. Reverts: LOK."""
        cardinality_next = uint("cardinality_next", cardinality_next, 16)
        self._require_initialized()
        self._oracle.grow(cardinality_next)

    def observe(self, seconds_agos: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Tick cumulatives and seconds per liquidity (Q128), each as of so many seconds ago.

        Reverts: I, OLD.
        """
        agos = [uint("seconds_ago", ago, 32) for ago in seconds_agos]
        seen = self._oracle.at_all(agos, self._present())
        return (
            tuple(o.tick_cumulative for o in seen),
            tuple(o.seconds_per_liquidity_x128 for o in seen),
        )

    def snapshot_cumulatives_inside(self, tick_lower: int, tick_upper: int) -> tuple[int, int, int]:
        """(Tick cumulative, seconds per liquidity in Q128, seconds) inside a range.

        Only differences mean anything. Reverts: TLU, TLM, TUM, or without a code where one of the
        ticks is not initialized.
        """
        tick_range = range_between(*edges(tick_lower, tick_upper))
        lower, upper = self._ticks.reach(tick_range.lower), self._ticks.reach(tick_range.upper)
        if lower is None or upper is None:
            raise PoolRevert("", f"an edge of {tick_range} is not initialized")
        now = self._accumulators()
        return cumulatives_inside(tick_range, self.tick, lower, upper, now)

    def fee_growth_inside(self, tick_range: TickRange) -> tuple[int, int]:
        """Both tokens' fee growth inside a range, Q128 modulo 2**256. Only differences mean
        anything, and only while both edges stay initialized."""
        now = self._accumulators()
        lower = self._touched(tick_range.lower, 0, 0, now)
        return self._growth_inside(tick_range, lower, self._touched(tick_range.upper, 0, 0, now))

    def become(self, other: Pool) -> None:
        """Take over the state of a pool of the same terms, such as a copy that was worked on."""
        if (other.fee_pips, other.tick_spacing) != (self.fee_pips, self.tick_spacing):
            raise ValueError(
                f"a pool of {self.fee_pips} pips and tickSpacing {self.tick_spacing} cannot become "
                f"one of {other.fee_pips} pips and tickSpacing {other.tick_spacing}"
            )
        self.timestamp = other.timestamp
        self.sqrt_price_x96, self.tick = other.sqrt_price_x96, other.tick
        self.liquidity = other.liquidity
        self.fee_growth_global0_x128 = other.fee_growth_global0_x128
        self.fee_growth_global1_x128 = other.fee_growth_global1_x128
        self.fee_protocol = other.fee_protocol
        self.protocol_fees0, self.protocol_fees1 = other.protocol_fees0, other.protocol_fees1
        self._ticks = other._ticks.copy()
        self._positions = other._positions.copy()
        self._oracle = other._oracle.copy()

    def _walk(self, zero_for_one: bool, amount_specified: int, limit: int | None) -> Walk:
        amount_specified = int256("amount_specified", amount_specified)
        if limit is None:
            limit = MIN_SQRT_PRICE + 1 if zero_for_one else MAX_SQRT_PRICE - 1
        limit = uint("sqrt_price_limit_x96", limit, 160)
        if amount_specified == 0:
            raise PoolRevert("AS")
        self._require_initialized()
        price = self.sqrt_price_x96
        if not (MIN_SQRT_PRICE < limit < price if zero_for_one else price < limit < MAX_SQRT_PRICE):
            raise PoolRevert("SPL")
        growth = self.fee_growth_global0_x128 if zero_for_one else self.fee_growth_global1_x128
        return walk(
            Start(price, self.tick, self.liquidity, growth),
            self._ticks,
            zero_for_one,
            amount_specified,
            SqrtPriceX96(limit),
            self.fee_pips,
            self.fee_protocol % 16 if zero_for_one else self.fee_protocol >> 4,
        )

    def _change(self, owner: str, tick_range: TickRange, delta: int) -> None:
        """Add `delta`, of either sign, to a position's liquidity and bring its fees up to date.

        Everything is worked out, in the contract's order, before anything is kept.
        """
        edges = tick_range.lower, tick_range.upper
        for edge in edges:
            self._ticks.require_known(edge)
        now = self._accumulators()
        lower = self._touched(tick_range.lower, delta, delta, now)
        upper = self._touched(tick_range.upper, delta, -delta, now)
        if delta > 0:
            self._require_aligned(edges)
        key = owner, *edges
        inside = self._growth_inside(tick_range, lower, upper)
        position = updated(self._positions.get(key, NO_POSITION), delta, inside)
        if delta and self.tick in tick_range:
            liquidity = Liquidity(add_liquidity(self.liquidity, delta))
            self._oracle.write(self._present())
            self.liquidity = liquidity
        for edge, info in zip(edges, (lower, upper), strict=True):
            self._ticks.set(edge, info if info.liquidity_gross else None)
        self._positions[key] = position

    def _require_aligned(self, edges: tuple[int, int]) -> None:
        for edge in edges:
            if edge % self.tick_spacing:
                raise PoolRevert("", f"tick {edge} is no multiple of {self.tick_spacing}")

    def _touched(self, tick: int, delta: int, net_delta: int, now: Accumulators) -> TickInfo:
        """The tick with more or less liquidity; it may be left without any."""
        info = self._ticks.get(tick) or self._first_used(tick, now)
        return with_liquidity(info, delta, net_delta, self.max_liquidity_per_tick)

    def _first_used(self, tick: int, now: Accumulators) -> TickInfo:
        """An empty tick. By convention all that came before counts as below it."""
        outside = now if tick <= self.tick else (0, 0, 0, 0, 0)
        return TickInfo(0, 0, *outside)

    def _growth_inside(
        self, tick_range: TickRange, lower: TickInfo, upper: TickInfo
    ) -> tuple[int, int]:
        """Both tokens' fee growth inside a range whose edges are kept as given."""
        return (
            fee_growth_inside(
                tick_range=tick_range,
                tick=self.tick,
                global_x128=self.fee_growth_global0_x128,
                lower_outside_x128=lower.fee_growth_outside0_x128,
                upper_outside_x128=upper.fee_growth_outside0_x128,
            ),
            fee_growth_inside(
                tick_range=tick_range,
                tick=self.tick,
                global_x128=self.fee_growth_global1_x128,
                lower_outside_x128=lower.fee_growth_outside1_x128,
                upper_outside_x128=upper.fee_growth_outside1_x128,
            ),
        )

    def _as_read(self, position: Position) -> PositionInfo:
        """A position that was read, against this pool's own growth outside its edges."""
        inside0, inside1 = self.fee_growth_inside(position.range)
        grown0 = position.fee_growth_inside0_x128 - position.fee_growth_inside0_last_x128
        grown1 = position.fee_growth_inside1_x128 - position.fee_growth_inside1_last_x128
        return PositionInfo(
            position.liquidity,
            (inside0 - grown0) % Q256,
            (inside1 - grown1) % Q256,
            position.tokens_owed0,
            position.tokens_owed1,
        )

    def _present(self) -> Present:
        return Present(self.timestamp % Q32, self.tick, self.liquidity)

    def _accumulators(self) -> Accumulators:
        latest = self._oracle.latest(self._present())
        return Accumulators(
            self.fee_growth_global0_x128,
            self.fee_growth_global1_x128,
            latest.tick_cumulative,
            latest.seconds_per_liquidity_x128,
            latest.time,
        )

    def _require_initialized(self) -> None:
        if self.sqrt_price_x96 == 0:
            raise PoolRevert("LOK")


def _share_down(amount: int, share: int) -> int:
    return amount // share if share else 0


def require_sound(state: PoolState, tick_spacing: int) -> None:
    """Raise ValueError where a price and its tick, or the ticks, cannot be a pool's."""
    above = tick_at_sqrt_price(state.sqrt_price_x96)
    # A swap down that ends on a tick's price leaves the pool below that tick.
    on_edge = state.sqrt_price_x96 == sqrt_price_at_tick(above)
    if state.tick != above and not (on_edge and state.tick == above - 1):
        raise ValueError(
            f"sqrtPriceX96 {state.sqrt_price_x96} belongs to tick {above}, found {state.tick}"
        )
    previous = MIN_TICK - 1
    for tick in (t.tick for t in state.ticks):
        # MAX_TICK is the end of every known range that reaches it, and in none.
        known = tick in state.known or tick == state.known.upper == MAX_TICK
        if tick <= previous or tick % tick_spacing or not known:
            raise ValueError(
                f"ticks must rise in steps of {tick_spacing} inside {state.known}, found {tick} "
                f"after {previous}"
            )
        previous = tick
