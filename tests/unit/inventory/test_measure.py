"""The inventory of a campaign, measured from a snapshot and the books."""

from __future__ import annotations

from fractions import Fraction

import pytest
from inventory_builders import (
    USDC,
    USDC_WETH,
    WETH_USDC,
    a_basis,
    a_deposit,
    a_position,
    a_record,
    a_snapshot,
    sqrt_x96,
)

from lpmanager.amm import principal_down, tick_at_sqrt_price
from lpmanager.inventory import imbalance, measure, position_exposure
from lpmanager.model import Amounts, PoolKey, SqrtPriceX96, TickRange

HALF = Fraction(1, 2)
both_orders = pytest.mark.parametrize(
    "pool", [WETH_USDC, USDC_WETH], ids=["quote-is-token1", "quote-is-token0"]
)


def amounts(pool: PoolKey, weth: int, usdc: int) -> Amounts:
    """Raw WETH and raw USDC, whichever way round the pool has them."""
    return pool.amounts(weth, usdc) if pool == WETH_USDC else pool.amounts(usdc, weth)


def around(price: SqrtPriceX96) -> TickRange:
    tick = tick_at_sqrt_price(price) // 10 * 10
    return TickRange(tick - 1000, tick + 1000)


@both_orders
def test_the_wallet_is_the_campaigns_share_and_not_the_whole_account(pool: PoolKey) -> None:
    mine = amounts(pool, 10**18, 1_000 * 10**6)
    found = measure(a_snapshot(pool, sqrt_x96(pool, 2000)), a_record(mine), HALF)
    assert found.holdings.total == mine


@both_orders
def test_holdings_are_wallet_and_principal_and_fees(pool: PoolKey) -> None:
    price = sqrt_x96(pool, 2000)
    position = a_position(1, around(price), 10**15, owed=77)
    found = measure(a_snapshot(pool, price, position), a_record(amounts(pool, 5, 7)), HALF)
    principal = pool.amounts(*principal_down(position, price))
    assert found.holdings.principal == principal
    assert found.holdings.total == amounts(pool, 5 + 77, 7 + 77) + principal
    assert found.positions[0].in_range
    assert found.positions[0].uncollected == pool.amounts(77, 77)


@both_orders
def test_one_weth_beside_2000_usdc_at_2000_is_balanced(pool: PoolKey) -> None:
    held = amounts(pool, 10**18, 2_000 * 10**6)
    found = measure(a_snapshot(pool, sqrt_x96(pool, 2000)), a_record(held), HALF)
    assert found.weight is not None
    assert found.imbalance is not None
    assert float(found.value) == pytest.approx(4_000e6)
    assert float(found.weight) == pytest.approx(0.5)
    assert float(found.imbalance) == pytest.approx(0, abs=1e-9)
    assert found.exposure.delta == pytest.approx(1)
    assert found.exposure.gamma == 0


@both_orders
def test_a_campaign_that_holds_nothing_has_no_weight(pool: PoolKey) -> None:
    found = measure(a_snapshot(pool, sqrt_x96(pool, 2000)), a_record(amounts(pool, 0, 0)), HALF)
    assert found.value == 0
    assert (found.weight, found.imbalance, found.loss.share) == (None, None, None)


@pytest.mark.parametrize(
    ("weight", "target", "expected"),
    [
        (1, "1/2", 1),
        (0, "1/2", -1),
        ("1/2", "1/2", 0),
        (1, "1/4", 1),
        (0, "1/4", "-1/3"),
        (0, 1, -1),
    ],
)
def test_imbalance_is_the_distance_to_the_target_over_the_longest_possible(
    weight: str, target: str, expected: str
) -> None:
    assert imbalance(Fraction(weight), Fraction(target)) == Fraction(expected)


@pytest.mark.parametrize("target", [Fraction(-1, 100), Fraction(101, 100)])
def test_a_target_weight_that_is_no_share_is_refused(target: Fraction) -> None:
    with pytest.raises(ValueError, match="target_weight"):
        imbalance(HALF, target)


@both_orders
def test_delta_is_all_the_base_token_wherever_it_lies(pool: PoolKey) -> None:
    price = sqrt_x96(pool, 2000)
    position = a_position(1, around(price), 10**15, owed=10**6)
    held = amounts(pool, 3 * 10**18, 0)
    found = measure(a_snapshot(pool, price, position), a_record(held), HALF)
    total = found.holdings.total
    base = total.amount0 if pool == WETH_USDC else total.amount1
    assert found.exposure.delta == pytest.approx(base.raw / 1e18)


