"""Minimums and price bounds, against those of @uniswap/v3-sdk 3.31.5."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lpmanager.amm import (
    Pool,
    amounts_for_liquidity_up,
    burn_minimums_down,
    liquidity_for_amounts_down,
    mint_minimums_down,
    sqrt_price_at_tick,
    sqrt_price_bounds,
)
from lpmanager.model import Liquidity, SqrtPriceX96, TickRange

Q96 = SqrtPriceX96(2**96)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A position of the v3-sdk: its `ratiosAfterSlippage` and `burnAmountsWithSlippage`."""

    price: int
    lower: int
    upper: int
    liquidity: int
    slippage_bps: int
    low: int
    high: int
    burnt: tuple[int, int]

    @property
    def tick_range(self) -> TickRange:
        return TickRange(self.lower, self.upper)


def amount_taken(
    price: SqrtPriceX96, tick_range: TickRange, offered: tuple[int, int]
) -> tuple[int, int]:
    """What a mint takes of the amounts offered."""
    liquidity = liquidity_for_amounts_down(price, tick_range, *offered)
    return amounts_for_liquidity_up(price, tick_range, liquidity)


# fmt: off
SDK_CASES = (
    Case(
        price=79228162514264337593543950336, lower=-600, upper=600,
        liquidity=1000000000000000000, slippage_bps=50,
        low=79029843899059723247256258061,
        high=79425985949584624389260073348,
        burnt=(27062346986770072, 27049878042137336),
    ),
    Case(
        price=1639800167909502363470381385777294, lower=198000, upper=199500,
        liquidity=123456789012345678, slippage_bps=100,
        low=1631580566435280824250940752407080,
        high=1647978773098365022228704256154081,
        burnt=(185617953896, 83078265642277730757),
    ),
    Case(
        price=79228267247129223624891, lower=-277000, upper=-275000,
        liquidity=98765432109876543, slippage_bps=30,
        low=79109335580508964978235,
        high=79347020649646807483150,
        burnt=(6178422645431378454878, 3134068470),
    ),
    Case(
        price=79228267247129223624891, lower=-276330, upper=-276320,
        liquidity=98765432109876543, slippage_bps=30,
        low=79109335580508964978235,
        high=79347020649646807483150,
        burnt=(0, 0),
    ),
    Case(
        price=79208358939348018173455069826, lower=60, upper=1200,
        liquidity=5000000000000000000000, slippage_bps=500,
        low=77202758497163580608247540907,
        high=81164415430395497659950939490,
        burnt=(171883537857267924249, 0),
    ),
    Case(
        price=11755562826496067164730007768549, lower=90000, upper=99800,
        liquidity=5000000000000000000000, slippage_bps=500,
        low=11457905327733834681064123383877,
        high=12045867350925005678528050382547,
        burnt=(0, 273111080130726753972262),
    ),
    Case(
        price=269501133119915900473, lower=-420000, upper=-360000,
        liquidity=1208925819614629174706176, slippage_bps=10,
        low=269366348848859946950,
        high=269635850015667519229,
        burnt=(275916800624607972715300810985425, 3192566039273740),
    ),
    Case(
        price=50041772226487, lower=-887200, upper=887200,
        liquidity=340282366920938463463374607431, slippage_bps=1,
        low=50039270075320,
        high=50044274252549,
        burnt=(538721903151136968751920045151021878790618702, 214898514524621),
    ),
    Case(
        price=125437238852717229072740435142569780310612199, lower=640000, upper=760000,
        liquidity=27182818284590452353, slippage_bps=1,
        low=125430966833970204327938450866999083799681954,
        high=125443510557871155705770913054549254171263492,
        burnt=(16313, 40891783540997260571769032268395503),
    ),
    Case(
        price=1461373636630004318706518188784493106690254656249, lower=887000, upper=887270,
        liquidity=1000000, slippage_bps=9999,
        low=14613736366300043187065181887844931066902546562,
        high=1461446703485210103287273052203988822378723970341,
        burnt=(0, 0),
    ),
    Case(
        price=4295129739, lower=-887220, upper=887220,
        liquidity=31415926535897932384626, slippage_bps=2500,
        low=4295128740,
        high=4802101034,
        burnt=(518320234309820406895084305809494507903213, 0),
    ),
    Case(
        price=79394708140106462983274643750, lower=-1000, upper=1000,
        liquidity=1, slippage_bps=0,
        low=79394708140106462983274643750,
        high=79394708140106462983274643750,
        burnt=(0, 0),
    ),
)
# fmt: on


