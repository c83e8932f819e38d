"""The result of a campaign as a column of terms that add up."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from lpmanager.ledger.identity import TERMS

if TYPE_CHECKING:
    from fractions import Fraction

    from lpmanager.ledger.result import Result


def identity_rows(result: Result) -> list[tuple[str, str, str]]:
    """Sign, words and value of each term, rounded to the quote token's decimals.

    The last row compares with just holding the deposits. --json has every digit.
    """
    decimals = result.price.quote.decimals

    def shown(value: Fraction) -> str:
        return f"{Decimal(round(value)).scaleb(-decimals):>20,.{decimals}f}"

    rows = [(sign, what, shown(getattr(result, term))) for term, sign, what in TERMS]
    against_hodl = shown(result.nav_end - result.hodl_value)
    return [*rows, ("", "against just holding the deposits (HODL)", against_hodl)]
