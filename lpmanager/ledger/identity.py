"""The identity of a result, as it is read down a page."""

from __future__ import annotations

#: Term of `lpmanager.ledger.result.Result`, its sign, and what it is. The last is no term.
TERMS = (
    ("nav_start", "", "value of the first deposit then"),
    ("net_deposits", "+", "later deposits less withdrawals then"),
    ("hodl", "+", "price move of the deposits"),
    ("impermanent_loss", "+", "impermanent loss"),
    ("fees", "+", "fees earned"),
    ("swap_cost", "-", "pool fees and price impact of our swaps"),
    ("gas", "-", "gas"),
    ("hedge", "+", "what hedges gained or lost since"),
    ("rounding", "-", "units the pool kept when it rounded"),
    ("nav_end", "=", "value now, gas taken off"),
    ("identity_error", "", "left over (0 by exact arithmetic)"),
)
