"""`lpm risk --json`: the swaps that cost the pool's providers most."""

from __future__ import annotations

from typing import Any

from lpmanager.model import Snapshot
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import Markout, markouts, token1_in_quote

#: As many as are told of senders.
MOST_SWAPS = 10


def worst_swaps_json(snapshot: Snapshot) -> dict[str, Any]:
    """The ten with the lowest markouts, the worst first, in quote tokens at the price of now;
    `missing` says why there are none."""
    found = markouts(snapshot)
    told: dict[str, Any] = {"missing": None, "unit": snapshot.quote.symbol, "swaps": []}
    if isinstance(found, Missing):
        return told | {"missing": found.reason}
    worst = sorted(found, key=lambda markout: markout.gain)[:MOST_SWAPS]
    unit = token1_in_quote(snapshot)
    return told | {"swaps": [_swap_json(one, unit) for one in worst]}


def _swap_json(one: Markout, unit: float) -> dict[str, Any]:
    """Null where the record does not tell the transaction or its sender."""
    return {
        "block": one.block_number,
        "tx_hash": one.tx_hash or None,
        "sender": one.sender or None,
        "volume": one.volume * unit,
        "fee": one.fee * unit,
        "gain": one.gain * unit,
    }
