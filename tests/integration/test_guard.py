"""The guard stands before the signer of every live campaign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from faults.troubled_desk import Run, Stage, a_run, a_stage

from lpmanager.cycle import Campaign, observe
from lpmanager.execution.intent import Status
from lpmanager.model import Amount, Outcome, Plan, SqrtPriceX96, StopKind, Swap, SwapPurpose
from lpmanager.rebalancer import decide


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with a_stage() as made:
        yield made


@pytest.fixture
def run(stage: Stage, tmp_path: Path) -> Iterator[Run]:
    with a_run(stage, tmp_path, 1, 0) as made:
        yield made


def a_plan(campaign: Campaign) -> Plan:
    view = observe(campaign)
    plan = decide(campaign.name, view, campaign.policy, campaign.limits)
    assert isinstance(plan, Plan)
    return plan


def swap_without_limit(run: Run) -> Swap:
    """One that the router would carry out at any price."""
    pool = run.stage.deployment.pool
    return Swap(
        purpose=SwapPurpose.HEDGE,
        amount_in=Amount(pool.token0, 1000 * 10**6),
        expected_out=Amount(pool.token1, 0),
        minimum_out=Amount(pool.token1, 0),
        sqrt_price_limit_x96=SqrtPriceX96(0),
    )


def carry_out(run: Run, campaign: Campaign, plan: Plan) -> Outcome:
    assert campaign.custody is not None
    return campaign.custody.carry_out(plan, observe(campaign).record.wallet)


def test_a_swap_that_the_chain_would_take_is_not_signed_without_a_limit(run: Run) -> None:
    campaign = run.campaign()
    plan = replace(a_plan(campaign), actions=(swap_without_limit(run),))
    outcome = carry_out(run, campaign, plan)
    assert outcome.stop is not None
    assert outcome.stop.kind is StopKind.HALT
    assert "refused to sign: price limit of the swap: expected one, found none" in (
        outcome.stop.reason
    )
    assert [step.what for step in outcome.steps] == ["allow USDC"]
    last = run.intents()[-1]
    assert (last.attempts, last.status) == ((), Status.ABANDONED)


def test_everything_a_plan_of_its_own_sends_is_signed(run: Run) -> None:
    assert run.cycle(), run.errors
    assert len(run.mined()) > 4