@pytest.mark.parametrize("case", SDK_CASES)
def test_the_price_bounds_are_the_sdks_ratios_after_slippage(case: Case) -> None:
    assert sqrt_price_bounds(SqrtPriceX96(case.price), case.slippage_bps) == (
        case.low,
        case.high,
    )


@pytest.mark.parametrize("case", SDK_CASES)
def test_the_minimums_of_a_burn_are_the_sdks_burn_amounts_with_slippage(case: Case) -> None:
    minimums = burn_minimums_down(
        SqrtPriceX96(case.price), case.tick_range, Liquidity(case.liquidity), case.slippage_bps
    )
    assert minimums == case.burnt


def test_a_mint_that_the_sdks_minimums_refuse_inside_the_tolerance_meets_ours() -> None:
    # the first case's mintAmounts, and its mintAmountsWithSlippage; that the position manager
    # refuses the latter here was seen on its bytecode
    offered, of_the_sdk = (29553010879137170,) * 2, (27062346986770073, 27049878042137337)
    tick_range = TickRange(-600, 600)
    ours = mint_minimums_down(Q96, tick_range, *offered, 50)
    low, high = sqrt_price_bounds(Q96, 50)
    for price, scarce in ((low, 1), (high, 0)):
        pool = Pool(3_000, 60)
        pool.initialize(price)
        liquidity = liquidity_for_amounts_down(price, tick_range, *offered)
        paid = pool.mint("lp", -600, 600, liquidity)
        assert paid[scarce] < of_the_sdk[scarce]
        assert 0 <= paid[scarce] - ours[scarce] <= 1
        assert paid[1 - scarce] > ours[1 - scarce]


def test_a_range_narrower_than_the_slippage_has_no_minimum_of_either_token() -> None:
    narrow = TickRange(-10, 10)
    assert mint_minimums_down(Q96, narrow, 10**18, 10**18, 50) == (0, 0)
    assert burn_minimums_down(Q96, narrow, Liquidity(10**18), 50) == (0, 0)


def test_an_order_beside_the_price_must_take_all_but_the_mints_rounding() -> None:
    assert mint_minimums_down(Q96, TickRange(600, 1_200), 10**18, 10**18, 0) == (10**18 - 1, 0)
    assert mint_minimums_down(Q96, TickRange(-1_200, -600), 10**18, 10**18, 50) == (0, 10**18 - 1)


@pytest.mark.parametrize(
    ("tick", "offered", "scarce"),
    [
        (-276_300, (10**18, 10**12), 0),
        (276_300, (10**12, 10**18), 1),
        # here it is the early rounding of token0's factor that tells
        (-400_000, (123_456_789 * 10**12, 10**12), 0),
    ],
)
def test_what_is_scarce_all_over_the_band_is_guaranteed_but_for_the_mints_rounding(
    tick: int, offered: tuple[int, int], scarce: int
) -> None:
    price, tick_range = sqrt_price_at_tick(tick), TickRange(tick - 3_000, tick + 3_000)
    low, high = sqrt_price_bounds(price, 50)
    minimum = mint_minimums_down(price, tick_range, *offered, 50)[scarce]
    taken = [amount_taken(at, tick_range, offered)[scarce] for at in (low, price, high)]
    assert minimum <= min(taken)
    # so many raw units differ from price to price that no edge of the band has the least
    worse_edge = taken[2] if scarce == 0 else taken[0]
    assert min(taken) < worse_edge - 10_000
    assert offered[scarce] - minimum < 2 * (offered[scarce] - min(taken))


def test_all_the_band_beside_a_range_takes_one_and_the_same_amount() -> None:
    price, above = sqrt_price_at_tick(-276_300), TickRange(-276_000, -273_000)
    minimums = mint_minimums_down(price, above, 10**18, 0, 50)
    taken = amount_taken(price, above, (10**18, 0))
    assert minimums == (taken[0] - 1, 0)
    assert taken[0] < 10**18 - 10_000


@pytest.mark.parametrize("slippage_bps", [-1, 10_000])
def test_a_tolerance_of_all_of_the_price_is_none(slippage_bps: int) -> None:
    with pytest.raises(ValueError, match=f"found {slippage_bps}"):
        sqrt_price_bounds(Q96, slippage_bps)