@both_orders
def test_delta_and_gamma_of_the_whole_are_the_sum_over_positions(pool: PoolKey) -> None:
    """Two ranges around the price and one above it, and tokens beside them: base in all of them,
    gamma in two."""
    middle = around(sqrt_x96(pool, 2000))
    wide = TickRange(middle.lower - 500, middle.upper + 700)
    beyond = around(sqrt_x96(pool, 3000))
    spans = ((middle, 10**15), (wide, 3 * 10**15), (beyond, 10**15))
    positions = [a_position(n, span, held) for n, (span, held) in enumerate(spans)]

    def base_at(price: str) -> float:
        snapshot = a_snapshot(pool, sqrt_x96(pool, price), *positions)
        total = measure(snapshot, a_record(amounts(pool, 10**18, 0)), HALF).holdings.total
        return (total.amount0 if pool == WETH_USDC else total.amount1).raw / 1e18

    snapshot = a_snapshot(pool, sqrt_x96(pool, 2000), *positions)
    found = measure(snapshot, a_record(amounts(pool, 10**18, 0)), HALF)
    assert found.exposure.delta == pytest.approx(base_at("2000"))
    assert found.exposure.gamma == pytest.approx(base_at("2000.5") - base_at("1999.5"), rel=1e-5)
    parts = [each.exposure.gamma for each in found.positions]
    assert parts[1] == pytest.approx(3 * parts[0])
    assert parts[2] == 0
    assert found.exposure.gamma == pytest.approx(sum(parts))


@both_orders
def test_gamma_is_how_fast_delta_falls_as_the_price_rises(pool: PoolKey) -> None:
    position = a_position(1, around(sqrt_x96(pool, 2000)), 10**15)

    def delta_at(price: str) -> float:
        return position_exposure(pool, USDC, sqrt_x96(pool, price), position).delta

    slope = (delta_at("2000.5") - delta_at("1999.5")) / 1
    gamma = position_exposure(pool, USDC, sqrt_x96(pool, 2000), position).gamma
    assert gamma < 0
    assert gamma == pytest.approx(slope, rel=1e-6)


@both_orders
def test_hodl_counts_every_deposit_and_withdrawal_at_todays_price(pool: PoolKey) -> None:
    record = a_record(
        amounts(pool, 0, 4_990 * 10**6),
        a_deposit(amounts(pool, 2 * 10**18, 2_000 * 10**6)),
        a_deposit(amounts(pool, 0, -1_000 * 10**6)),
    )
    found = measure(a_snapshot(pool, sqrt_x96(pool, 2000)), record, HALF)
    assert found.loss.share is not None
    assert float(found.loss.value) == pytest.approx(-10e6)
    assert float(found.loss.share) == pytest.approx(-10 / 5_000)


@both_orders
def test_fees_do_not_soften_the_loss_whether_collected_or_not(pool: PoolKey) -> None:
    price = sqrt_x96(pool, 2000)
    put_in, collected = amounts(pool, 10**18, 0), pool.amounts(3, 5)
    with_fees = a_position(1, around(price), 0, owed=10**9)
    earned = collected + pool.amounts(10**9, 10**9)
    record = a_record(put_in + collected, a_deposit(put_in), fees=earned)
    found = measure(a_snapshot(pool, price, with_fees), record, HALF)
    assert found.loss.value == 0


@both_orders
def test_a_ranges_own_loss_starts_from_its_basis(pool: PoolKey) -> None:
    then, now = sqrt_x96(pool, 2000), sqrt_x96(pool, 2100)
    position = a_position(7, around(then), 10**15)
    basis = a_basis(position, pool.amounts(*principal_down(position, then)))
    nothing = amounts(pool, 0, 0)
    found = measure(
        a_snapshot(pool, now, position), a_record(nothing, bases={7: basis}), HALF
    ).positions[0]
    assert found.loss is not None
    assert found.loss.value < 0
    unmoved = measure(
        a_snapshot(pool, then, position), a_record(nothing, bases={7: basis}), HALF
    ).positions[0]
    assert unmoved.loss is not None
    assert unmoved.loss.value == 0


def test_a_range_without_a_basis_has_no_loss_of_its_own() -> None:
    price = sqrt_x96(WETH_USDC, 2000)
    record = a_record(amounts(WETH_USDC, 0, 0))
    found = measure(a_snapshot(WETH_USDC, price, a_position(7, around(price), 1)), record, HALF)
    assert found.positions[0].loss is None
