"""Whatever the market and the holdings, a decision is pure, bounded and inside its gates."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from builders import (
    USDC,
    WETH,
    a_limits,
    a_market,
    a_pool,
    a_position,
    a_record,
    a_vault,
    a_view,
    an_outlook,
    in_a_vault,
)
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from lpmanager.amm import (
    Pool,
    amounts_for_liquidity_up,
    liquidity_for_amounts_down,
    principal_down,
)
from lpmanager.amm.removal import without_liquidity
from lpmanager.model import (
    Amounts,
    Mint,
    Plan,
    PoolState,
    Position,
    SqrtPriceX96,
    Swap,
    SwapPurpose,
    Token,
    VaultState,
    VaultTurn,
    Withdraw,
)
from lpmanager.rebalancer import Policy, View, decide
from lpmanager.rebalancer.policies import FixedWidth, Passive
from lpmanager.venues.liquidity_vault import position_id

POOL = a_pool()
LIMITS = a_limits(max_pool_share=Fraction(1), max_step_ticks=10**6)

widths = st.integers(60, 5_000)
policies = st.one_of(
    st.builds(FixedWidth, half_width_ticks=widths, deploy=st.sampled_from([1, Fraction(1, 3)])),
    st.builds(Passive, half_width_ticks=widths, order_width_ticks=widths),
)
raws = st.one_of(st.just(0), st.integers(1, 100), st.integers(10**6, 10**14))


@st.composite
def held_positions(draw: st.DrawFn) -> tuple[Position, ...]:
    count = draw(st.integers(0, 2))
    positions = []
    for token_id in range(count):
        lower = draw(st.integers(-1_500, 1_400)) * 10
        width = draw(st.integers(1, 300)) * 10
        liquidity = draw(st.integers(1, 10**14))
        fees = draw(st.tuples(raws, raws))
        text = f"[{lower}, {lower + width})"
        positions.append(a_position(text, token_id=token_id, liquidity=liquidity, fees=fees))
    return tuple(positions)


@st.composite
def views(draw: st.DrawFn) -> View:
    market = a_market(
        tick=draw(st.integers(-15_000, 15_000)),
        positions=draw(held_positions()),
        others=draw(st.sampled_from([10**14, 10**16, 10**18])),
        quote=draw(st.sampled_from([USDC, WETH])),
        native=10**20,
    )
    rate = draw(st.sampled_from([0.0, 1e-9, 1e-6]))
    record = a_record(draw(st.tuples(raws, raws)))
    return a_view(market, record, an_outlook(fee_rate=rate), limits=LIMITS)


def a_plan(view: View, policy: Policy) -> Plan:
    decision = decide("mine", view, policy, LIMITS)
    event(type(decision).__name__)
    assume(isinstance(decision, Plan))
    assert isinstance(decision, Plan)
    return decision


@given(view=views(), policy=policies)
def test_the_same_view_gives_the_same_decision(view: View, policy: Policy) -> None:
    assert decide("mine", view, policy, LIMITS) == decide("mine", view, policy, LIMITS)


@given(view=views(), policy=policies)
def test_a_hold_says_its_reason_and_a_plan_has_every_gate_open(view: View, policy: Policy) -> None:
    decision = decide("mine", view, policy, LIMITS)
    assert decision.reason
    assert decision.gates
    assert all(gate.measured and gate.limit and gate.reason for gate in decision.gates)
    if isinstance(decision, Plan):
        assert all(gate.passed for gate in decision.gates)
        assert decision.actions


@settings(max_examples=200)
@given(view=views(), policy=policies)
def test_every_action_is_protected_and_on_the_grid(view: View, policy: Policy) -> None:
    plan = a_plan(view, policy)
    now = view.snapshot.state.sqrt_price_x96
    assert plan.sqrt_price_min_x96 < now < plan.sqrt_price_max_x96
    for action in plan.actions:
        match action:
            case Mint():
                action.range.require_spacing(POOL.tick_spacing)
                assert not action.minimum.is_zero
                assert _covers(action.desired, action.minimum)
            case Withdraw():
                (position,) = (p for p in view.snapshot.positions if p.token_id == action.token_id)
                assert any(action.minimum.raw) == any(principal_down(position, now))
                assert _covers(action.expected, action.minimum)
            case Swap():
                assert 0 < action.minimum_out.raw <= action.expected_out.raw
                assert plan.sqrt_price_min_x96 <= action.sqrt_price_limit_x96
                assert action.sqrt_price_limit_x96 <= plan.sqrt_price_max_x96
                sells0 = action.amount_in.token == POOL.token0
                assert (action.sqrt_price_limit_x96 < now) is sells0


@settings(max_examples=200)
@given(view=views(), policy=policies)
def test_a_plan_uses_no_more_than_is_held_when_it_is_played(view: View, policy: Policy) -> None:
    plan, state, wallet = a_plan(view, policy), view.snapshot.state, view.record.wallet
    positions = {p.token_id: p for p in view.snapshot.positions}
    for action in plan.actions:
        match action:
            case Withdraw():
                gone = positions[action.token_id]
                state = without_liquidity(state, gone.range, gone.liquidity)
                wallet += action.expected
            case Swap():
                state, delta = _swapped(state, action)
                assert delta.amount0.raw + delta.amount1.raw != 0
                wallet += delta
            case Mint():
                wallet -= _minted(state.sqrt_price_x96, action)
        assert min(wallet.raw) >= 0, action


def free_of_gas(view: View) -> View:
    """So that what a vault saves in gas does not tip the scales between two candidates."""
    ranges = [p.range for p in view.snapshot.positions]
    assume(len(set(ranges)) == len(ranges))
    return replace(view, snapshot=replace(view.snapshot, gas_price=0))


@settings(max_examples=200)
@given(view=views(), policy=policies, seq=st.integers(0, 2**64 - 1))
def test_a_vault_decides_as_a_wallet_but_for_its_gates_its_turn_and_its_gas(
    view: View, policy: Policy, seq: int
) -> None:
    view = free_of_gas(view)
    lenient = replace(a_vault().bounds, max_deviation_ticks=10**6, max_loss_per_call_pips=10**6)
    vault = a_vault(seq=seq, budget_left_wad=10**18, bounds=lenient)
    ours = decide("mine", in_a_vault(view, vault), policy, LIMITS)
    theirs = decide("mine", view, policy, LIMITS)
    event(type(ours).__name__)
    ours = replace(ours, gates=tuple(g for g in ours.gates if not g.name.startswith("vault ")))
    if isinstance(ours, Plan):
        assert ours.vault == VaultTurn(address=vault.address, seq=seq)
        ids = {position_id(vault.address, p.range): p.token_id for p in view.snapshot.positions}
        actions = tuple(
            replace(action, token_id=ids[action.token_id])
            if isinstance(action, Withdraw)
            else action
            for action in ours.actions
        )
        ours = replace(ours, vault=None, actions=actions)
    assert ours == theirs


vaults = st.builds(
    a_vault,
    paused=st.sampled_from([False, False, False, True]),
    centre=st.one_of(st.none(), st.integers(-15_000, 15_000)),
    budget_left_wad=st.sampled_from([0, 10**14, 25 * 10**15]),
    bounds=st.builds(
        replace,
        st.just(a_vault().bounds),
        min_width_ticks=st.sampled_from([0, 1_000, 10**6]),
        max_move_ticks=st.sampled_from([100, 10**6]),
        max_loss_per_call_pips=st.sampled_from([0, 10, 10_000]),
    ),
)


@given(view=views(), policy=policies, vault=vaults)
def test_a_vault_does_nothing_that_a_wallet_would_not(
    view: View, policy: Policy, vault: VaultState
) -> None:
    view = free_of_gas(view)
    ours = decide("mine", in_a_vault(view, vault), policy, LIMITS)
    event(type(ours).__name__)
    if isinstance(ours, Plan):
        assert isinstance(decide("mine", view, policy, LIMITS), Plan)
        assert not vault.paused


@given(
    tick=st.integers(-500, 500),
    heavy=st.integers(10**10, 10**13),
    light=st.integers(0, 10**9),
    sells0=st.booleans(),
    quote=st.sampled_from([USDC, WETH]),
)
def test_only_tokens_of_the_wallet_are_hedged_and_towards_the_target(
    tick: int, heavy: int, light: int, sells0: bool, quote: Token
) -> None:
    market = a_market(tick=tick, positions=(a_position(liquidity=10**11),), quote=quote)
    record = a_record((heavy, light) if sells0 else (light, heavy))
    view = a_view(market, record, limits=LIMITS)
    decision = decide("mine", view, FixedWidth(half_width_ticks=600), LIMITS)
    off = view.inventory.imbalance
    assert off is not None
    assert isinstance(decision, Plan) is (abs(off) > LIMITS.hedge_band)
    if isinstance(decision, Plan):
        (hedge,) = decision.actions
        assert isinstance(hedge, Swap)
        assert hedge.purpose is SwapPurpose.HEDGE
        assert hedge.amount_in.token == (POOL.token0 if sells0 else POOL.token1)
        assert (hedge.amount_in.token == view.snapshot.price.base) is (off > 0)
        assert 0 < hedge.amount_in.raw <= heavy


def _covers(more: Amounts, less: Amounts) -> bool:
    return less.amount0 <= more.amount0 and less.amount1 <= more.amount1


def _swapped(state: PoolState, action: Swap) -> tuple[PoolState, Amounts]:
    pool = Pool.from_state(state, POOL.fee_pips, POOL.tick_spacing)
    result = pool.swap(
        action.amount_in.token == POOL.token0, action.amount_in.raw, action.sqrt_price_limit_x96
    )
    delta = POOL.amounts(-result.amount0, -result.amount1)
    out = delta.amount1 if action.amount_in.token == POOL.token0 else delta.amount0
    assert out == action.expected_out
    return pool.state(), delta


def _minted(price: SqrtPriceX96, action: Mint) -> Amounts:
    liquidity = liquidity_for_amounts_down(price, action.range, *action.desired.raw)
    paid = POOL.amounts(*amounts_for_liquidity_up(price, action.range, liquidity))
    assert liquidity > 0
    assert _covers(paid, action.minimum)
    return paid
