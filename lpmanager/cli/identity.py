"""The result of a campaign as a column of terms that add up."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    from lpmanager.ledger.result import Result

#: The identity as it is read down the page: term, sign, and what it is.
_TERMS = (
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


def identity_rows(result: Result) -> list[tuple[str, str, str]]:
    """Sign, words and value of each term, rounded to the quote token's decimals.

    The last row compares with just holding the deposits. --json has every digit.
    """
    decimals = result.price.quote.decimals

    def shown(value: Fraction) -> str:
        return f"{Decimal(round(value)).scaleb(-decimals):>20,.{decimals}f}"

    rows = [(sign, what, shown(getattr(result, term))) for term, sign, what in _TERMS]
    against_hodl = shown(result.nav_end - result.hodl_value)
    return [*rows, ("", "against just holding the deposits (HODL)", against_hodl)]
