"""What a campaign may know of the others: what they hold of what, and which pegs they see."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lpmanager.inventory.holdings import Holdings
from lpmanager.model import Amounts, Snapshot
from lpmanager.model.units import duration
from lpmanager.risk.contagion.depeg import Peg, PegState
from lpmanager.risk.contagion.own_peg import own_peg
from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A campaign as the others know it: what it held of its two tokens at its own last look.

    `seen_at` is its block's time, in Unix seconds. Amounts are in whole tokens, outside of the pool
    (`idle`) and in it; `price` is in quote tokens for one base. `base` and `quote` are symbols.
    `pegs` are those that its own pool tells, by token: whether it fails. Raises ValueError for what
    cannot be.
    """

    campaign: str
    seen_at: int
    chain_id: int
    pool: str
    base: str
    quote: str
    base_address: str
    quote_address: str
    price: float
    idle_base: float
    idle_quote: float
    pooled_base: float
    pooled_quote: float
    pegs: Mapping[str, bool]

    def __post_init__(self) -> None:
        if not 0 < self.price < math.inf:
            raise ValueError(f"a price is positive and finite, found {self.price}")
        held = (self.idle_base, self.idle_quote, self.pooled_base, self.pooled_quote)
        if not all(0 <= each < math.inf for each in held):
            raise ValueError(f"what is held is finite and not negative, found {held}")
        told = self.pegs.values() if isinstance(self.pegs, Mapping) else (self.pegs,)
        if not all(isinstance(failing, bool) for failing in told):
            raise ValueError(f"a peg fails or it holds, found {self.pegs}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """So many whole tokens of that symbol lie with a lender, beside all campaigns; where they are
    owed to it, less than 0. Raises ValueError for none, or no number."""

    lender: str
    token: str
    amount: float

    def __post_init__(self) -> None:
        if self.amount == 0 or not math.isfinite(self.amount):
            raise ValueError(f"what is lent or owed is finite and not 0, found {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known beyond a campaign's own pool: nothing where it is alone, as in a backtest.

    `unseen` are campaigns of which nothing is known yet; `loans` are what the owner lent or owes
    beside all campaigns; `issuers` stand behind tokens, by symbol; `pegs` are the tokens that
    should be worth something.
    """

    neighbours: tuple[Neighbour, ...] = ()
    unseen: tuple[str, ...] = ()
    loans: tuple[Loan, ...] = ()
    issuers: Mapping[str, str] = field(default_factory=dict)
    pegs: tuple[Peg, ...] = ()

    def fresh(self, now: int, max_age_s: int) -> tuple[Neighbour, ...]:
        """Those seen within `max_age_s` of `now`: blocks of two chains are not of one second."""
        return tuple(each for each in self.neighbours if abs(now - each.seen_at) <= max_age_s)

    def all_fresh(self, now: int, max_age_s: int) -> tuple[Neighbour, ...] | Missing:
        """All of them. Missing where one was not seen, or too long ago."""
        if self.unseen:
            return Missing(
                f"nothing is known yet of {' and '.join(self.unseen)}: `lpm run --live` notes what "
                "each campaign holds"
            )
        known = self.fresh(now, max_age_s)
        old = [each for each in self.neighbours if each not in known]
        if old:
            ages = ", ".join(f"{each.campaign} {duration(abs(now - each.seen_at))}" for each in old)
            return Missing(f"what is known of others is older than {duration(max_age_s)}: {ages}")
        return known


def as_neighbour(
    campaign: str, snapshot: Snapshot, holdings: Holdings, pegs: Iterable[Peg] = ()
) -> Neighbour:
    """A campaign as others may know it. Fees not collected lie in the pool."""
    price = snapshot.price
    idle_base, idle_quote = _base_and_quote(snapshot, holdings.wallet)
    pooled = holdings.principal + holdings.uncollected
    pooled_base, pooled_quote = _base_and_quote(snapshot, pooled)
    told = {peg.token: own_peg(snapshot, peg) for peg in pegs}
    return Neighbour(
        campaign=campaign,
        seen_at=snapshot.block.timestamp,
        chain_id=snapshot.chain_id,
        pool=f"{snapshot.pool} on chain {snapshot.chain_id}",
        base=price.base.symbol,
        quote=price.quote.symbol,
        base_address=price.base.address,
        quote_address=price.quote.address,
        price=float(price.per_whole),
        idle_base=idle_base,
        idle_quote=idle_quote,
        pooled_base=pooled_base,
        pooled_quote=pooled_quote,
        pegs={token: state.failing for token, state in told.items() if isinstance(state, PegState)},
    )


def _base_and_quote(snapshot: Snapshot, amounts: Amounts) -> tuple[float, float]:
    """In whole tokens."""
    whole = {
        each.token: each.raw / 10**each.token.decimals
        for each in (amounts.amount0, amounts.amount1)
    }
    return whole[snapshot.price.base], whole[snapshot.quote]
