"""Short builders of domain values for tests: what a test does not name gets a plain default."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from lpmanager.amm import sqrt_price_at_tick, tick_at_sqrt_price
from lpmanager.execution.calldata import Call
from lpmanager.execution.intent import Attempt, Inclusion, Intent, Purpose, Status
from lpmanager.inventory import measure
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    NATIVE,
    Action,
    Amount,
    Amounts,
    Block,
    CampaignRecord,
    Estimate,
    Liquidity,
    Plan,
    PoolKey,
    PoolState,
    Position,
    Price,
    Snapshot,
    SqrtPriceX96,
    Step,
    Target,
    TickRange,
    TickState,
    Token,
    Twap,
    Usage,
    VaultBounds,
    VaultState,
    Wallet,
)
from lpmanager.model.outcome import Fact
from lpmanager.rebalancer import Limits, View
from lpmanager.risk import Outlook
from lpmanager.risk.missing import Missing
from lpmanager.venues.liquidity_vault import position_id

CHAIN_ID = 31337
ACCOUNT = "0x00000000000000000000000000000000000000A1"
GENESIS = 1_700_000_000
BLOCK_TIME_S = 12


def a_token(symbol: str = "USDC", decimals: int = 6, number: int = 1) -> Token:
    return Token(chain_id=CHAIN_ID, address=f"0x{number:040x}", symbol=symbol, decimals=decimals)


USDC = a_token("USDC", 6, 1)
WETH = a_token("WETH", 18, 2)
NATIVE_COIN = Token(chain_id=CHAIN_ID, address=NATIVE, symbol="ETH", decimals=18)


def a_pool(token0: Token = USDC, token1: Token = WETH, number: int = 0xF0) -> PoolKey:
    return PoolKey(
        address=f"0x{number:040x}", token0=token0, token1=token1, fee_pips=500, tick_spacing=10
    )


def amounts(raw0: int, raw1: int, pool: PoolKey | None = None) -> Amounts:
    return (pool or a_pool()).amounts(raw0, raw1)


def wei(raw: int) -> Amount:
    return Amount(NATIVE_COIN, raw)


def a_block(number: int = 100) -> Block:
    return Block(
        number=number,
        hash=f"0x{number:064x}",
        timestamp=GENESIS + BLOCK_TIME_S * number,
        base_fee=10**9,
    )


def price_at(tick: int) -> SqrtPriceX96:
    return sqrt_price_at_tick(tick)


def a_range(text: str) -> TickRange:
    """A range as people write it: "[-600, 600)"."""
    found = re.fullmatch(r"\[(-?\d+), (-?\d+)\)", text)
    assert found, f"write a range as [lower, upper), not {text}"
    return TickRange(int(found[1]), int(found[2]))


def a_position(
    range_text: str = "[-600, 600)",
    *,
    token_id: int = 1,
    liquidity: int = 10**12,
    fees: tuple[int, int] = (0, 0),
) -> Position:
    """A position that has earned `fees` raw units, none of them collected."""
    return Position(
        token_id=token_id,
        range=a_range(range_text),
        liquidity=Liquidity(liquidity),
        fee_growth_inside0_x128=0,
        fee_growth_inside1_x128=0,
        fee_growth_inside0_last_x128=0,
        fee_growth_inside1_last_x128=0,
        tokens_owed0=fees[0],
        tokens_owed1=fees[1],
    )


def a_state(sqrt_price_x96: SqrtPriceX96) -> PoolState:
    """A pool of which only the price is known."""
    return PoolState(
        sqrt_price_x96=sqrt_price_x96,
        tick=tick_at_sqrt_price(sqrt_price_x96),
        liquidity=Liquidity(0),
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        fee_protocol=0,
        ticks=(),
        known=TickRange(MIN_TICK, MAX_TICK),
    )


VAULT = "0x00000000000000000000000000000000000000b1"


def a_vault(**changes: object) -> VaultState:
    """A vault whose operator is the account, and whose bounds stop nothing a test does not ask
    them to stop."""
    bounds = VaultBounds(
        twap_window_s=600,
        max_deviation_ticks=200,
        min_width_ticks=1,
        max_move_ticks=10**6,
        cooldown_s=60,
        max_loss_per_call_pips=10_000,
        max_loss_per_day_pips=50_000,
    )
    plain = VaultState(
        address=VAULT,
        owner=f"0x{0x0E:040x}",
        pending_owner=None,
        operator=ACCOUNT,
        guardian=f"0x{0x0D:040x}",
        paused=False,
        seq=7,
        rebalanced_at=0,
        centre=None,
        budget_left_wad=25 * 10**15,
        bounds=bounds,
    )
    return replace(plain, **changes)


def a_snapshot(
    *,
    block: int = 100,
    tick: int = 0,
    sqrt_price_x96: SqrtPriceX96 | None = None,
    positions: tuple[Position, ...] = (),
    wallet: tuple[int, int] = (0, 0),
    native: int = 10**18,
    nonce: int = 0,
    pool: PoolKey | None = None,
    quote: Token | None = None,
    account: str = ACCOUNT,
    vault: VaultState | None = None,
    prices_gas: bool = True,
) -> Snapshot:
    """The world at a block. One wei of the native coin costs 0.000000003 raw quote units.

    `account` signs; it holds the wallet and the positions itself, or its `vault` does.
    """
    pool = pool or a_pool()
    quote = quote or pool.token0
    native_price = Price(base=NATIVE_COIN, quote=quote, ratio=Fraction(3, 10**9))
    return Snapshot(
        chain_id=CHAIN_ID,
        block=a_block(block),
        read_at=a_block(block).timestamp,
        pool=pool,
        quote=quote,
        state=a_state(price_at(tick) if sqrt_price_x96 is None else sqrt_price_x96),
        twap=None,
        positions=positions,
        wallet=Wallet(
            address=account if vault is None else vault.address,
            signer=account,
            balances=pool.amounts(*wallet),
            native=wei(native),
            nonce=nonce,
            allowances=(),
        ),
        vault=vault,
        gas_price=10**9,
        native_price=native_price if prices_gas else None,
        flow=None,
        earlier=_OneChain(),
    )


class _OneChain(dict[int, str | None]):
    """Every block is as `a_block` makes it: there was no reorganisation."""

    def __missing__(self, height: int) -> str:
        return a_block(height).hash


def a_step(*facts: Fact, block: int = 101, gas: int = 0, tx: int = 1) -> Step:
    """A transaction that did all this, in this order."""
    return Step(
        what="test", tx_hash=f"0x{tx:064x}", block=a_block(block), gas_paid=wei(gas), facts=facts
    )


# ---- what a decision needs ----

#: Liquidity of others in every pool of `a_market`, far wider than any test's prices.
OTHERS = 10**18
OTHERS_RANGE = "[-60000, 60000)"


def a_limits(**changes: object) -> Limits:
    """Limits that stop nothing a test does not ask them to stop."""
    plain = Limits(
        slippage_bps=50,
        twap_window_s=600,
        max_twap_deviation_ticks=100,
        plan_ttl_s=300,
        max_head_age_s=60,
        min_interval_s=600,
        max_moves_per_day=6,
        max_gas_per_day_raw=10**17,
        max_swap_cost_per_day_raw=10**18,
        max_loss_per_day=Fraction(1),
        max_pool_share=Fraction(1, 5),
        max_step_ticks=2_000,
        payback_horizon_s=86_400,
        history_s=3_600,
        hedge_band=Fraction(1, 5),
        target_weight=Fraction(1, 2),
    )
    return replace(plain, **changes)


def an_outlook(*, fee_rate: float = 1e-7, variance_rate: float = 2e-9) -> Outlook:
    """By default flow that pays any move of the tests back within their horizon."""
    return Outlook(
        fee_rate0=fee_rate,
        fee_rate1=fee_rate,
        variance_rate=variance_rate,
        samples=100,
        seconds=3_600,
    )


#: Why there is no Outlook where a test wants none.
NO_OUTLOOK = Missing("no recent swaps were read")


def a_record(
    wallet: tuple[int, int] = (0, 0),
    *,
    moves: int = 0,
    gas: int = 0,
    swap_cost: int = 0,
    last_move_at: int | None = None,
    pool: PoolKey | None = None,
    fees: tuple[int, int] = (0, 0),
    gas_ever: int = 0,
) -> CampaignRecord:
    pool = pool or a_pool()
    return CampaignRecord(
        wallet=pool.amounts(*wallet),
        fees=pool.amounts(*fees),
        gas_raw=gas_ever,
        deposits=(),
        bases={},
        usage=Usage(
            moves=moves,
            gas_raw=gas,
            swap_cost_quote_raw=swap_cost,
            last_move_at=last_move_at,
        ),
    )


def with_liquidity(state: PoolState, positions: Iterable[Position]) -> PoolState:
    """The state after the positions were minted into it."""
    ticks = {t.tick: t for t in state.ticks}
    active = state.liquidity
    for position in positions:
        for tick, net in (
            (position.range.lower, position.liquidity),
            (position.range.upper, -position.liquidity),
        ):
            known = ticks.get(tick, TickState(tick=tick, liquidity_gross=0, liquidity_net=0))
            ticks[tick] = TickState(
                tick=tick,
                liquidity_gross=known.liquidity_gross + position.liquidity,
                liquidity_net=known.liquidity_net + net,
            )
        active += position.liquidity if state.tick in position.range else 0
    rising = tuple(ticks[tick] for tick in sorted(ticks) if ticks[tick].liquidity_gross)
    return replace(state, liquidity=Liquidity(active), ticks=rising)


def a_market(
    *,
    tick: int = 0,
    positions: tuple[Position, ...] = (),
    others: int = OTHERS,
    pool: PoolKey | None = None,
    quote: Token | None = None,
    native: int = 10**18,
    twap_tick: int | None = None,
) -> Snapshot:
    """A snapshot of a pool with others' liquidity, whose mean tick is the present one."""
    plain = a_snapshot(tick=tick, positions=positions, pool=pool, quote=quote, native=native)
    theirs = a_position(OTHERS_RANGE, liquidity=others)
    mean = tick if twap_tick is None else twap_tick
    return replace(
        plain,
        state=with_liquidity(plain.state, (theirs, *positions)),
        twap=Twap(window_s=600, tick_cumulative_then=0, tick_cumulative_now=600 * mean),
    )


