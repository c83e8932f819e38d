"""Short builders for the inventory's tests."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from lpmanager.amm import tick_at_sqrt_price
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Amount,
    Amounts,
    Basis,
    Block,
    CampaignRecord,
    Deposit,
    Liquidity,
    PoolKey,
    PoolState,
    Position,
    Snapshot,
    SqrtPriceX96,
    TickRange,
    Token,
    Usage,
    Wallet,
)


def token(symbol: str, decimals: int) -> Token:
    return Token(chain_id=1, address=f"0x{symbol}", symbol=symbol, decimals=decimals)


WETH, USDC = token("WETH", 18), token("USDC", 6)
ETH = Token(chain_id=1, address="native", symbol="ETH", decimals=18)
#: the base is token0, the quote is token1
WETH_USDC = PoolKey(address="0xP", token0=WETH, token1=USDC, fee_pips=500, tick_spacing=10)
#: the same market the other way round: the quote is token0
USDC_WETH = PoolKey(address="0xQ", token0=USDC, token1=WETH, fee_pips=500, tick_spacing=10)


def sqrt_x96(pool: PoolKey, usdc_per_weth: Fraction | int | str) -> SqrtPriceX96:
    """The pool's sqrt price, rounded down, at a price people would say."""
    raw1_per_raw0 = Fraction(usdc_per_weth) * Fraction(10) ** (6 - 18)
    if pool.token0 == USDC:
        raw1_per_raw0 = 1 / raw1_per_raw0
    return SqrtPriceX96(isqrt(int(raw1_per_raw0 * 2**192)))


def a_position(token_id: int, tick_range: TickRange, liquidity: int, owed: int = 0) -> Position:
    return Position(
        token_id=token_id,
        range=tick_range,
        liquidity=Liquidity(liquidity),
        fee_growth_inside0_x128=0,
        fee_growth_inside1_x128=0,
        fee_growth_inside0_last_x128=0,
        fee_growth_inside1_last_x128=0,
        tokens_owed0=owed,
        tokens_owed1=owed,
    )


def a_snapshot(pool: PoolKey, price: SqrtPriceX96, *positions: Position) -> Snapshot:
    everything = pool.amounts(10**30, 10**30)
    return Snapshot(
        chain_id=1,
        block=Block(number=1, hash="0x1", timestamp=1, base_fee=1),
        read_at=1,
        pool=pool,
        quote=USDC,
        state=PoolState(
            sqrt_price_x96=price,
            tick=tick_at_sqrt_price(price),
            liquidity=Liquidity(0),
            fee_growth_global0_x128=0,
            fee_growth_global1_x128=0,
            fee_protocol=0,
            ticks=(),
            known=TickRange(MIN_TICK, MAX_TICK),
        ),
        twap=None,
        positions=positions,
        wallet=Wallet(
            address="0xA",
            signer="0xA",
            balances=everything,
            native=Amount(ETH, 1),
            nonce=0,
            allowances=(),
        ),
        vault=None,
        gas_price=1,
        native_price=None,
        flow=None,
        earlier={},
    )


def a_record(
    wallet: Amounts,
    *deposits: Deposit,
    bases: dict[int, Basis] | None = None,
    fees: Amounts | None = None,
) -> CampaignRecord:
    usage = Usage(moves=0, gas_raw=0, swap_cost_quote_raw=0, last_move_at=None)
    return CampaignRecord(
        gas_raw=0,
        wallet=wallet,
        fees=fees or wallet - wallet,
        deposits=deposits,
        bases=bases or {},
        usage=usage,
    )


def a_deposit(amounts: Amounts) -> Deposit:
    return Deposit(amounts=amounts, sqrt_price_x96=SqrtPriceX96(2**96), block_number=1, timestamp=1)


def a_basis(position: Position, amounts: Amounts) -> Basis:
    return Basis(
        token_id=position.token_id,
        range=position.range,
        liquidity=position.liquidity,
        amounts=amounts,
        sqrt_price_x96=SqrtPriceX96(2**96),
        timestamp=1,
    )
