"""How much of all campaigns together hangs on one token, issuer, pool or lender."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lpmanager.risk.missing import Missing


class Kind(StrEnum):
    """What a holding may hang on."""

    TOKEN = "token"
    ISSUER = "issuer"
    POOL = "pool"
    LENDER = "lender"


@dataclass(frozen=True, slots=True, order=True)
class Factor:
    """One thing that may fail."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Tokens of a campaign in one place: its wallet, a pool, or lent out.

    `value` is in one unit for all holdings, and negative for a debt.
    """

    campaign: str
    token: str
    value: float
    pool: str | None = None
    lender: str | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"the value of a holding is finite, found {self}")
        if self.pool is not None and (self.lender is not None or self.value < 0):
            raise ValueError(f"what is in a pool is neither lent nor owed, found {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """All holdings; the tokens of each pool, also where a position has none of one of them now; and
    the issuer of each token that has one."""

    holdings: tuple[Holding, ...]
    pools: Mapping[str, tuple[str, ...]]
    issuers: Mapping[str, str]

    def __post_init__(self) -> None:
        for each in self.holdings:
            if each.pool is not None and each.token not in self.pools.get(each.pool, ()):
                raise ValueError(f"{each.token} is not a token of pool {each.pool!r}: {each}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposures:
    """`net` is the value of everything less debts, and `shares` are of it.

    Of tokens and issuers debts are taken off, so that a share may be negative; of pools and lenders
    they are not: what is owed to a lender is not saved when it fails.
    """

    net: float
    shares: Mapping[Factor, float]


@dataclass(frozen=True, slots=True)
class OverCap:
    """A share that is larger, either way, than its cap."""

    factor: Factor
    share: float
    cap: float


def exposures(portfolio: Portfolio) -> Exposures | Missing:
    """The share of each factor. Missing where all is worth no more than its debts."""
    net = math.fsum(each.value for each in portfolio.holdings)
    if net <= 0:
        return Missing(
            f"shares need something that is held: {len(portfolio.holdings)} holdings are worth "
            f"{net:g} net of debts"
        )
    sums: defaultdict[Factor, float] = defaultdict(float)
    for each in portfolio.holdings:
        for factor in factors_of(each, portfolio.issuers):
            if each.value > 0 or factor.kind in (Kind.TOKEN, Kind.ISSUER):
                sums[factor] += each.value
    return Exposures(net=net, shares={factor: sums[factor] / net for factor in sorted(sums)})


def factors_of(holding: Holding, issuers: Mapping[str, str]) -> tuple[Factor, ...]:
    """What a holding hangs on by itself; `graph.hit_by` tells what it does through its pool."""
    names = (
        (Kind.TOKEN, holding.token),
        (Kind.ISSUER, issuers.get(holding.token)),
        (Kind.POOL, holding.pool),
        (Kind.LENDER, holding.lender),
    )
    return tuple(Factor(kind, name) for kind, name in names if name is not None)


def over_caps(found: Exposures, caps: Mapping[Kind, float]) -> tuple[OverCap, ...]:
    """Every factor beyond the cap of its kind, the worst first. Kinds without a cap have none."""
    over = [
        OverCap(factor, share, caps[factor.kind])
        for factor, share in found.shares.items()
        if factor.kind in caps and abs(share) > caps[factor.kind]
    ]
    return tuple(sorted(over, key=lambda each: each.cap - abs(each.share)))
