"""What a named scenario makes of campaigns: moves of tokens, and what they leave of each stake.

Moves are relative, -0.2 for a fall by 20 %, and of the token against money outside of all pools. So
a pool's price moves by the ratio of its two, and its quote token is worth less too. Values after a
scenario are counted in tokens as they were worth before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lpmanager.risk.ladder import ladder
from lpmanager.risk.missing import Missing
from lpmanager.risk.stake import Stake

if TYPE_CHECKING:
    from lpmanager.risk.contagion.shock import Dependence, Repair

#: A token that follows further than this, up or down, does so by volatilities that cannot be meant.
_WIDEST_FACTOR = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """How each token moves. `named` are those that the scenario names, which come first; the rest
    follows or stays.

    `repair` where correlations had to be mended.
    """

    of: Mapping[str, float]
    named: frozenset[str]
    repair: Repair | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A stake before and after: in its quote token as that was worth before.

    `price_move` is that of quote for one base, `change` the share of the value that is gained, and
    `base_weight` the base token's share of the value after.
    """

    price_move: float
    before: float
    after: float
    change: float
    base_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """All campaigns in one money as it was worth before; `change` is the share gained."""

    before: float
    after: float
    change: float


def named_moves(named: Mapping[str, float], tokens: Sequence[str]) -> Moves:
    """The scenario alone: a token that it does not name stays."""
    others = (token for token in tokens if token not in named)
    moves = {**named, **dict.fromkeys(others, 0.0)}
    return Moves(of=moves, named=frozenset(named), repair=None)


def following_moves(named: Mapping[str, float], dependence: Dependence) -> Moves:
    """Tokens that the scenario does not name follow those that it does.

    Log moves are taken as jointly normal (`shock.correlated_shock`), so that no fall goes below
    -100 %; what follows is the median. Needs the extra `quant`. Raises ValueError for a token that
    `dependence` does not know, and where one follows further than a millionfold.
    """
    from lpmanager.risk.contagion.shock import correlated_shock

    logs = {token: math.log1p(move) for token, move in named.items()}
    shock = correlated_shock(dependence, logs)
    widest = math.log(_WIDEST_FACTOR)
    far = sorted(token for token, move in shock.moves.items() if not -widest < move < widest)
    if far:
        raise ValueError(
            f"by the volatilities and correlations {' and '.join(far)} would follow further than "
            f"{_WIDEST_FACTOR:,.0f} times up or down; mend these, or name the move"
        )
    others = (token for token in dependence.tokens if token not in named)
    moves = {**named, **{token: math.expm1(shock.moves[token]) for token in others}}
    return Moves(of=moves, named=frozenset(named), repair=shock.repair)


def struck(stake: Stake, base_move: float, quote_move: float) -> Struck | Missing:
    """What is left of a stake when its two tokens gap, before anybody can act.

    Missing where nothing is held. Raises ValueError for a move of -100 % or less.
    """
    for move in (base_move, quote_move):
        if not -1 < move < math.inf:
            raise ValueError(f"a token that moves by {move:+.0%} has no price")
    before = stake.value(stake.sqrt_price)
    if before <= 0:
        return Missing("the campaign holds nothing")
    (rung,) = ladder(stake, ((1 + base_move) / (1 + quote_move) - 1,))
    after = rung.value * (1 + quote_move)
    return Struck(
        price_move=rung.move,
        before=before,
        after=after,
        change=after / before - 1,
        base_weight=rung.base_weight,
    )


def together(
    found: Mapping[str, Struck | Missing], rates: Mapping[str, float]
) -> Together | Missing:
    """The sum over campaigns, by name; `rates` is the money for one quote token of each, before.

    Campaigns that hold nothing add nothing. Missing where all do.
    """
    held = {name: each for name, each in found.items() if isinstance(each, Struck)}
    if not held:
        return Missing("no campaign holds anything")
    before = math.fsum(each.before * rates[name] for name, each in held.items())
    after = math.fsum(each.after * rates[name] for name, each in held.items())
    return Together(before=before, after=after, change=after / before - 1)


def worst(found: Mapping[str, Struck | Missing]) -> str | None:
    """The campaign that loses the largest share of its value; None where none loses."""
    losing = {
        name: each.change
        for name, each in found.items()
        if isinstance(each, Struck) and each.change < 0
    }
    return min(losing, key=losing.__getitem__, default=None)