def a_view(
    snapshot: Snapshot | None = None,
    record: CampaignRecord | None = None,
    outlook: Outlook | Missing | None = None,
    *,
    limits: Limits | None = None,
) -> View:
    """What a policy sees; the account holds the record's wallet and no more."""
    snapshot = snapshot or a_market()
    record = record or a_record((10**12, 10**12), pool=snapshot.pool)
    snapshot = replace(snapshot, wallet=replace(snapshot.wallet, balances=record.wallet))
    return View(
        snapshot=snapshot,
        record=record,
        inventory=measure(snapshot, record, (limits or a_limits()).target_weight),
        outlook=outlook or an_outlook(),
    )


def in_a_vault(view: View, vault: VaultState | None = None) -> View:
    """The same tokens and ranges, held by a vault."""
    vault = vault or a_vault()
    snapshot = view.snapshot
    vaulted = replace(
        snapshot,
        vault=vault,
        wallet=replace(snapshot.wallet, address=vault.address),
        positions=tuple(
            replace(p, token_id=position_id(vault.address, p.range)) for p in snapshot.positions
        ),
    )
    inventory = measure(vaulted, view.record, view.inventory.target_weight)
    return replace(view, snapshot=vaulted, inventory=inventory)


def a_plan(*actions: Action, **changes: object) -> Plan:
    """A plan of the campaign "main" within ten minutes and whatever the price."""
    block = a_block()
    plain = Plan(
        campaign="main",
        chain_id=CHAIN_ID,
        account=ACCOUNT,
        nonce=0,
        vault=None,
        pool=a_pool().address,
        block=block,
        expires_at=block.timestamp + 600,
        sqrt_price_min_x96=price_at(MIN_TICK),
        sqrt_price_max_x96=price_at(MAX_TICK),
        actions=actions,
        target=Target(ranges=(), swap=False, reason="test"),
        estimate=Estimate(
            gas=Fraction(0),
            swap_cost=Fraction(0),
            fees_gained=Fraction(0),
            horizon_s=0,
            worst_case=Fraction(0),
        ),
        gates=(),
        reason="test",
    )
    return replace(plain, **changes)


