"""Options by their volatility, however they were quoted. Needs the extra `quant`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import QuantLib as ql

from lpmanager.risk.heston.chain import Chain, Dropped, Kind, Quote, Terms
from lpmanager.risk.heston.model import YEAR_DAYS

#: As a share of the forward. Prices are told to a millionth of it at best (exchanges' ticks are a
#: ten-thousandth), so that of less than ten of these the volatility is rounding; and where an
#: option is worth about nothing under any model, a least square of its volatility pulls at all.
_LEAST_WORTH = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A quote by its volatility (a year), and `call`: the price, as a share of the discounted
    forward, of the call at its strike, which parity tells of a put."""

    quote: Quote
    volatility: float
    moneyness: float
    call: float

    @property
    def total_variance(self) -> float:
        """Variance of the log price up to the expiry."""
        return self.volatility**2 * self.quote.days


def by_volatility(chain: Chain) -> tuple[tuple[Checked, ...], tuple[Dropped, ...]]:
    """Each quote with its volatility, and those whose price no volatility gives, or that are worth
    too little above what they would gain at once to tell it.

    A call is worth more than the discounted gain of its forward and less than the spot, a put more
    than that gain and less than its discounted strike.
    """
    checked, dropped = [], []
    for quote in chain.quotes:
        try:
            checked.append(_checked(quote, chain.terms))
        except ValueError as problem:
            dropped.append(Dropped(line=quote.line, reason=str(problem)))
    return tuple(checked), tuple(dropped)


def _checked(quote: Quote, terms: Terms) -> Checked:
    """Raises ValueError, with the reason, where no volatility is told."""
    years = quote.days / YEAR_DAYS
    discount = math.exp(-quote.rate * years)
    forward = terms.spot / discount
    if quote.price is None:
        assert quote.volatility is not None
        volatility = quote.volatility
    else:
        volatility = _implied(quote, quote.price, forward, discount) / math.sqrt(years)
    deviation = volatility * math.sqrt(years)
    out_of_the_money = ql.Option.Call if quote.strike >= forward else ql.Option.Put
    worth = ql.blackFormula(out_of_the_money, quote.strike, forward, deviation) / forward
    if not worth >= _LEAST_WORTH:
        raise ValueError(
            f"worth {worth:.1g} of the forward beyond what it gains at once, and below "
            f"{_LEAST_WORTH:g} its volatility cannot be told"
        )
    call = ql.blackFormula(ql.Option.Call, quote.strike, forward, deviation)
    return Checked(
        quote=quote, volatility=volatility, moneyness=quote.strike / forward, call=call / forward
    )


def _implied(quote: Quote, price: float, forward: float, discount: float) -> float:
    """The deviation of the log price at the expiry that gives the price."""
    if quote.kind is Kind.CALL:
        kind, gain, most = ql.Option.Call, forward - quote.strike, forward
    else:
        kind, gain, most = ql.Option.Put, quote.strike - forward, quote.strike
    lowest, highest = discount * max(gain, 0.0), discount * most
    if not lowest < price < highest:
        raise ValueError(f"arbitrage: a price of {price} is not in ({lowest:g}, {highest:g})")
    try:
        return float(ql.blackFormulaImpliedStdDev(kind, quote.strike, forward, price, discount))
    except RuntimeError as problem:
        raise ValueError(f"no volatility gives the price {price}: {problem}") from None
