"""What the pool's recent swaps say about fees and volatility."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model import Snapshot, SwapColumns
from lpmanager.risk.missing import Missing
from lpmanager.risk.price_path import returns_of, share_since_first_swap
from lpmanager.risk.providers_fee import providers_shares
from lpmanager.risk.volatility.realised import STEP_S, realised_variance_rate

#: Fewer blocks with swaps than this say nothing about what fees are paid.
MINIMUM_SAMPLES = 10

#: Fewer returns of five minutes than these say nothing about volatility, which they tell to about a
#: third either way; the eleven or twelve of an hour tell it to about a fifth.
MINIMUM_RETURNS = 5

_PIPS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Estimates (floats) from the flow before the snapshot.

    `fee_rate0`, `fee_rate1`: raw token units earned per unit of active liquidity per second.
    `variance_rate`: realised variance of the log price per second, from returns of five minutes,
    jumps included; above 0. `samples`: blocks with swaps used. `seconds`: the time that was
    watched, of which all rates are.
    """

    fee_rate0: float
    fee_rate1: float
    variance_rate: float
    samples: int
    seconds: int


def assess(snapshot: Snapshot) -> Outlook | Missing:
    """The Outlook; Missing where there is too little history, and where the price stood still.

    Fees and variance are both of all the time that was watched, else quiet time before the first
    swap would make fees look low against what arbitrage takes. The price stood still in it.

    Volatility is not measured from swap to swap: a price that swaps push to and fro between the
    edges of the fee would look many times as wild as it is.
    """
    flow = snapshot.flow
    if flow is None:
        return Missing("fees and volatility need recent swaps, and none were read")
    swaps = SwapColumns.of(flow.swaps)
    samples = len(set(swaps.block_numbers))
    if samples < MINIMUM_SAMPLES:
        return Missing(
            f"fees and volatility need {MINIMUM_SAMPLES} blocks with swaps, found {samples} in the "
            f"last {flow.seconds} s"
        )
    returns = returns_of(snapshot, STEP_S)
    if isinstance(returns, Missing):
        return returns
    variance_rate = realised_variance_rate(returns, needed=MINIMUM_RETURNS)
    if isinstance(variance_rate, Missing):
        return variance_rate
    fee0, fee1 = _fees_per_liquidity(swaps, snapshot.pool.fee_pips, snapshot.state.fee_protocol)
    return Outlook(
        fee_rate0=fee0 / flow.seconds,
        fee_rate1=fee1 / flow.seconds,
        variance_rate=variance_rate * share_since_first_swap(len(returns), flow.seconds, STEP_S),
        samples=samples,
        seconds=flow.seconds,
    )


def _fees_per_liquidity(
    swaps: SwapColumns, fee_pips: int, fee_protocol: int
) -> tuple[float, float]:
    """Fees the swaps paid to one unit of the liquidity active after each of them."""
    earned0 = earned1 = 0.0
    kept0, kept1 = providers_shares(fee_protocol)
    for amount0, amount1, liquidity in zip(
        swaps.amounts0, swaps.amounts1, swaps.liquidities, strict=True
    ):
        if liquidity <= 0:
            continue
        if amount0 > 0:
            earned0 += amount0 * fee_pips / _PIPS * kept0 / liquidity
        elif amount1 > 0:
            earned1 += amount1 * fee_pips / _PIPS * kept1 / liquidity
    return earned0, earned1
