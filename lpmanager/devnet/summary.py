"""What a simulation came to: its moves told apart, its result, and whether its books close."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lpmanager.cycle import Campaign, Cycle
from lpmanager.devnet.market import MarketReport
from lpmanager.devnet.simulation import Simulation
from lpmanager.ledger.result import Result
from lpmanager.model import (
    CampaignRecord,
    Hold,
    Minted,
    Snapshot,
    Swap,
    SwapPurpose,
    TickRange,
)
from lpmanager.model.token import decimal_text


class Deed(StrEnum):
    """What came of a cycle."""

    RERANGE_WITH_SWAP = "re-range with a swap"
    RERANGE = "re-range without a swap"
    HEDGE = "hedge"
    STOPPED = "stopped"
    HOLD = "hold"


#: The deeds that place liquidity anew.
RERANGES = frozenset({Deed.RERANGE, Deed.RERANGE_WITH_SWAP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A simulation and its closing. `closing` is the snapshot that `result` is valued at.

    `reconciled` was measured after the end, apart from the reconciliation after every cycle: the
    chain's balances are the books', and the native coin that went is the gas of the receipts.
    """

    market: MarketReport
    cycles: tuple[Cycle, ...]
    closing: Snapshot
    result: Result
    reconciled: bool

    def count(self, *deeds: Deed) -> int:
        """How many cycles came to one of these."""
        return sum(deed_of(cycle) in deeds for cycle in self.cycles)

    def minted_ranges(self) -> tuple[tuple[TickRange, ...], ...]:
        """The ranges each re-range minted, oldest first."""
        return tuple(minted(c) for c in self.cycles if deed_of(c) in RERANGES)


def summarise(simulation: Simulation, campaign: Campaign) -> Summary:
    """Close the books at the newest block. Raises BooksDoNotClose where they do not."""
    closing = campaign.read()
    record = campaign.books.bring_up_to(closing)
    return Summary(
        market=simulation.market,
        cycles=simulation.cycles,
        closing=closing,
        result=campaign.books.result(closing),
        reconciled=is_reconciled(simulation.cycles, record, closing),
    )


def deed_of(cycle: Cycle) -> Deed:
    """What came of a cycle."""
    if isinstance(cycle.decision, Hold):
        return Deed.HOLD
    if cycle.outcome is None or cycle.outcome.stopped is not None:
        return Deed.STOPPED
    purposes = {a.purpose for a in cycle.decision.actions if isinstance(a, Swap)}
    if SwapPurpose.HEDGE in purposes:
        return Deed.HEDGE
    return Deed.RERANGE_WITH_SWAP if purposes else Deed.RERANGE


def minted(cycle: Cycle) -> tuple[TickRange, ...]:
    """The ranges a cycle opened positions in."""
    steps = () if cycle.outcome is None else cycle.outcome.steps
    facts = (fact for step in steps for fact in step.facts)
    return tuple(fact.range for fact in facts if isinstance(fact, Minted))


def summary_json(summary: Summary) -> dict[str, object]:
    """Everything as JSON values; amounts are exact decimals of whole quote tokens."""
    market, result = summary.market, summary.result
    deviation = market.largest_deviation
    return {
        "blocks": market.blocks,
        "swaps": market.swaps,
        "cycles": len(summary.cycles),
        "rebalances": summary.count(*RERANGES),
        "hedges": summary.count(Deed.HEDGE),
        "stopped": summary.count(Deed.STOPPED),
        "holds": summary.count(Deed.HOLD),
        "holds_by_gate": holds_by_gate(summary.cycles),
        "ranges": [[[r.lower, r.upper] for r in ranges] for ranges in summary.minted_ranges()],
        "quote": result.price.quote.symbol,
        "price": decimal_text(result.price.per_whole),
        "price_timestamp": summary.closing.block.timestamp,
        **result.in_quote(),
        "reconciled": summary.reconciled,
        "largest_deviation": None if deviation is None else f"{float(deviation):.6g}",
        "largest_shift_s": market.largest_shift_s,
    }


def holds_by_gate(cycles: Iterable[Cycle]) -> dict[str, int]:
    """In how many holds each gate was closed, and how many had nothing to do."""
    closed: Counter[str] = Counter()
    for cycle in cycles:
        if isinstance(cycle.decision, Hold):
            names = {gate.name for gate in cycle.decision.gates if not gate.passed}
            closed.update(names or {"nothing to do"})
    return dict(closed)


def is_reconciled(cycles: Sequence[Cycle], record: CampaignRecord, closing: Snapshot) -> bool:
    """Whether the chain holds the books' tokens and positions, to the unit, and the native coin
    that went since the first cycle is the gas of every transaction. For an account of its own."""
    if not cycles:
        return record.wallet == closing.wallet.balances
    steps = [s for c in cycles if c.outcome is not None for s in c.outcome.steps]
    went = cycles[0].snapshot.wallet.native.raw - closing.wallet.native.raw
    return (
        record.wallet == closing.wallet.balances
        and record.bases.keys() == {p.token_id for p in closing.positions}
        and went == sum(step.gas_paid.raw for step in steps)
    )
