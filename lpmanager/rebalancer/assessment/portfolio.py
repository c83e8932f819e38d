"""All campaigns as one portfolio: what tokens are worth in one money, and what all hangs on.

Tokens go by their symbols, as in a stress file: the same symbol on two chains is one token here.
Floats in whole tokens, for estimates only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lpmanager.errors import UsageError
from lpmanager.model import Amount, Amounts, Snapshot, Token
from lpmanager.rebalancer.view import View
from lpmanager.risk.contagion.exposures import Exposures, Holding, Portfolio, at_stake, exposures
from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Exposures of all campaigns; shares are of their value in `money`.

    `reach` is the share that each token puts at stake: what is in pools that share it counts whole.
    """

    money: str
    exposures: Exposures
    reach: Mapping[str, float]


def token_symbols(views: Iterable[View]) -> tuple[str, ...]:
    """The symbols of all tokens of the campaigns' pools, in order.

    Raises UsageError where a symbol is of two tokens of one chain.
    """
    tokens = _tokens(views)
    namesakes = _namesakes(tokens)
    if namesakes is not None:
        raise UsageError(f"{namesakes}; ask about the campaigns of one of them alone")
    return tuple(sorted({token.symbol for token in tokens}))


def worth_in(money: str, views: Iterable[View]) -> Mapping[str, float]:
    """The money for one whole token of each symbol, by the pools of the campaigns.

    A token that no chain of pools leads to is not in it.
    """
    prices: dict[tuple[str, str], float] = {}
    for view in views:
        price = view.snapshot.price
        base, quote = price.base.symbol, price.quote.symbol
        prices.setdefault((base, quote), float(price.per_whole))
        prices.setdefault((quote, base), float(1 / price.per_whole))
    worth = {money: 1.0}
    # each found token leads on to those that trade against it: the shortest way comes first
    queue = [money]
    for known in queue:
        for (token, against), price_of in prices.items():
            if against == known and token not in worth:
                worth[token] = price_of * worth[known]
                queue.append(token)
    return worth


def rates(views: Mapping[str, View]) -> Mapping[str, float] | Missing:
    """The money for one quote token of each campaign; see `money_of`. Missing where one has no
    price in it."""
    money = money_of(views)
    worth = worth_in(money, views.values())
    quotes = {name: view.snapshot.quote.symbol for name, view in views.items()}
    lost = sorted({symbol for symbol in quotes.values() if symbol not in worth})
    if lost:
        return Missing(
            f"no pools of these campaigns lead from {' or '.join(lost)} to {money}: their values "
            "cannot be added"
        )
    return {name: worth[symbol] for name, symbol in quotes.items()}


def money_of(views: Mapping[str, View]) -> str:
    """The quote token of the first campaign: all of them together are counted in it."""
    return next(iter(views.values())).snapshot.quote.symbol


def whole(views: Mapping[str, View], issuers: Mapping[str, str]) -> Whole | Missing:
    """What all campaigns together hang on; `issuers` of tokens, where anybody is known.

    Missing where symbols do not tell tokens apart, values cannot be added, or nothing is held.
    """
    if not views:
        return Missing("there is no campaign")
    tokens = _tokens(views.values())
    namesakes = _namesakes(tokens)
    if namesakes is not None:
        return Missing(namesakes)
    found = rates(views)
    if isinstance(found, Missing):
        return found
    portfolio = _portfolio(views, found, issuers)
    shares = exposures(portfolio)
    if isinstance(shares, Missing):
        return shares
    reach = {
        symbol: sum(at_stake(portfolio, symbol).values()) / shares.net
        for symbol in sorted({token.symbol for token in tokens})
    }
    return Whole(money=money_of(views), exposures=shares, reach=reach)


def _tokens(views: Iterable[View]) -> tuple[Token, ...]:
    pools = [view.snapshot.pool for view in views]
    return tuple(token for pool in pools for token in (pool.token0, pool.token1))


def _namesakes(tokens: Iterable[Token]) -> str | None:
    """Two tokens of one chain that have one symbol, in words; None where there are none."""
    known: dict[tuple[int, str], str] = {}
    for token in tokens:
        other = known.setdefault((token.chain_id, token.symbol), token.address)
        if other != token.address:
            return (
                f"two tokens of chain {token.chain_id} call themselves {token.symbol}, {other} and "
                f"{token.address}"
            )
    return None


def _portfolio(
    views: Mapping[str, View], money_per_quote: Mapping[str, float], issuers: Mapping[str, str]
) -> Portfolio:
    holdings: list[Holding] = []
    pools: dict[str, tuple[str, ...]] = {}
    for name, view in views.items():
        pool, held = view.snapshot.pool, view.inventory.holdings
        pools[_pool_name(view.snapshot)] = (pool.token0.symbol, pool.token1.symbol)
        for where, amounts in (
            (None, held.wallet),
            (_pool_name(view.snapshot), held.principal + held.uncollected),
        ):
            holdings += [
                Holding(
                    campaign=name,
                    token=amount.token.symbol,
                    value=_in_quote(view.snapshot, amount) * money_per_quote[name],
                    pool=where,
                )
                for amount in _both(amounts)
            ]
    return Portfolio(holdings=tuple(holdings), pools=pools, issuers=issuers)


def _pool_name(snapshot: Snapshot) -> str:
    return f"{snapshot.pool} on chain {snapshot.chain_id}"


def _in_quote(snapshot: Snapshot, amount: Amount) -> float:
    return float(snapshot.price.value_of(amount)) / float(10**snapshot.quote.decimals)


def _both(amounts: Amounts) -> tuple[Amount, Amount]:
    return amounts.amount0, amounts.amount1
