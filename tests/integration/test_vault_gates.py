"""What the planner's gates foretell of a vault's transaction, and what the contract makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import pytest
from builders import a_limits, a_record, an_outlook
from devnet_world import PRICE, TICK, World, a_world
from vault_world import WIDE as WIDE_BOUNDS
from vault_world import deploy_vault

from lpmanager.amm import sqrt_price_at_tick, uncollected_fees
from lpmanager.chain.node import Receipt
from lpmanager.devnet.deploy import fund
from lpmanager.errors import CallReverted
from lpmanager.execution.calldata import Call
from lpmanager.execution.sender import simulate
from lpmanager.execution.vault_calldata import vault_call
from lpmanager.execution.vault_refusals import refusal_of
from lpmanager.inventory import measure
from lpmanager.model import (
    Collect,
    Target,
    TickRange,
    Twap,
    VaultTurn,
    WeightedRange,
)
from lpmanager.rebalancer import View
from lpmanager.rebalancer.candidates import Candidate, hedge, rerange
from lpmanager.rebalancer.economics import VAULT_GAS
from lpmanager.rebalancer.gates import plan_gates
from lpmanager.venues import liquidity_vault
from lpmanager.venues.liquidity_vault import REBALANCED

LIMITS = a_limits(slippage_bps=300, max_pool_share=Fraction(1), max_step_ticks=10**6)
USDC_RAW, WETH_RAW = 10**11, 5 * 10**19
WIDE, NARROW = TickRange(197_000, 201_000), TickRange(198_800, 199_200)
BESIDE = TickRange(199_500, 200_500)


@dataclass
class Desk:
    """A vault with 100,000 USDC and 50 WETH, run by a dev account that decides by hand."""

    world: World

    def __post_init__(self) -> None:
        backend, deployment = self.world.backend, self.world.deployment
        self.operator = backend.accounts[2]
        self.owner = backend.accounts[3]
        self.vault = deploy_vault(backend, deployment, owner=self.owner, operator=self.operator)
        fund(backend, deployment, self.vault, self.world.pool.amounts(USDC_RAW, WETH_RAW))

    def view(self) -> View:
        snapshot = self.world.read(self.operator, vault=self.vault)
        record = replace(a_record(pool=snapshot.pool), wallet=snapshot.wallet.balances)
        return View(
            snapshot=snapshot,
            record=record,
            inventory=measure(snapshot, record, LIMITS.target_weight),
            outlook=an_outlook(),
        )

    def held(self) -> tuple[TickRange, ...]:
        node = self.world.node
        return node.call(liquidity_vault.ranges(self.vault), node.head())

    def call(self, view: View, candidate: Candidate) -> Call:
        vault = view.snapshot.vault
        assert vault is not None
        turn = VaultTurn(address=self.vault, seq=vault.seq)
        return vault_call(candidate.actions, turn, 2**40, self.world.pool, self.held())

    def send(self, view: View, candidate: Candidate) -> Receipt:
        call = self.call(view, candidate)
        return self.world.execute(self.operator, call.to, call.data)

    def as_owner(self, data: bytes) -> None:
        self.world.execute(self.owner, self.vault, data)

    def tightened(self, **bounds: int) -> None:
        """The owner sets other bounds."""
        self.as_owner(liquidity_vault.set_bounds(replace(WIDE_BOUNDS, **bounds)))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with a_world("anvil") as made:
        yield made


@pytest.fixture
def desk(world: World) -> Desk:
    world.follow(PRICE)
    world.pass_time(120)
    return Desk(world)


def wanting(*ranges: TickRange, swap: bool, share: Fraction = Fraction(1)) -> Target:
    return Target(
        ranges=tuple(WeightedRange(r, share) for r in ranges), swap=swap, reason="a test's"
    )


def closed(view: View, candidate: Candidate) -> list[str]:
    gates = plan_gates(view, candidate, 0, LIMITS)
    return [gate.name for gate in gates if gate.name.startswith("vault") and not gate.passed]


def told(view: View, candidate: Candidate, receipt: Receipt) -> tuple[str, str]:
    """The loss as it was foretold for the mean of that block, and as the contract counted it."""
    (log,) = [entry for entry in receipt.logs if entry.topics[0] == REBALANCED.topic]
    mean, _price, _before, _later, loss, _left = REBALANCED.decode(log.data)
    twap = Twap(window_s=60, tick_cumulative_then=0, tick_cumulative_now=60 * mean)
    then = replace(view, snapshot=replace(view.snapshot, twap=twap))
    (gate,) = [g for g in plan_gates(then, candidate, 0, LIMITS) if g.name == "vault loss"]
    return gate.measured, f"{loss / 10**18:.4%}"


def carried_out(desk: Desk, view: View, candidate: Candidate) -> tuple[str, str]:
    """As `told`, of a candidate that passes every gate of the vault, within the gas foreseen."""
    assert closed(view, candidate) == []
    receipt = desk.send(view, candidate)
    assert receipt.gas_used <= VAULT_GAS.of_up(a.kind for a in candidate.actions)
    desk.world.pass_time(120)
    return told(view, candidate, receipt)


def opened(desk: Desk, *ranges: TickRange, share: Fraction = Fraction(1)) -> None:
    view = desk.view()
    target = wanting(*ranges, swap=True, share=share)
    foretold, counted = carried_out(desk, view, rerange(view, target, LIMITS))
    assert foretold == counted


@pytest.mark.parametrize("away", [0, 40, -40, 120])
def test_the_loss_of_a_rebalance_is_foretold_wherever_the_price_is_from_its_mean(
    desk: Desk, away: int
) -> None:
    opened(desk, WIDE)
    desk.world.follow(sqrt_price_at_tick(TICK + away))
    view = desk.view()
    around = TickRange(NARROW.lower + away // 10 * 10, NARROW.upper + away // 10 * 10)
    foretold, counted = carried_out(desk, view, rerange(view, wanting(around, swap=True), LIMITS))
    assert foretold == counted
    assert counted != "0.0000%"


def test_the_loss_of_a_swap_beside_ranges_that_are_kept_is_foretold(desk: Desk) -> None:
    opened(desk, WIDE, NARROW, share=Fraction(1, 4))
    fund(desk.world.backend, desk.world.deployment, desk.vault, desk.world.pool.amounts(10**11, 0))
    view = desk.view()
    target = wanting(WIDE, NARROW, swap=False)
    candidate = hedge(view, target, LIMITS)
    assert candidate is not None
    foretold, counted = carried_out(desk, view, candidate)
    assert foretold == counted
    assert counted != "0.0000%"


def test_a_range_opened_beside_one_that_is_kept_costs_what_was_foretold(desk: Desk) -> None:
    opened(desk, WIDE, share=Fraction(1, 2))
    view = desk.view()
    candidate = rerange(view, wanting(WIDE, BESIDE, swap=True), LIMITS)
    foretold, counted = carried_out(desk, view, candidate)
    assert foretold == counted
    assert set(desk.held()) == {WIDE, BESIDE}


def test_a_vault_is_closed_within_the_gas_foreseen_and_loses_nothing(desk: Desk) -> None:
    ranges = [TickRange(197_000 + 10 * i, 201_000) for i in range(4)]
    opened(desk, *ranges, share=Fraction(1, 4))
    view = desk.view()
    assert carried_out(desk, view, rerange(view, wanting(swap=False), LIMITS)) == (
        "0.0000%",
        "0.0000%",
    )
    assert desk.held() == ()


@pytest.mark.parametrize("count", [1, 4])
def test_fees_are_collected_within_the_gas_foreseen(desk: Desk, count: int) -> None:
    ranges = [TickRange(197_000 + 10 * i, 201_000) for i in range(count)]
    opened(desk, *ranges, share=Fraction(1, count))
    desk.world.trade(10**10, zero_for_one=True)
    desk.world.trade(4 * 10**18, zero_for_one=False)
    view = desk.view()
    actions = tuple(
        Collect(token_id=p.token_id, expected=desk.world.pool.amounts(*uncollected_fees(p)))
        for p in view.snapshot.positions
    )
    candidate = replace(rerange(view, wanting(*ranges, swap=False), LIMITS), actions=actions)
    assert closed(view, candidate) == []
    assert desk.send(view, candidate).gas_used <= VAULT_GAS.of_up(a.kind for a in actions)


def refused(desk: Desk, candidate: Candidate, gate: str, error: str) -> None:
    """The gate alone is closed, and the contract refuses by the name that belongs to it."""
    view = desk.view()
    assert closed(view, candidate) == [gate]
    with pytest.raises(CallReverted) as reverted:
        simulate(desk.world.node, desk.operator, desk.call(view, candidate), view.snapshot.block)
    assert refusal_of(reverted.value.data).name == error


def test_a_paused_vault_and_one_that_obeys_somebody_else_are_foretold(desk: Desk) -> None:
    view = desk.view()
    candidate = rerange(view, wanting(WIDE, swap=False), LIMITS)
    desk.as_owner(liquidity_vault.pause())
    refused(desk, candidate, "vault paused", "IsPaused")
    desk.as_owner(liquidity_vault.unpause())
    desk.as_owner(liquidity_vault.set_operator(liquidity_vault.NOBODY))
    refused(desk, candidate, "vault operator", "NotOperator")


def test_too_soon_is_foretold(desk: Desk) -> None:
    view = desk.view()
    desk.send(view, rerange(view, wanting(WIDE, swap=False), LIMITS))
    view = desk.view()
    again = rerange(view, wanting(NARROW, swap=False), LIMITS)
    refused(desk, again, "vault cooldown", "TooSoon")


def test_a_price_that_left_its_mean_is_foretold(desk: Desk) -> None:
    desk.world.follow(sqrt_price_at_tick(TICK + 300))
    view = desk.view()
    candidate = rerange(view, wanting(TickRange(190_000, 208_000), swap=False), LIMITS)
    refused(desk, candidate, "vault price", "PriceAway")


def test_a_range_that_is_too_narrow_is_foretold(desk: Desk) -> None:
    desk.tightened(min_width_ticks=401)
    view = desk.view()
    candidate = rerange(view, wanting(NARROW, swap=False), LIMITS)
    refused(desk, candidate, "vault width", "TooNarrow")


def test_a_range_too_many_is_foretold(desk: Desk) -> None:
    five = [TickRange(197_010 + 10 * i, 201_000) for i in range(5)]
    view = desk.view()
    candidate = rerange(view, wanting(*five, swap=False, share=Fraction(1, 5)), LIMITS)
    refused(desk, candidate, "vault ranges", "TooManyRanges")


def test_a_centre_that_moves_too_far_is_foretold(desk: Desk) -> None:
    opened(desk, WIDE)
    desk.tightened(max_move_ticks=99)
    view = desk.view()
    beside = TickRange(WIDE.lower, WIDE.upper + 200)
    candidate = rerange(view, wanting(beside, swap=False), LIMITS)
    refused(desk, candidate, "vault move", "TooFar")


@pytest.mark.parametrize(
    ("bounds", "gate", "error"),
    [
        ({"max_loss_per_call_pips": 100}, "vault loss", "LossPerCall"),
        (
            {"max_loss_per_call_pips": 200, "max_loss_per_day_pips": 200},
            "vault loss per day",
            "LossPerDay",
        ),
    ],
)
def test_a_loss_beyond_the_bounds_is_foretold(
    desk: Desk, bounds: dict[str, int], gate: str, error: str
) -> None:
    """Of a range opened 150 ticks from the mean: about 0.015 per cent, and half a day's bound is
    there at once."""
    opened(desk, WIDE)
    desk.world.follow(sqrt_price_at_tick(TICK + 150))
    desk.tightened(**bounds)
    view = desk.view()
    candidate = rerange(view, wanting(TickRange(194_000, 204_000), swap=False), LIMITS)
    refused(desk, candidate, gate, error)
