"""All campaigns as one portfolio: what they hang on, and what a failure takes along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from lpmanager.errors import UsageError
from lpmanager.rebalancer.view import View
from lpmanager.risk.contagion import together
from lpmanager.risk.contagion.exposures import Exposures, Factor, Portfolio, exposures
from lpmanager.risk.contagion.neighbours import Loan, Neighbour, as_neighbour
from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Exposures of all campaigns; shares are of their value in `money`.

    `reach` is the share that goes with each factor where it fails: what lies in pools of a failing
    token, or of one whose issuer fails, counts whole. Missing without the extra `quant`.
    """

    money: str
    exposures: Exposures
    reach: Mapping[Factor, float] | Missing


def token_symbols(views: Iterable[View]) -> tuple[str, ...]:
    """The symbols of all tokens of the campaigns' pools, in order.

    Raises UsageError where a symbol is of two tokens of one chain.
    """
    campaigns = _neighbours({str(n): view for n, view in enumerate(views)})
    same = together.namesakes(campaigns)
    if same is not None:
        raise UsageError(f"{same}; ask about the campaigns of one of them alone")
    return tuple(sorted({symbol for each in campaigns for symbol in (each.base, each.quote)}))


def rates(views: Mapping[str, View]) -> Mapping[str, float] | Missing:
    """The money for one quote token of each campaign; see `money_of`. Missing where one has no
    price in it."""
    return together.rates(_neighbours(views))


def money_of(views: Mapping[str, View]) -> str:
    """The quote token of the first campaign: all of them together are counted in it."""
    return next(iter(views.values())).snapshot.quote.symbol


def whole(
    views: Mapping[str, View], issuers: Mapping[str, str], loans: Iterable[Loan] = ()
) -> Whole | Missing:
    """What all campaigns together hang on, and what is lent or owed beside them; `issuers` of
    tokens, where anybody is known.

    Missing where symbols do not tell tokens apart, values cannot be added, or nothing is held.
    """
    if not views:
        return Missing("there is no campaign")
    portfolio = together.portfolio_of(_neighbours(views), issuers, loans)
    if isinstance(portfolio, Missing):
        return portfolio
    shares = exposures(portfolio)
    if isinstance(shares, Missing):
        return shares
    return Whole(money=money_of(views), exposures=shares, reach=_reach(portfolio, shares))


def _neighbours(views: Mapping[str, View]) -> tuple[Neighbour, ...]:
    return tuple(
        as_neighbour(name, view.snapshot, view.inventory.holdings) for name, view in views.items()
    )


def _reach(portfolio: Portfolio, found: Exposures) -> Mapping[Factor, float] | Missing:
    if find_spec("networkx") is None:
        return Missing("what fails together needs networkx: pip install 'lpmanager[quant]'")
    from lpmanager.risk.contagion.graph import exposure_graph, hit_by

    graph = exposure_graph(portfolio)
    return {factor: sum(hit_by(graph, factor).values()) / found.net for factor in found.shares}
