"""The gates that do not depend on what is planned. Missing data closes a gate."""

from __future__ import annotations

from lpmanager.model import Gate, Snapshot
from lpmanager.risk.limits import Limits
from lpmanager.risk.missing import Missing
from lpmanager.risk.outlook import MINIMUM_SAMPLES, Outlook


def market_gates(
    snapshot: Snapshot, outlook: Outlook | Missing, limits: Limits
) -> tuple[Gate, ...]:
    """Is what was read fresh, undisturbed and enough to decide on?"""
    return (
        head_age(snapshot, limits),
        twap_deviation(snapshot, limits),
        history(outlook),
        native_price(snapshot),
    )


def head_age(snapshot: Snapshot, limits: Limits) -> Gate:
    """The newest block must be young: an old head means a lagging RPC or a stalled chain."""
    age = snapshot.read_at - snapshot.block.timestamp
    return Gate(
        name="head age",
        passed=-limits.max_head_age_s <= age <= limits.max_head_age_s,
        measured=f"{age} s",
        limit=f"{limits.max_head_age_s} s",
        reason="age of the newest block by this machine's clock",
    )


def twap_deviation(snapshot: Snapshot, limits: Limits) -> Gate:
    """The price must be near its own recent mean: a displaced pool is a trap."""
    limit = f"{limits.max_twap_deviation_ticks} ticks"
    if snapshot.twap is None:
        return Gate(
            name="TWAP",
            passed=False,
            measured="no history",
            limit=limit,
            reason=f"the pool's oracle does not reach back {limits.twap_window_s} s; grow it with "
            "increaseObservationCardinalityNext and wait, or shorten twap_window_s",
        )
    deviation = abs(snapshot.state.tick - snapshot.twap.tick_down)
    return Gate(
        name="TWAP",
        passed=deviation <= limits.max_twap_deviation_ticks,
        measured=f"{deviation} ticks",
        limit=limit,
        reason=f"distance of the price from its mean over {snapshot.twap.window_s} s",
    )


def history(outlook: Outlook | Missing) -> Gate:
    """There must be enough recent swaps to say what a range may earn and how prices move."""
    limit = f"{MINIMUM_SAMPLES} blocks"
    if isinstance(outlook, Missing):
        return Gate(
            name="history", passed=False, measured="unknown", limit=limit, reason=outlook.reason
        )
    return Gate(
        name="history",
        passed=True,
        measured=f"{outlook.samples} blocks",
        limit=limit,
        reason="blocks with swaps in the window that fees and volatility are measured on",
    )


def native_price(snapshot: Snapshot) -> Gate:
    """Gas is paid in the native coin; without its price nothing can be weighed against it."""
    known = snapshot.native_price is not None
    return Gate(
        name="price of gas",
        passed=known,
        measured="known" if known else "unknown",
        limit="known",
        reason="the native coin in the quote token; where neither token wraps it set native_pool",
    )
