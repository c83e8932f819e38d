"""What somebody did to a campaign's positions without a transaction of ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lpmanager.amm import principal_down, uncollected_fees
from lpmanager.ledger.accounting import UNCOLLECTED, Balances, balance, uncollected_account
from lpmanager.model import Basis, Position, Snapshot
from lpmanager.venues.position_names import position_name

_GONE = "is in the books but not in the chain"
_NEW = "is in the chain but not in the books"


class ByHand(StrEnum):
    """What becomes of a campaign when somebody changed what it holds without it: it halts until a
    person has looked, or takes the change into its books as the owner's."""

    HALT = "halt"
    ADOPT = "adopt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A position that is not as the books have it, and how it differs.

    `booked` is None where it is not in the books, `found` where it is not on chain.
    """

    token_id: int
    booked: Basis | None
    found: Position | None
    difference: str

    @property
    def of_fees_alone(self) -> bool:
        """Whether the position itself is as the books have it."""
        return bool(self.booked and self.found and self.booked.liquidity == self.found.liquidity)


def changes(
    snapshot: Snapshot, booked: Mapping[int, Basis], balances: Balances
) -> tuple[Change, ...]:
    """Every position that came, went, has other liquidity, or fewer fees to collect.

    Warning: fees that were collected by hand and have grown again since are not among them; what
    was collected then shows as tokens that came to the wallet.
    """
    found = {position.token_id: position for position in snapshot.positions}
    return tuple(
        Change(
            token_id=token_id,
            booked=booked.get(token_id),
            found=found.get(token_id),
            difference=told,
        )
        for token_id in sorted(found.keys() | booked.keys())
        if (told := _difference(snapshot, booked.get(token_id), found.get(token_id), balances))
    )


def found_basis(snapshot: Snapshot, position: Position) -> Basis:
    """The basis of a position that was there already: what it is worth at the snapshot."""
    price = snapshot.state.sqrt_price_x96
    return Basis(
        token_id=position.token_id,
        range=position.range,
        liquidity=position.liquidity,
        amounts=snapshot.pool.amounts(*principal_down(position, price)),
        sqrt_price_x96=price,
        timestamp=snapshot.block.timestamp,
    )


def _difference(
    snapshot: Snapshot, booked: Basis | None, found: Position | None, balances: Balances
) -> str | None:
    """In a sentence how a position differs, or None."""
    if found is None:
        return None if booked is None else f"position {position_name(booked.token_id)} {_GONE}"
    name = position_name(found.token_id)
    if booked is None:
        return f"position {name} {_NEW}"
    if found.liquidity != booked.liquidity:
        return f"position {name}: expected liquidity {booked.liquidity}, found {found.liquidity}"
    fees = snapshot.pool.amounts(*uncollected_fees(found))
    missing = balance(balances, uncollected_account(found.token_id), fees) - fees
    gone = [str(amount) for amount in (missing.amount0, missing.amount1) if amount.raw > 0]
    if not gone:
        return None
    return f"{UNCOLLECTED}{name}: {' and '.join(gone)} went without a transaction of ours"
