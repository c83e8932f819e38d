"""A simulation told to a person: the picture, what was done and why not, and the result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from lpmanager.amm import sqrt_price_at_tick
from lpmanager.cli.chart import Moment, picture
from lpmanager.cli.identity import identity_rows
from lpmanager.cli.output import console, print_table
from lpmanager.cli.words import moment as date_and_time
from lpmanager.cli.words import money, number, price_unit, prices_between
from lpmanager.cycle import Cycle
from lpmanager.devnet.summary import Deed, Summary, deed_of, minted
from lpmanager.model import Gate, Hold, Plan, PoolKey, TickRange, Token

_MARKS = {Deed.RERANGE: "R", Deed.RERANGE_WITH_SWAP: "S", Deed.HEDGE: "H", Deed.STOPPED: "!"}
_LEGEND = "• price  ░ our range  ▒ two of them  R re-range  S re-range with a swap  H hedge"
_HEIGHT = 19
_WIDEST = 110

#: The gate that says whether the inventory is left alone.
_IMBALANCE = "imbalance"


def tell(summary: Summary) -> None:
    """Print all of it on stdout."""
    _print_picture(summary)
    _print_deeds(summary)
    _print_result(summary)


def _print_picture(summary: Summary) -> None:
    out = console()
    if not summary.cycles:
        return
    moments = [_moment(cycle) for cycle in summary.cycles]
    unit = price_unit(summary.closing.price)
    day = datetime.fromtimestamp(moments[0].timestamp, UTC).strftime("%Y-%m-%d")
    out.print(f"Price against range, {unit}, from {day} (UTC)", style="bold")
    out.print(picture(moments, width=min(out.width, _WIDEST), height=_HEIGHT), end="")
    out.print(_LEGEND, markup=False)
    out.print()


def _moment(cycle: Cycle) -> Moment:
    """A cycle's price, and the ranges held once it was done."""
    snapshot, new = cycle.snapshot, minted(cycle)
    ranges = new or tuple(position.range for position in snapshot.positions)
    return Moment(
        timestamp=snapshot.block.timestamp,
        price=float(snapshot.price.per_whole),
        bands=tuple(_band(snapshot.pool, snapshot.quote, span) for span in ranges),
        mark=_MARKS.get(deed_of(cycle), ""),
    )


def _band(pool: PoolKey, quote: Token, span: TickRange) -> tuple[float, float]:
    edges = sqrt_price_at_tick(span.lower), sqrt_price_at_tick(span.upper)
    low, high = prices_between(pool, quote, *edges)
    return float(low), float(high)


def _print_deeds(summary: Summary) -> None:
    """Every move, and between them the holds, those for the same reason in one row."""
    rows = []
    for _, group in groupby(summary.cycles, key=_kind):
        cycles = list(group)
        rows.append((_times(cycles), _prices(cycles), _decision(cycles), _why(cycles)))
    print_table("What it did, and why it held", ("time", "price", "decision", "why"), rows)


def _kind(cycle: Cycle) -> tuple[object, ...]:
    """What cycles of one row have in common; a move shares its row with nothing."""
    if isinstance(cycle.decision, Plan):
        return Deed, cycle.snapshot.block.number
    return tuple(gate.name for gate in _closed(cycle.decision))


def _closed(hold: Hold) -> list[Gate]:
    """The closed gates of a hold, but for the imbalance: its row gives that as a span."""
    return [gate for gate in hold.gates if not gate.passed and gate.name != _IMBALANCE]


def _times(cycles: Sequence[Cycle]) -> str:
    times = [cycle.snapshot.block.timestamp for cycle in cycles]
    first, last = (datetime.fromtimestamp(t, UTC).strftime("%H:%M") for t in (times[0], times[-1]))
    return first if first == last else f"{first}-{last}"


