"""A pool that a recorded market moves, with our positions in it, and the wallet they belong to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lpmanager.amm import Pool
from lpmanager.amm.fast.follow import follow
from lpmanager.amm.fast.legs import Followed, Legs
from lpmanager.backtest.markets.market import Change, Market
from lpmanager.backtest.replay.history import History, Stretch
from lpmanager.backtest.replay.tape import Tape
from lpmanager.backtest.replay.terms import Terms
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Amount,
    Block,
    Liquidity,
    Position,
    Price,
    Snapshot,
    TickRange,
    Wallet,
)
from lpmanager.risk.limits import Limits

#: Who a backtest's campaign belongs to.
ACCOUNT = "0x000000000000000000000000000000000000bAc7"

#: More of the native coin than gas can cost: what may be spent is bounded by the limits.
_NATIVE_RAW = 10**24

#: So many rows are made ready at once where the price may leave a range before they end: making
#: them ready in vain costs about as much as beginning once more.
_ROWS_AT_ONCE = 2_048

#: The owner of recorded positions whose owner the record does not say.
OTHERS = "others"

EVERYWHERE = TickRange(MIN_TICK, MAX_TICK)


class World:
    """What a chain is to a campaign: a state to read, and time that passes."""

    def __init__(self, market: Market, tape: Tape, terms: Terms, limits: Limits) -> None:
        key = market.pool
        self._market = market
        self._tape = tape
        self._terms = terms
        self._limits = limits
        self.pool = Pool.from_state(tape.start, key.fee_pips, key.tick_spacing)
        self.wallet = terms.deposit
        self.positions: dict[int, TickRange] = {}
        self._row = tape.first
        row = max(tape.first - 1, 0)
        self.block = _block(int(tape.blocks[row]), int(tape.times[row]))
        self._changed = sorted(tape.changes)
        self._tick = self.pool.tick
        self._history = History(
            tape,
            self.block.timestamp,
            self.pool.tick,
            keep_s=max(limits.history_s, limits.twap_window_s),
            block_s=terms.block_s,
        )

    @property
    def is_over(self) -> bool:
        """Whether the market has no more rows."""
        return self._row >= len(self._tape.times)

    @property
    def rows(self) -> int:
        """How many rows were replayed."""
        return self._row

    def pass_time(self, until: int, within: TickRange = EVERYWHERE) -> Iterator[Stretch]:
        """Replay the market up to a moment, or to the first row that leaves the price's tick
        outside a range. Gives each stretch as the pool has gone through it."""
        behind = int(np.searchsorted(self._tape.times, until, "right"))
        at_once = behind if within == EVERYWHERE else _ROWS_AT_ONCE
        while self._row < behind and self.pool.tick in within:
            yield self._replay(min(behind, self._row + at_once), within)
        if self.pool.tick in within:
            self.block = self._block_at(until)
        else:
            row = max(self._row - 1, 0)
            self.block = _block(int(self._tape.blocks[row]), int(self._tape.times[row]))

    def snapshot(self) -> Snapshot:
        """The world now, as the live reader would tell it."""
        key, limits, now = self._market.pool, self._limits, self.block.timestamp
        return Snapshot(
            chain_id=self._market.chain_id,
            block=self.block,
            read_at=now,
            pool=key,
            quote=self._terms.quote,
            state=self.pool.state(),
            twap=self._history.twap(now, limits.twap_window_s),
            positions=tuple(self._position(token_id) for token_id in self.positions),
            wallet=Wallet(
                address=ACCOUNT,
                signer=ACCOUNT,
                balances=self.wallet,
                native=Amount(self._terms.native, _NATIVE_RAW),
                nonce=0,
                allowances=(),
            ),
            vault=None,
            gas_price=self._terms.gas.at(now),
            native_price=self._native_price(),
            flow=self._history.flow(now, self.block.number, limits.history_s),
            earlier={},
            flat_liquidity=self._market.start is None,
        )

    def _replay(self, behind: int, within: TickRange) -> Stretch:
        """The rows up to the next that changes the ticks; that one's change, where it is next."""
        began = first = self._row
        while first < behind and first in self._tape.changes:
            self._change(*self._tape.changes[first])
            first += 1
        at = bisect_left(self._changed, first)
        last = min(behind, self._changed[at]) if at < len(self._changed) else behind
        last = max(first, last)
        legs = self._tape.legs(first, last)
        went = follow(self.pool, legs, within.lower, within.upper)
        left = went.legs < len(legs.kinds)
        self._row = int(legs.rows[went.legs - 1]) + 1 if left else last
        stretch = Stretch(
            first=began,
            behind=self._row,
            legs=legs,
            went=went,
            ticks=self._row_ticks(began, legs, went),
        )
        self._history.add(stretch)
        self._tick = self.pool.tick
        return stretch

    def _change(self, is_mint: bool, change: Change) -> None:
        owner = change.owner or OTHERS
        edges = change.range.lower, change.range.upper
        if is_mint:
            self.pool.mint(owner, *edges, change.liquidity)
        else:
            self.pool.burn(owner, *edges, change.liquidity)

    def _row_ticks(self, first: int, legs: Legs, went: Followed) -> NDArray[np.int64]:
        """The tick that each row left, also those without a swap."""
        rows = np.arange(first, self._row)
        at = np.searchsorted(legs.rows[: went.legs], rows, "right") - 1
        ticks: NDArray[np.int64] = (
            np.where(at >= 0, went.ticks[at], self._tick)
            if went.legs
            else np.full(len(rows), self._tick)
        )
        return ticks

    def _position(self, token_id: int) -> Position:
        span = self.positions[token_id]
        held = self.pool.positions[owner_of(token_id), span.lower, span.upper]
        inside0, inside1 = self.pool.fee_growth_inside(span)
        return Position(
            token_id=token_id,
            range=span,
            liquidity=Liquidity(held.liquidity),
            fee_growth_inside0_x128=inside0,
            fee_growth_inside1_x128=inside1,
            fee_growth_inside0_last_x128=held.fee_growth_inside0_last_x128,
            fee_growth_inside1_last_x128=held.fee_growth_inside1_last_x128,
            tokens_owed0=held.tokens_owed0,
            tokens_owed1=held.tokens_owed1,
        )

    def _native_price(self) -> Price | None:
        terms, key = self._terms, self._market.pool
        if terms.native_price is not None:
            ratio = terms.native_price
        elif terms.wrapped_native in (key.token0, key.token1):
            price = key.price(terms.quote, self.pool.sqrt_price_x96)
            ratio = price.value_of(Amount(terms.wrapped_native, 1))
        else:
            return None
        return Price(base=terms.native, quote=terms.quote, ratio=ratio)

    def _block_at(self, now: int) -> Block:
        """The block at a moment between the market's rows, by the chain's usual pace."""
        row = max(self._row - 1, 0)
        since = max(now - int(self._tape.times[row]), 0)
        return _block(int(self._tape.blocks[row]) + since // self._terms.block_s, now)


def owner_of(token_id: int) -> str:
    """The name under which the pool keeps a position of ours."""
    return f"{ACCOUNT} {token_id}"


def _block(number: int, timestamp: int) -> Block:
    return Block(number=number, hash=f"0x{number:064x}", timestamp=timestamp, base_fee=0)
