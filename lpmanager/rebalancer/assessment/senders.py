"""Who the flow is from, and what the pool's providers made of it."""

from __future__ import annotations

from lpmanager.model import Snapshot
from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import Markout, by_sender, token1_in_quote

#: As many senders as a person reads.
MOST_SENDERS = 10


def sender_measures(
    snapshot: Snapshot, found: tuple[Markout, ...] | Missing
) -> tuple[Measure, ...]:
    """The markout of each of the ten senders that cost the providers most, the worst first, in
    quote tokens at the price of now; `found` are those of the snapshot's swaps."""
    if isinstance(found, Missing):
        return (_measure("markout by sender", found, "what providers made of each one's swaps"),)
    if not any(one.sender for one in found):
        unknown = Missing("the record does not tell who swapped")
        return (_measure("markout by sender", unknown, "what providers made of each one's swaps"),)
    unit = token1_in_quote(snapshot)
    return tuple(_of_sender(one, unit, snapshot) for one in by_sender(found)[:MOST_SENDERS])


def _of_sender(one: Markout, unit: float, snapshot: Snapshot) -> Measure:
    return _measure(
        f"markout of {one.sender or 'unknown senders'}",
        one.gain * unit,
        f"providers' gain with the fee, on a volume of {one.volume * unit:,.2f} "
        f"{snapshot.quote.symbol}; all of it counts the same",
    )


def _measure(name: str, value: float | Missing, meaning: str) -> Measure:
    return Measure(question=Question.PAY, name=name, value=value, unit=Unit.QUOTE, meaning=meaning)
