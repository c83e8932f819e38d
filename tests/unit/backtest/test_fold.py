"""A pool followed event by event: what may follow what."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from builders import a_range, price_at
from market_builders import MAINNET_EVENTS, needs_data

from lpmanager.amm import Pool
from lpmanager.backtest.markets.events import MarketEvent, read_events
from lpmanager.backtest.store.fold import Fold
from lpmanager.chain.event_log import LogKind, PoolEvent, Standing
from lpmanager.errors import EventsMissing
from lpmanager.model import SqrtPriceX96

SPACING = 10
FEE = 500


def an_event(kind: LogKind, **changes: object) -> PoolEvent:
    plain: dict[str, object] = {
        "kind": kind,
        "block": 1,
        "time": 1,
        "log_index": 0,
        "amount0": 0,
        "amount1": 0,
        "after": None,
        "range": None,
        "liquidity": 0,
        "owner": None,
        "sender": None,
    }
    return PoolEvent(**plain | changes)


class History:
    """A pool of `amm`, and what it would tell of each thing that is done to it."""

    def __init__(self, *, whole: bool = True) -> None:
        self.pool = Pool(FEE, SPACING)
        self.pool.initialize(price_at(5))
        begun = an_event(LogKind.INITIALIZE, after=self.standing())
        self.fold = Fold(SPACING)
        if whole:
            self.fold.apply(begun)

    def standing(self) -> Standing:
        pool = self.pool
        return Standing(
            sqrt_price_x96=pool.sqrt_price_x96, tick=pool.tick, liquidity=pool.liquidity
        )

    def mint(self, text: str, liquidity: int) -> PoolEvent:
        where = a_range(text)
        self.pool.mint("somebody", where.lower, where.upper, liquidity)
        return an_event(LogKind.MINT, range=where, liquidity=liquidity)

    def burn(self, text: str, liquidity: int) -> PoolEvent:
        where = a_range(text)
        self.pool.burn("somebody", where.lower, where.upper, liquidity)
        return an_event(LogKind.BURN, range=where, liquidity=liquidity)

    def swap(self, amount: int, *, zero_for_one: bool) -> PoolEvent:
        """An exact input where positive, an exact output where negative."""
        done = self.pool.swap(zero_for_one, amount)
        return an_event(
            LogKind.SWAP, amount0=done.amount0, amount1=done.amount1, after=self.standing()
        )


def a_busy_history(history: History) -> list[PoolEvent]:
    """Swaps of every size and kind, across ticks of ranges that come and go."""
    told = [
        history.mint("[-600, 600)", 10**15),
        history.mint("[0, 10)", 10**16),
        history.mint("[-90, -20)", 10**14),
    ]
    for size in (1, 10**6, 10**12, 3 * 10**13):
        told += [
            history.swap(size, zero_for_one=True),
            history.swap(-size, zero_for_one=False),
            history.swap(2 * size, zero_for_one=False),
            history.swap(-size, zero_for_one=True),
        ]
    told += [history.burn("[0, 10)", 10**16), history.swap(10**12, zero_for_one=True)]
    return told


def test_a_pool_known_from_its_beginning_is_followed_to_where_it_stands() -> None:
    history = History()
    events = a_busy_history(history)
    assert follow(history.fold, events) == history.standing()


def follow(fold: Fold, events: Iterable[PoolEvent]) -> Standing | None:
    for event in events:
        fold.apply(event)
    return fold.standing


def test_every_swap_that_is_left_out_shows_in_the_next() -> None:
    events = a_busy_history(History())
    swaps = [i for i, event in enumerate(events) if event.kind is LogKind.SWAP]
    for left_out in swaps[4:-1]:  # the first are of single units
        with pytest.raises(EventsMissing):
            follow(History().fold, events[:left_out] + events[left_out + 1 :])


@pytest.mark.parametrize("left_out", [0, 1, 2, -2])
def test_liquidity_that_came_or_went_unseen_shows_in_the_swaps(left_out: int) -> None:
    events = a_busy_history(History())
    del events[left_out]
    with pytest.raises(EventsMissing):
        follow(History().fold, events)


def test_without_its_beginning_a_pool_is_followed_from_the_first_swap() -> None:
    history = History(whole=False)
    events = a_busy_history(history)[3:]
    assert not history.fold.needs_standing(events[0])
    assert follow(history.fold, events) == history.standing()
    assert history.fold.ticks is None


def test_a_mint_before_anything_that_tells_the_price_needs_a_standing() -> None:
    history = History(whole=False)
    minted = history.mint("[-600, 600)", 10**15)
    assert history.fold.needs_standing(minted)
    with pytest.raises(EventsMissing, match="before anything that tells"):
        history.fold.apply(minted)


def test_a_pool_is_not_initialized_twice() -> None:
    history = History()
    with pytest.raises(EventsMissing, match="initialized once"):
        history.fold.apply(an_event(LogKind.INITIALIZE, after=history.standing()))


def test_nobody_takes_more_liquidity_than_there_is() -> None:
    history = History()
    burnt = an_event(LogKind.BURN, range=a_range("[-600, 600)"), liquidity=1)
    with pytest.raises(EventsMissing, match="it takes 1 of 0"):
        history.fold.apply(burnt)


@pytest.mark.realdata
@needs_data
def test_a_recorded_day_of_mainnet_follows_itself() -> None:
    events = read_events(MAINNET_EVENTS)
    last = follow(Fold(SPACING), map(as_told, events))
    assert last == as_told(events[-1]).after


@pytest.mark.realdata
@needs_data
def test_most_swaps_of_a_recorded_day_are_missed() -> None:
    events = [as_told(event) for event in read_events(MAINNET_EVENTS)[:100]]
    assert all(event.kind is LogKind.SWAP for event in events)
    noticed = 0
    for left_out in range(1, 90):
        try:
            follow(Fold(SPACING), events[left_out - 1 : left_out] + events[left_out + 1 :])
        except EventsMissing:
            noticed += 1
    assert noticed > 80


def as_told(event: MarketEvent) -> PoolEvent:
    after = Standing(
        sqrt_price_x96=SqrtPriceX96(event.sqrt_price_x96),
        tick=event.tick,
        liquidity=event.active_liquidity,
    )
    return PoolEvent(
        kind=LogKind(str(event.kind)),
        block=event.block_number,
        time=event.timestamp,
        log_index=event.log_index,
        amount0=event.amount0,
        amount1=event.amount1,
        after=after if event.range is None else None,
        range=event.range,
        liquidity=event.liquidity,
        owner=None,
        sender=event.sender or None,
    )
