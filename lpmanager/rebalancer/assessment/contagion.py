"""How a failure elsewhere would reach a campaign: what all together hang on, and its pegs."""

from __future__ import annotations

from lpmanager.rebalancer.assessment.measure import Measure, Question, Unit
from lpmanager.rebalancer.at_stake import stake_held
from lpmanager.rebalancer.cap_gates import own_shares
from lpmanager.rebalancer.peg_gates import PegWord, pegs_of, word_on
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.contagion.depeg import Peg
from lpmanager.risk.contagion.exposures import Exposures, Kind
from lpmanager.risk.missing import Missing


def shared_measures(view: View, appetite: Appetite) -> tuple[Measure, ...]:
    """Of all campaigns together, the largest share that hangs on a token of this one, on its pool,
    and on an issuer or a lender where one is named."""
    shares = own_shares(view, stake_held(view), appetite)
    kinds = [Kind.TOKEN, Kind.POOL]
    if view.surroundings.issuers:
        kinds.append(Kind.ISSUER)
    if view.surroundings.loans:
        kinds.append(Kind.LENDER)
    return tuple(_largest(kind, shares) for kind in kinds)


def peg_measures(view: View, appetite: Appetite) -> tuple[Measure, ...]:
    """How each token of the pool stands to its peg."""
    return tuple(
        _peg(peg, word_on(view, peg, appetite.max_neighbour_age_s)) for peg in pegs_of(view)
    )


def _largest(kind: Kind, shares: Exposures | Missing) -> Measure:
    name, meaning = f"share in one {kind}", "of all campaigns together"
    value: float | Missing
    if isinstance(shares, Missing):
        value = shares
    else:
        of_kind = {
            factor.name: share for factor, share in shares.shares.items() if factor.kind is kind
        }
        most = max(of_kind, key=of_kind.__getitem__)
        value, meaning = of_kind[most], f"{meaning}: {most}"
    return Measure(
        question=Question.EXPOSURE, name=name, value=value, unit=Unit.SHARE, meaning=meaning
    )


def _peg(peg: Peg, word: PegWord | Missing) -> Measure:
    """The distance where this pool tells it, else what another campaign says."""
    value: float | str | Missing
    unit, meaning = (
        Unit.WORD,
        f"to {peg.against}; fails beyond {peg.tolerance:.1%} for {peg.for_s} s",
    )
    if isinstance(word, Missing):
        value = word
    elif word.deviation is None:
        value, meaning = ("fails" if word.failing else "holds"), f"{meaning}; seen by {word.by}"
    else:
        value, unit = word.deviation, Unit.SHARE
        meaning = f"{meaning}; now it {'fails' if word.failing else 'holds'}"
    return Measure(
        question=Question.MARKET,
        name=f"peg of {peg.token}",
        value=value,
        unit=unit,
        meaning=meaning,
    )