def _prices(cycles: Sequence[Cycle]) -> str:
    prices = [cycle.snapshot.price.per_whole for cycle in cycles]
    low, high = f"{float(min(prices)):,.0f}", f"{float(max(prices)):,.0f}"
    return low if low == high else f"{low}-{high}"


def _decision(cycles: Sequence[Cycle]) -> str:
    deed = deed_of(cycles[-1])
    return f"{deed} x{len(cycles)}" if deed is Deed.HOLD and len(cycles) > 1 else str(deed)


def _why(cycles: Sequence[Cycle]) -> str:
    """The reason in a line, with the numbers."""
    last = cycles[-1]
    if isinstance(last.decision, Plan):
        return _why_moved(last, last.decision)
    closed = _closed(last.decision)
    if closed:
        numbers = "; ".join(f"{g.name} {g.measured} (limit {g.limit})" for g in closed)
        return f"{last.decision.reason}; {numbers}"
    return f"{last.decision.reason}; {_imbalances(cycles)}"


def _imbalances(cycles: Sequence[Cycle]) -> str:
    """How far the inventory was from its target weight, against the band where it is hedged."""
    measured = [c.inventory.imbalance for c in cycles if c.inventory.imbalance is not None]
    gates = [g for c in cycles for g in c.decision.gates if g.name == _IMBALANCE]
    if not measured or not gates:
        return "nothing held"
    low, high = f"{float(min(measured)):+z.2f}", f"{float(max(measured)):+z.2f}"
    span = low if low == high else f"{low} to {high}"
    beyond = sum(not gate.passed for gate in gates)
    told = f"imbalance {span}, band {gates[-1].limit}"
    return f"{told}, {beyond} times beyond it with nothing idle to sell" if beyond else told


def _why_moved(cycle: Cycle, plan: Plan) -> str:
    quote, estimate = cycle.snapshot.quote, plan.estimate
    cost = money(estimate.gas + estimate.swap_cost, quote)
    if cycle.outcome is not None and cycle.outcome.stopped is not None:
        return f"stopped half way: {cycle.outcome.stopped}"
    if deed_of(cycle) is Deed.HEDGE:
        imbalance = cycle.inventory.imbalance
        measured = "unknown" if imbalance is None else f"{float(imbalance):+.3f}"
        return f"imbalance {measured} is beyond its band; costs {cost}"
    bands = [_band(cycle.snapshot.pool, quote, span) for span in minted(cycle)]
    where = " and ".join(f"{low:,.0f}-{high:,.0f}" for low, high in bands)
    gain = money(estimate.fees_gained, quote)
    return f"to {where}; should gain {gain} in {estimate.horizon_s // 3600} h, costs {cost}"


def _print_result(summary: Summary) -> None:
    result, closing = summary.result, summary.closing
    price, quote = result.price, result.price.quote
    print_table(
        f"Result at {number(price.per_whole)} {price_unit(price)}, the pool's price at block "
        f"{closing.block.number:,}, {date_and_time(closing.block.timestamp)}",
        ("", "", quote.symbol),
        identity_rows(result),
    )
    out = console()
    out.print(_facts(summary), markup=False)
    out.print(_books(summary), markup=False)


def _facts(summary: Summary) -> str:
    market = summary.market
    parts = [f"{market.swaps:,} swaps of others in {market.blocks:,} blocks"]
    if market.largest_deviation is not None:
        off = float(market.largest_deviation)
        parts.append(f"largest deviation from the recorded price after a block: {off:.3%}")
    if market.largest_shift_s:
        parts.append(f"a block came at most {market.largest_shift_s} s after its own time")
    return "; ".join(parts) + "."


def _books(summary: Summary) -> str:
    error = summary.result.in_quote()["identity_error"]
    if not summary.reconciled:
        return "THE BOOKS DO NOT CLOSE: the chain holds something else than the books say."
    return (
        f"The books closed to the wei after each of {len(summary.cycles)} cycles, and again at the "
        f"end: every balance on chain is the books', and the terms above leave over {error}."
    )
