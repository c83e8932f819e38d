"""Several campaigns as one portfolio: what tokens are worth in one money, and what all is held in.

Tokens go by their symbols, as in a stress file: the same symbol on two chains is one token here.
Floats in whole tokens, for estimates only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lpmanager.risk.contagion.exposures import Holding, Portfolio
from lpmanager.risk.contagion.neighbours import Loan, Neighbour
from lpmanager.risk.missing import Missing

#: Who holds what is lent: the owner, and none of the campaigns.
BESIDE = "beside all campaigns"


def namesakes(campaigns: Iterable[Neighbour]) -> str | None:
    """Two tokens of one chain that have one symbol, in words; None where there are none."""
    known: dict[tuple[int, str], str] = {}
    for each in campaigns:
        for symbol, address in (
            (each.base, each.base_address),
            (each.quote, each.quote_address),
        ):
            other = known.setdefault((each.chain_id, symbol), address)
            if other != address:
                return (
                    f"two tokens of chain {each.chain_id} call themselves {symbol}, {other} and "
                    f"{address}"
                )
    return None


def worth_in(money: str, campaigns: Iterable[Neighbour]) -> Mapping[str, float]:
    """The money for one whole token of each symbol, by the pools of the campaigns.

    A token that no chain of pools leads to is not in it.
    """
    prices: dict[tuple[str, str], float] = {}
    for each in campaigns:
        prices.setdefault((each.base, each.quote), each.price)
        prices.setdefault((each.quote, each.base), 1 / each.price)
    worth = {money: 1.0}
    # each found token leads on to those that trade against it: the shortest way comes first
    queue = [money]
    for known in queue:
        for (token, against), price_of in prices.items():
            if against == known and token not in worth:
                worth[token] = price_of * worth[known]
                queue.append(token)
    return worth


def rates(campaigns: Sequence[Neighbour]) -> Mapping[str, float] | Missing:
    """The first campaign's quote token for one quote token of each, by campaign.

    Missing where one has no price in it.
    """
    worth = _worth_of((each.quote for each in campaigns), campaigns)
    if isinstance(worth, Missing):
        return worth
    return {each.campaign: worth[each.quote] for each in campaigns}


def portfolio_of(
    campaigns: Sequence[Neighbour], issuers: Mapping[str, str], loans: Iterable[Loan] = ()
) -> Portfolio | Missing:
    """All that at least one campaign holds, and what is lent or owed beside them, in the quote
    token of the first.

    Missing where symbols do not tell tokens apart, or values cannot be added.
    """
    same = namesakes(campaigns)
    if same is not None:
        return Missing(same)
    loans = tuple(loans)
    counted = (*(each.quote for each in campaigns), *(loan.token for loan in loans))
    worth = _worth_of(counted, campaigns)
    if isinstance(worth, Missing):
        return worth
    return Portfolio(
        holdings=(
            *(holding for each in campaigns for holding in _holdings(each, worth[each.quote])),
            *(_lent(loan, worth[loan.token]) for loan in loans),
        ),
        pools={each.pool: (each.base, each.quote) for each in campaigns},
        issuers=issuers,
    )


def _worth_of(
    tokens: Iterable[str], campaigns: Sequence[Neighbour]
) -> Mapping[str, float] | Missing:
    """The first campaign's quote token for one of each of these tokens, or Missing for all."""
    money = campaigns[0].quote
    worth = worth_in(money, campaigns)
    lost = sorted({token for token in tokens if token not in worth})
    if lost:
        return Missing(
            f"no pools of these campaigns lead from {' or '.join(lost)} to {money}: their values "
            "cannot be added"
        )
    return worth


def _lent(loan: Loan, money: float) -> Holding:
    """`money` is for one token."""
    value = loan.amount * money
    return Holding(campaign=BESIDE, token=loan.token, value=value, lender=loan.lender)


def _holdings(each: Neighbour, money: float) -> tuple[Holding, ...]:
    """`money` is for one quote token."""
    return tuple(
        Holding(campaign=each.campaign, token=token, value=amount * money, pool=pool)
        for token, amount, pool in (
            (each.base, each.idle_base * each.price, None),
            (each.quote, each.idle_quote, None),
            (each.base, each.pooled_base * each.price, each.pool),
            (each.quote, each.pooled_quote, each.pool),
        )
    )
