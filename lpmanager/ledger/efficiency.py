"""How well a campaign's market making paid, from its books and the prices of its cycles."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

from lpmanager.ledger.over_time import Balance
from lpmanager.ledger.report import PositionLife
from lpmanager.model import Amount, CampaignRecord, Deposit, Price, Snapshot, SqrtPriceX96
from lpmanager.model.units import DAY_S
from lpmanager.risk.efficiency import Efficiency, net_fee_apr
from lpmanager.risk.held_range import held_range
from lpmanager.risk.lived import Deployed, Life, SeenPrice, deployed, lost_to_arbitrage
from lpmanager.risk.lvr import fee_to_lvr
from lpmanager.risk.missing import Missing

_VOLUME = Missing(
    "fees per volume needs every swap of the pool since the campaign began, which its store does "
    "not keep; `lpm backtest` of a market from `lpm fetch` tells it"
)


def efficiency_of(
    snapshot: Snapshot,
    record: CampaignRecord,
    balances: Sequence[Balance],
    lives: Sequence[PositionLife],
    cycles: Sequence[tuple[int, SqrtPriceX96]],
) -> Efficiency | Missing:
    """From the first deposit to the snapshot that the books were brought up to; Missing before it.

    `cycles` are the time and price of each. Value and fees are at the prices of their time, gas at
    that of now. Between two cycles the value is on a straight line, and the price that of the first
    of them: what it did between them is not seen.
    """
    if not record.deposits:
        return Missing("nothing was ever deposited")
    start, now = record.deposits[0], snapshot.block.timestamp
    prices = _prices(snapshot, start, cycles)
    held = [_life(snapshot, life) for life in lives]
    seen = [
        SeenPrice(time=time, sqrt_price=math.sqrt(price.per_whole))
        for time, price in prices.items()
    ]
    whole, seconds = 10**snapshot.quote.decimals, now - start.timestamp
    fees, mean_value = _fees(balances, prices) / whole, _mean_value(balances, prices) / whole
    lvr, gas = lost_to_arbitrage(held, seen), _gas(snapshot, record.gas_raw)
    rebalances = _rebalances(lives, [time for time, _ in cycles])

    def apr(lost: float, gas: float) -> float | Missing:
        return net_fee_apr(fees=fees, lvr=lost, gas=gas, mean_value=mean_value, seconds=seconds)

    return Efficiency(
        fee_apr_share=apr(0.0, 0.0),
        net_fee_apr_share=gas if isinstance(gas, Missing) else apr(lvr, gas),
        fees_per_lvr=fee_to_lvr(fees, lvr),
        fees_per_volume=_VOLUME,
        in_range_share=_in_range(deployed(held, seen, now)),
        rebalances=rebalances,
        rebalances_per_day=rebalances * DAY_S / seconds
        if seconds > 0
        else Missing("no time has passed since the first deposit"),
    )


def _in_range(found: Deployed) -> float | Missing:
    if found.seconds == 0:
        return Missing("no liquidity was ever placed")
    return found.in_range_s / found.seconds


def _gas(snapshot: Snapshot, wei: int) -> float | Missing:
    """Wei in whole quote tokens."""
    if wei == 0:
        return 0.0
    if snapshot.native_price is None:
        return Missing("nothing tells the price of gas")
    spent = snapshot.native_price.value_of(Amount(snapshot.wallet.native.token, wei))
    return float(spent / 10**snapshot.quote.decimals)


def _prices(
    snapshot: Snapshot, start: Deposit, cycles: Sequence[tuple[int, SqrtPriceX96]]
) -> dict[int, Price]:
    """The price of each time that one was seen at, oldest first, from the first deposit to now."""
    then = {
        start.timestamp: start.sqrt_price_x96,
        **{time: price for time, price in cycles if time >= start.timestamp},
        snapshot.block.timestamp: snapshot.state.sqrt_price_x96,
    }
    return {time: snapshot.pool.price(snapshot.quote, then[time]) for time in sorted(then)}


def _life(snapshot: Snapshot, life: PositionLife) -> Life:
    pool, quote = snapshot.pool, snapshot.quote
    opened = math.sqrt(pool.price(quote, life.sqrt_price_x96).per_whole)
    return Life(
        held=held_range(pool, quote, life.range, life.liquidity),
        opened=SeenPrice(time=life.opened_at, sqrt_price=opened),
        closed_at=life.closed_at,
    )


def _mean_value(balances: Sequence[Balance], prices: dict[int, Price]) -> float:
    """Over the time from the first price to the last, in raw quote units."""
    times = [balance.timestamp for balance in balances]
    values = [
        (time, float(price.value(balances[max(bisect_right(times, time) - 1, 0)].held)))
        for time, price in prices.items()
    ]
    seconds = values[-1][0] - values[0][0]
    area = sum((end - begin) * (a + b) / 2 for (begin, a), (end, b) in pairwise(values))
    return area / seconds if seconds else 0.0


def _fees(balances: Sequence[Balance], prices: dict[int, Price]) -> float:
    """All that was earned, each part at the newest price of its time, in raw quote units."""
    times, total = list(prices), 0.0
    known = [prices[time] for time in times]
    for before, after in pairwise(balances):
        price = known[max(bisect_right(times, after.timestamp) - 1, 0)]
        total += float(price.value(after.fees - before.fees))
    return max(total, 0.0)


def _rebalances(lives: Sequence[PositionLife], cycles: Sequence[int]) -> int:
    """After how many cycles the ranges held were others; the first placing is none."""
    changes = [
        time for life in lives for time in (life.opened_at, life.closed_at) if time is not None
    ]
    moves = {bisect_right(cycles, time) for time in changes}
    return max(len(moves) - 1, 0)
