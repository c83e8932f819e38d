"""Who hangs on whom: campaigns on pools and lenders, those on tokens, tokens on issuers.

Needs the extra `quant`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import networkx as nx

from lpmanager.risk.contagion.exposures import Factor, Kind, Portfolio

#: An edge leads from who is exposed to what it is exposed to.
Graph: TypeAlias = "nx.DiGraph[Factor | Campaign]"


@dataclass(frozen=True, slots=True)
class Campaign:
    """A node that holds something itself."""

    name: str


def exposure_graph(portfolio: Portfolio) -> Graph:
    """The graph; the edges of campaigns carry `value`, what they have there, debts left out."""
    graph: Graph = nx.DiGraph()
    for each in portfolio.holdings:
        if each.value <= 0:
            continue
        campaign, token = Campaign(each.campaign), Factor(Kind.TOKEN, each.token)
        place = token
        if each.pool is not None:
            place = Factor(Kind.POOL, each.pool)
        elif each.lender is not None:
            place = Factor(Kind.LENDER, each.lender)
            graph.add_edge(place, token)
        before = graph.get_edge_data(campaign, place, {"value": 0.0})["value"]
        graph.add_edge(campaign, place, value=before + each.value)
    for pool, tokens in portfolio.pools.items():
        graph.add_edges_from((Factor(Kind.POOL, pool), Factor(Kind.TOKEN, t)) for t in tokens)
    for name, issuer in portfolio.issuers.items():
        graph.add_edge(Factor(Kind.TOKEN, name), Factor(Kind.ISSUER, issuer))
    return graph


def hit_by(graph: Graph, failing: Factor) -> Mapping[str, float]:
    """What each campaign has in places that hang on what fails, however many steps away.

    Everything in such a place counts: a pool buys a failing token with all it holds, and a lender
    that is left with one pays nobody. Raises ValueError where nothing like it is in the graph.
    """
    if failing not in graph:
        raise ValueError(f"no {failing.kind} {failing.name!r} in the graph of exposures")
    struck = nx.ancestors(graph, failing) | {failing}
    sums: defaultdict[str, float] = defaultdict(float)
    for source, place, value in graph.edges(data="value"):
        if isinstance(source, Campaign) and place in struck:
            sums[source.name] += value
    return dict(sums)
