"""How much of all campaigns together may hang on one token, pool, issuer or lender."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial

from lpmanager.model import Gate
from lpmanager.rebalancer.at_stake import stake_after, stake_held
from lpmanager.rebalancer.candidates import Candidate
from lpmanager.rebalancer.judging import Asked, judged
from lpmanager.rebalancer.view import View
from lpmanager.risk import Outlook
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.contagion.exposures import Exposures, Factor, Kind, exposures, over_caps
from lpmanager.risk.contagion.neighbours import Neighbour, as_neighbour
from lpmanager.risk.contagion.together import portfolio_of
from lpmanager.risk.missing import Missing
from lpmanager.risk.stake import Stake

#: Shares that differ by less are the same: what is minted is rounded.
_DUST = 1e-6


def cap_gates(
    view: View, outlook: Outlook, candidate: Candidate, gas: Fraction, appetite: Appetite
) -> tuple[Gate, ...]:
    """What is asked of all campaigns together as a change would leave them; `gas` in raw quote.

    A share that the change brings up must stay below its cap. One that it leaves as it is, or
    brings down, may be above: what is too much already can still be moved. No change brings down
    what is with a lender, so that a share above that cap stops all of them; where nothing is lent,
    there is none to ask about.
    """
    given = {
        Kind.TOKEN: appetite.max_share_in_token,
        Kind.POOL: appetite.max_share_in_pool,
        Kind.ISSUER: appetite.max_share_in_issuer,
        Kind.LENDER: appetite.max_share_in_lender if view.surroundings.loans else None,
    }
    caps = {kind: cap for kind, cap in given.items() if cap is not None}
    if not caps:
        return ()
    before = own_shares(view, stake_held(view), appetite)
    after = own_shares(view, stake_after(view, outlook, candidate, gas), appetite)
    return tuple(
        gate
        for kind, cap in caps.items()
        for gate in _gate(kind, cap, _both(before, after), appetite)
    )


def own_shares(view: View, stake: Stake, appetite: Appetite) -> Exposures | Missing:
    """What share of all campaigns together hangs on each factor of this one, were this its stake.

    A token of which no issuer is named is one of its own. Missing where another campaign is not
    known, or its value cannot be told in this one's money.
    """
    around = view.surroundings
    others = around.all_fresh(view.snapshot.block.timestamp, appetite.max_neighbour_age_s)
    if isinstance(others, Missing):
        return others
    own = _own(view, stake)
    issuers = {own.base: own.base, own.quote: own.quote} | dict(around.issuers)
    portfolio = portfolio_of((own, *others), issuers, around.loans)
    if isinstance(portfolio, Missing):
        return portfolio
    found = exposures(portfolio)
    if isinstance(found, Missing):
        return found
    ours = (
        Factor(Kind.TOKEN, own.base),
        Factor(Kind.TOKEN, own.quote),
        Factor(Kind.POOL, own.pool),
        *(Factor(Kind.ISSUER, each) for each in sorted({issuers[own.base], issuers[own.quote]})),
        *(Factor(Kind.LENDER, lender) for lender in sorted({n.lender for n in around.loans})),
    )
    # a pool in which nobody has anything is no factor at all
    return replace(found, shares={factor: found.shares.get(factor, 0.0) for factor in ours})


def _own(view: View, stake: Stake) -> Neighbour:
    """Fees not collected count as idle, before a change as after it."""
    price = stake.sqrt_price**2
    inside = sum(each.base(stake.sqrt_price) for each in stake.ranges)
    worth = sum(each.value(stake.sqrt_price) for each in stake.ranges)
    return replace(
        as_neighbour("this campaign", view.snapshot, view.inventory.holdings),
        idle_base=stake.base,
        idle_quote=stake.quote,
        pooled_base=inside,
        pooled_quote=max(worth - inside * price, 0.0),
    )


def _both(
    before: Exposures | Missing, after: Exposures | Missing
) -> tuple[Exposures, Exposures] | Missing:
    if isinstance(before, Missing):
        return before
    return after if isinstance(after, Missing) else (before, after)


def _gate(
    kind: Kind, cap: Fraction, change: tuple[Exposures, Exposures] | Missing, appetite: Appetite
) -> tuple[Gate, ...]:
    reason = f"of all campaigns together, what hangs on one {kind} after the change"
    asked = Asked(f"share in {kind}", f"{float(cap):.1%}", reason)
    return judged(asked, change, partial(_judge, kind, cap), appetite)


def _judge(kind: Kind, cap: Fraction, change: tuple[Exposures, Exposures]) -> tuple[bool, str]:
    before, after = change
    over = over_caps(after, {kind: float(cap)})
    broken = [
        each.factor
        for each in over
        if kind is Kind.LENDER or each.share > before.shares[each.factor] + _DUST
    ]
    of_kind = [factor for factor in after.shares if factor.kind is kind]
    told = broken[0] if broken else max(of_kind, key=after.shares.__getitem__)
    shares = f"{before.shares[told]:.1%} to {after.shares[told]:.1%}"
    return not broken, f"{shares} in {told.name}"
