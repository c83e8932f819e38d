"""Our Pool against the deployed one: no sequence of operations tells them apart."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from random import Random
from typing import ClassVar

import pytest
from amm_contracts import SPACINGS, Contracts
from evm_backends import fastest_evm, has_pyrevm
from hard_steps import KINDS, KINDS_BEFORE_THE_PRICE, TIMESTAMPS, HardSteps
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from pool_operations import Step, Wait, to_json
from pool_twins import Twins

#: Operations on each fee tier's pool; both pools are compared whole after every one. py-evm, where
#: there is no pyrevm, takes a hundred times as long for one.
OPERATIONS = 5_000 if has_pyrevm() else 200
#: Operations on one pool before the next begins.
STEPS = 50
#: Words of the bitmap that a swap may walk where nothing else stops it.
WORDS = 100 if has_pyrevm() else 3
_BEGINNINGS = (
    ("increase_observations", "mint", "mint", "mint"),
    ("increase_observations", "set_fee_protocol", "mint_across_everything", "mint"),
    ("mint_across_everything",),
    ("mint",),
    (),
)


@cache
def contracts() -> Contracts:
    return Contracts(fastest_evm())


class PoolAndContract(RuleBasedStateMachine):
    """A pair of pools. What was done with them is noted as the rows of a file in regressions/."""

    fee_pips: ClassVar[int]
    done: ClassVar[Counter[tuple[str, str | None]]]

    def __init__(self) -> None:
        super().__init__()
        self.twins: Twins

    @initialize(dice=st.randoms(use_true_random=False))
    def begin(self, dice: Random) -> None:
        """Perhaps an operation on a pool without a price; then its price, and some liquidity."""
        self.twins = Twins(contracts(), self.fee_pips, dice.choice(TIMESTAMPS))
        if dice.choice([False, False, True]):
            self.step(dice.choice(KINDS_BEFORE_THE_PRICE), dice)
        self.step("initialize", dice)
        for kind in dice.choice(_BEGINNINGS):
            self.step(kind, dice)

    @rule(kind=st.sampled_from(KINDS), dice=st.randoms(use_true_random=False))
    def step(self, kind: str, dice: Random) -> None:
        """Any operation, then the comparison of everything."""
        step: Step = getattr(HardSteps(self.twins, dice, WORDS), kind)()
        note(json.dumps(to_json(step)))
        outcome = self.twins.do(step)
        if not isinstance(step, Wait):
            self.done[kind, outcome.reverts] += 1


@pytest.mark.parametrize(
    "fee_pips", SPACINGS, ids=lambda fee: f"{OPERATIONS}-operations-at-{fee}-pips"
)
def test_no_sequence_of_operations_tells_the_pool_from_the_contract(fee_pips: int) -> None:
    class OfOneTier(PoolAndContract):
        pass

    OfOneTier.fee_pips, OfOneTier.done = fee_pips, Counter()
    run_state_machine_as_test(
        OfOneTier,
        settings=settings(
            max_examples=OPERATIONS // STEPS + 1,
            stateful_step_count=STEPS,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    assert OfOneTier.done.total() >= OPERATIONS