# ---- what is signed and sent ----


def a_call(what: str = "swap", number: int = 1) -> Call:
    """A call that no other number has."""
    return Call(what=what, to=f"0x{0xC0:040x}", data=number.to_bytes(32))


def a_purpose(
    number: int = 1,
    *,
    what: str = "swap",
    campaign: str = "main",
    actions: tuple[Action, ...] = (),
    deadline: int = GENESIS + 10**6,
    decided: Block | None = None,
) -> Purpose:
    """Why a call of that number is sent."""
    decided = decided or a_block()
    return Purpose(
        campaign=campaign,
        call=a_call(what, number),
        actions=actions,
        deadline=deadline,
        decided_block=decided.number,
        decided_at=decided.timestamp,
    )


def a_hash(number: int) -> str:
    return f"0x{number:064x}"


def an_attempt(
    number: int = 1,
    *,
    max_fee: int = 3_000,
    tip: int = 1_000,
    cancels: bool = False,
    signed_at: int = GENESIS,
) -> Attempt:
    """A signed transaction whose hash is the number."""
    return Attempt(
        tx_hash=a_hash(number),
        raw=number.to_bytes(32),
        max_fee=max_fee,
        tip=tip,
        cancels=cancels,
        signed_at=signed_at,
    )


def an_inclusion(number: int = 1, *, block: int = 101, succeeded: bool = True) -> Inclusion:
    """The attempt of that number in a block of the chain as it stands."""
    return Inclusion(
        tx_hash=a_hash(number),
        block_number=block,
        block_hash=a_block(block).hash,
        succeeded=succeeded,
    )


def an_intent(*attempts: Attempt, status: Status = Status.SENT, **changes: object) -> Intent:
    plain = Intent(
        id="an intent",
        account=ACCOUNT,
        chain_id=CHAIN_ID,
        nonce=7,
        purpose=a_purpose(),
        attempts=attempts,
        status=status,
    )
    return replace(plain, **changes)
