"""A replay knows the peg that its own pool tells."""

from __future__ import annotations

import pytest
from builders import a_limits
from replay_builders import a_replay, a_walk, some_terms

from lpmanager.model import Hold
from lpmanager.risk.appetite import Appetite
from lpmanager.risk.contagion.depeg import Peg
from lpmanager.risk.contagion.neighbours import Surroundings

#: WETH for one USDC where the walk begins.
BEGINS_AT = 1.0001**200_000 * 10 ** (6 - 18)


@pytest.mark.parametrize(("value", "places"), [(BEGINS_AT, True), (2 * BEGINS_AT, False)])
def test_nothing_is_placed_in_a_recorded_pool_whose_token_is_off_its_peg(
    value: float, places: bool
) -> None:
    market = a_walk(steps=90)
    peg = Peg(token="USDC", against="WETH", value=value, tolerance=0.2, for_s=1_200)
    terms = some_terms(market.pool, surroundings=Surroundings(pegs=(peg,)))
    replay = a_replay(market, terms, limits=a_limits(appetite=Appetite(leave_on_depeg=True)))
    last = None
    while not replay.is_over:
        last = replay.step() or last
    assert bool(replay.run().moves) is places
    if not places:
        assert isinstance(last, Hold)
        assert "USDC is off its peg to WETH by -" in last.reason
