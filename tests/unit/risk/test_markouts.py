"""What providers made of swaps, and how toxic the flow was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from builders import a_market, price_at
from order_flow_builders import BIG, FEE, a_swap, after

from lpmanager.amm import Pool
from lpmanager.model import SwapEvent
from lpmanager.risk.missing import Missing
from lpmanager.risk.order_flow.markouts import Markout, by_sender, markouts
from lpmanager.risk.order_flow.toxicity import MINIMUM_SWAPS, Toxicity, toxicity

#: Blocks of 12 s: the horizon of 300 s is 25 of them.
HORIZON_BLOCKS = 25


def found_after(*swaps, last_block: int = 200, tick: int = 0) -> tuple[Markout, ...]:
    found = markouts(after(swaps, last_block=last_block, tick=tick))
    assert not isinstance(found, Missing), found
    return found


@pytest.mark.parametrize("bought", [BIG, -BIG])
def test_where_the_price_stays_providers_keep_the_fee(bought: int) -> None:
    (one,) = found_after(a_swap(1, bought=bought))
    assert one.gain == pytest.approx(one.fee)
    assert one.fee == pytest.approx(one.volume * FEE)
    assert one.volume == pytest.approx(BIG / (1 - FEE))


@pytest.mark.parametrize(
    ("bought", "fee_protocol", "kept"),
    [(-BIG, 0x04, 3 / 4), (BIG, 0xA0, 9 / 10), (-BIG, 0xA4, 3 / 4), (BIG, 0xA4, 9 / 10)],
)
def test_the_protocols_share_of_the_fee_is_no_gain_of_the_providers(
    bought: int, fee_protocol: int, kept: float
) -> None:
    """The low four bits are of what token0 pays, the high four of what token1 does."""
    market = after([a_swap(1, bought=bought)], last_block=200)
    shared = replace(market, state=replace(market.state, fee_protocol=fee_protocol))
    (all_fee,), (part,) = markouts(market), markouts(shared)
    assert part.volume == all_fee.volume
    assert part.fee == pytest.approx(all_fee.fee * kept)
    assert part.gain == pytest.approx(all_fee.gain - all_fee.fee * (1 - kept))


def test_the_protocols_share_of_one_direction_is_not_taken_off_the_other() -> None:
    for bought, fee_protocol in ((BIG, 0x04), (-BIG, 0xA0)):
        market = after([a_swap(1, bought=bought)], last_block=200)
        shared = replace(market, state=replace(market.state, fee_protocol=fee_protocol))
        assert markouts(shared) == markouts(market)


def test_providers_take_from_a_real_pool_what_their_markout_says() -> None:
    """Of token0 and token1 in turn: what positions may collect, and what the protocol may not."""
    market = a_market()
    for zero_for_one in (True, False):
        pool = Pool.from_state(market.state, market.pool.fee_pips, market.pool.tick_spacing)
        pool.set_fee_protocol(4, 10)
        before = pool.fee_growth_global0_x128, pool.fee_growth_global1_x128
        done = pool.swap(zero_for_one, BIG)
        grown0 = pool.fee_growth_global0_x128 - before[0]
        grown1 = pool.fee_growth_global1_x128 - before[1]
        paid = (grown0 + grown1) * pool.liquidity / 2**128
        swap = a_swap(1)._replace(
            amount0=done.amount0, amount1=done.amount1, sqrt_price_x96=pool.sqrt_price_x96
        )
        world = after([swap], last_block=200)
        world = replace(world, state=replace(world.state, fee_protocol=pool.fee_protocol))
        (one,) = markouts(world)
        price = (pool.sqrt_price_x96 / 2**96) ** 2
        assert one.fee == pytest.approx(paid * price if zero_for_one else paid, rel=1e-6)


def test_who_buys_before_the_price_rises_takes_it_from_the_providers() -> None:
    """The pool gave BIG of token0, which is worth 1 % more five minutes later."""
    bought, _ = found_after(a_swap(1), a_swap(10, tick=100))
    worth_more = 1.0001**100 - 1
    assert bought.gain == pytest.approx(bought.fee - BIG * worth_more, rel=1e-3)
    sold, _ = found_after(a_swap(1, bought=-BIG), a_swap(10, tick=100))
    assert sold.gain > sold.fee


def test_a_swap_that_moves_the_price_for_good_beyond_the_fee_is_toxic_by_itself() -> None:
    """Bought on the way from tick 0 to 20, so at 10 on average, and nobody trades it back: five
    basis points are paid for ten."""
    lone = a_swap(1, tick=10)._replace(sqrt_price_x96=price_at(20))
    (one,) = found_after(lone, tick=20)
    assert one.gain / one.volume == pytest.approx(-0.0005, rel=0.01)
    back, _ = found_after(lone, a_swap(20, tick=0, bought=-BIG))
    assert back.gain > back.fee


def test_the_price_at_the_horizon_counts_and_none_after_it() -> None:
    early = a_swap(1)
    at_horizon, behind = a_swap(1 + HORIZON_BLOCKS, tick=40), a_swap(2 + HORIZON_BLOCKS, tick=900)
    with_later = found_after(early, at_horizon, behind)[0]
    assert with_later == found_after(early, at_horizon)[0]
    assert with_later != found_after(early, at_horizon._replace(block_number=60))[0]


def test_a_swap_whose_horizon_has_not_passed_is_left_out() -> None:
    swaps = [a_swap(1), a_swap(175), a_swap(176)]
    assert len(found_after(*swaps, last_block=200)) == 2


def test_nothing_after_its_horizon_changes_a_markout() -> None:
    past = [a_swap(block, tick=block % 7) for block in range(1, 100)]
    one = found_after(*past, *(a_swap(b, tick=500, bought=-BIG) for b in range(101, 200)))
    other = found_after(*past, *(a_swap(b, tick=-500) for b in range(101, 200)), tick=7)
    assert one[: 99 - HORIZON_BLOCKS] == other[: 99 - HORIZON_BLOCKS]


def test_senders_are_summed_and_the_dearest_comes_first() -> None:
    swaps = [
        a_swap(1, sender="informed"),
        a_swap(2, sender="noise", bought=-BIG),
        a_swap(3, sender="informed"),
        a_swap(10, tick=100, sender="late"),
    ]
    found = found_after(*swaps)
    senders = by_sender(found)
    assert [one.sender for one in senders] == ["informed", "late", "noise"]
    first = senders[0]
    assert first.gain == pytest.approx(found[0].gain + found[2].gain)
    assert first.volume == pytest.approx(found[0].volume + found[2].volume)


def dust_behind(swap: SwapEvent, *, zero_for_one: bool = True) -> SwapEvent:
    """What a pool tells of one raw unit that came in: it pays nothing out."""
    market = a_market()
    pool = Pool.from_state(market.state, market.pool.fee_pips, market.pool.tick_spacing)
    done = pool.swap(zero_for_one, 1)
    assert sorted((done.amount0, done.amount1)) == [0, 1]
    paid = {"amount0": done.amount0, "amount1": done.amount1}
    return swap._replace(log_index=swap.log_index + 1, sender="0xB", **paid)


@pytest.mark.parametrize("zero_for_one", [True, False])
def test_a_swap_that_got_nothing_hides_no_other(zero_for_one: bool) -> None:
    """It costs no more than gas, so nobody may blind the desk with it."""
    swaps = [a_swap(n, tick=n) for n in range(1, 30)]
    dust = dust_behind(swaps[-1], zero_for_one=zero_for_one)
    assert found_after(*swaps, dust) == found_after(*swaps)


def test_a_swap_across_a_pool_without_liquidity_is_left_out() -> None:
    moved = a_swap(2)._replace(amount0=0, amount1=0)
    assert found_after(a_swap(1), moved) == found_after(a_swap(1))


def test_swaps_that_all_got_nothing_tell_no_markout() -> None:
    dust = markouts(after([dust_behind(a_swap(n)) for n in range(1, 30)], last_block=200))
    assert isinstance(dust, Missing)
    assert "only one" in dust.reason


def test_a_swap_that_paid_nothing_for_what_it_got_is_not_believed() -> None:
    stolen = a_swap(2)._replace(amount1=0)
    told = markouts(after([a_swap(1), stolen], last_block=200))
    assert isinstance(told, Missing)
    assert "a swap of block 2 paid nothing" in told.reason


def test_markouts_that_cannot_be_told_are_missing() -> None:
    young = markouts(after([a_swap(190)], last_block=200))
    assert young == Missing(
        "markouts need swaps at least 300 s old, found none among 1 of the last 2400 s"
    )
    one_sided = a_swap(1)._replace(amount0=0)
    bars = markouts(after([one_sided], last_block=200))
    assert isinstance(bars, Missing)
    assert "only one" in bars.reason
    assert isinstance(markouts(a_market()), Missing)
    assert isinstance(markouts(after([], last_block=200)), Missing)
    with pytest.raises(ValueError, match="horizon"):
        markouts(a_market(), horizon_s=0)


# ---- toxicity ----


def a_markout(gain: float, *, time: int = 0, volume: float = 1_000.0) -> Markout:
    """`gain` is what is left with a fee of 1 in it."""
    return Markout(
        sender="0xA",
        time=time,
        block_number=time,
        tx_hash="0x",
        volume=volume,
        fee=1.0,
        gain=gain,
    )


def measured(found: list[Markout], **options: int) -> Toxicity:
    result = toxicity(found, **options)
    assert not isinstance(result, Missing), result
    return result


def test_the_toxic_share_is_the_volume_that_lost_more_than_its_fee() -> None:
    found = [a_markout(-1.0, volume=3_000.0)] * 5 + [a_markout(0.5)] * 15
    assert measured(found).toxic_share == pytest.approx(0.5)


def test_the_markout_is_before_fees_and_held_against_them() -> None:
    kept = measured([a_markout(0.0)] * 20)
    assert (kept.markout, kept.fee) == (pytest.approx(-0.001), pytest.approx(0.001))
    assert not kept.is_toxic
    assert measured([a_markout(-0.1)] * 20).is_toxic


def test_the_past_fades_by_half_in_a_half_life() -> None:
    old, new = [a_markout(1.0)] * 20, [a_markout(-2.0, time=600)] * 20
    # (2 * -3 + 1 * 0) / (2 + 1) of a volume of 1,000
    assert measured(old + new, half_life_s=600).markout == pytest.approx(-0.002)
    assert measured(old + new, half_life_s=6).markout == pytest.approx(-0.003)


def test_too_little_flow_says_nothing() -> None:
    few = toxicity([a_markout(1.0)] * (MINIMUM_SWAPS - 1))
    assert few == Missing(f"toxicity needs {MINIMUM_SWAPS} swaps, found {MINIMUM_SWAPS - 1}")
    assert isinstance(toxicity([a_markout(0.0, volume=0.0)] * 20), Missing)
    with pytest.raises(ValueError, match="half-life"):
        toxicity([], half_life_s=0)
