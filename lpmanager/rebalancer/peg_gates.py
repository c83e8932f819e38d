"""Is a token of the pool off its peg, by this pool or by what another campaign has seen?"""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.model import Gate, Target
from lpmanager.rebalancer.judging import Asked, judged
from lpmanager.rebalancer.view import View
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.contagion.depeg import Peg, PegState
from lpmanager.risk.contagion.own_peg import own_peg
from lpmanager.risk.missing import Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class PegWord:
    """What is known of a peg, and by whom. `deviation` is a share of the peg; None where another
    campaign tells no more than whether it fails."""

    peg: Peg
    failing: bool
    deviation: float | None
    by: str


def pegs_of(view: View) -> tuple[Peg, ...]:
    """The pegs of the tokens of the view's pool."""
    pool = view.snapshot.pool
    symbols = (pool.token0.symbol, pool.token1.symbol)
    return tuple(peg for peg in view.surroundings.pegs if peg.token in symbols)


def word_on(view: View, peg: Peg, max_age_s: int) -> PegWord | Missing:
    """How the peg stands, by the view's own pool and by every campaign that was seen lately.

    One that sees it fail is believed before those that do not. Missing where nobody tells.
    """
    own = own_peg(view.snapshot, peg)
    words = []
    if isinstance(own, PegState):
        words.append(PegWord(peg=peg, failing=own.failing, deviation=own.deviation, by="this pool"))
    now = view.snapshot.block.timestamp
    words += [
        PegWord(peg=peg, failing=each.pegs[peg.token], deviation=None, by=each.campaign)
        for each in view.surroundings.fresh(now, max_age_s)
        if peg.token in each.pegs
    ]
    if not words:
        return own if isinstance(own, Missing) else _nobody(view, peg, max_age_s)
    return next((word for word in words if word.failing), words[0])


def failing_word(view: View, appetite: Appetite) -> PegWord | None:
    """A peg of the pool's tokens that is known to fail, where that is reason to leave."""
    if not appetite.leave_on_depeg:
        return None
    words = (word_on(view, peg, appetite.max_neighbour_age_s) for peg in pegs_of(view))
    return next((word for word in words if isinstance(word, PegWord) and word.failing), None)


def target_off_peg(word: PegWord) -> Target:
    """No ranges: a pool buys what fails with all that it holds of the rest."""
    return Target(ranges=(), swap=False, reason=f"stay out: {_said(word)}")


def peg_gates(view: View, appetite: Appetite) -> tuple[Gate, ...]:
    """What is asked of every peg before tokens are placed or swapped."""
    if not appetite.leave_on_depeg:
        return ()
    pegs = pegs_of(view)
    if not pegs:
        pool = view.snapshot.pool
        none = Missing(f"neither token of {pool} has one; write a table [pegs.TOKEN]")
        return judged(Asked("peg", "held", "the pegs of its tokens"), none, _judge, appetite)
    return tuple(
        gate
        for peg in pegs
        for gate in judged(
            Asked(
                f"peg of {peg.token}",
                f"{peg.value:g} {peg.against} within {peg.tolerance:.2%}",
                f"a token fails that was off its peg for {peg.for_s} s",
            ),
            word_on(view, peg, appetite.max_neighbour_age_s),
            _judge,
            appetite,
        )
    )


def _judge(word: PegWord) -> tuple[bool, str]:
    how = "off" if word.failing else "held"
    away = "" if word.deviation is None else f"{word.deviation:+z.2%}, "
    return not word.failing, f"{away}{how} by {word.by}"


def _said(word: PegWord) -> str:
    away = "" if word.deviation is None else f" by {word.deviation:+z.2%}"
    return f"{word.peg.token} is off its peg to {word.peg.against}{away}, says {word.by}"


def _nobody(view: View, peg: Peg, max_age_s: int) -> Missing:
    unseen = view.surroundings.unseen
    never = f"; nothing is known yet of {' and '.join(unseen)}" if unseen else ""
    return Missing(
        f"no campaign tells it that was seen in the last {max_age_s} s; one is needed whose pool "
        f"is of {peg.token} and {peg.against}, with history_s of {peg.for_s} s at least{never}"
    )
