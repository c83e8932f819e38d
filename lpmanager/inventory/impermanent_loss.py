"""What providing liquidity has cost against just holding the tokens that were put in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from lpmanager.model import Amounts, Deposit, PoolKey, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Value against HODL: negative is a loss. `value` in raw quote units, at one price.

    `share` is `value` as a share of what HODL would be worth; None where that is nothing.
    """

    value: Fraction
    share: Fraction | None


def against_hodl(price: Price, held: Amounts, put_in: Amounts) -> Loss:
    """The value of `held` less that of `put_in`, both at `price`. Exact."""
    hodl = price.value(put_in)
    value = price.value(held) - hodl
    return Loss(value=value, share=value / hodl if hodl else None)


def net_deposits(pool: PoolKey, deposits: Iterable[Deposit]) -> Amounts:
    """All that was put in, less all that was taken out (withdrawals are negative deposits)."""
    return sum((deposit.amounts for deposit in deposits), start=pool.amounts(0, 0))
