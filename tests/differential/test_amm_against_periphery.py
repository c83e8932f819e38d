"""What the position manager takes, pays and records, against our amounts, fees and snapshots."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random

import pytest
from abi_words import from_words, selector, signed, to_words
from amm_contracts import SPACINGS, Contracts
from builders import a_pool, a_snapshot
from evm_backends import SENDER, Reverted, fastest_evm, has_pyrevm
from hard_steps import HardSteps
from pool_operations import Initialize, SetFeeProtocol
from pool_twins import Twins

from lpmanager.amm import (
    Pool,
    amounts_for_liquidity_down,
    amounts_for_liquidity_up,
    fee_growth_inside,
    liquidity_for_amounts_down,
    sqrt_price_at_tick,
    uncollected_fees,
)
from lpmanager.devnet.npm import periphery_artifact
from lpmanager.model import Liquidity, Position, TickRange
from lpmanager.model.tick import max_usable_tick, min_usable_tick

OPERATIONS = 150 if has_pyrevm() else 25
UINT128_MAX = 2**128 - 1
FOREVER = 2**63
#: Low enough that no tick comes near the most that the contract lets one tick hold.
LIQUIDITY_PER_MINT = 10**30
#: (word of the bitmap, place in it): first and last bits, below and above tick 0
STARTS = ((-3, 0), (-1, 255), (0, 0), (5, 255))
#: whose positions ours are in the model, as they are the manager's in the deployed pool
MANAGER = "manager"

_MINT = selector(
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
)
_DECREASE = selector("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))")
_COLLECT = selector("collect((uint256,address,uint128,uint128))")
_POSITIONS = selector("positions(uint256)")
_APPROVE = selector("approve(address,uint256)")
_NO_ADDRESS = 0
_SENDER = int(SENDER, 16)


@cache
def contracts() -> Contracts:
    return Contracts(fastest_evm())


class Desk:
    """An account's positions with the deployed manager, and the same positions in our Pool."""

    def __init__(self, fee_pips: int, sqrt_price_x96: int, dice: Random) -> None:
        self.dice = dice
        self.fee_pips = fee_pips
        self.twins = Twins(contracts(), fee_pips, 1_700_000_000)
        self.ranges: dict[int, TickRange] = {}
        evm, factory = contracts().evm, int(contracts().factory, 16)
        creation = periphery_artifact("NonfungiblePositionManager").bytecode
        self.manager = evm.deploy(creation + to_words((factory, _NO_ADDRESS, _NO_ADDRESS)))
        # From here on the manager is an owner of positions like the others.
        contracts().owners[MANAGER] = self.manager
        for token in contracts().tokens:
            evm.call(token, _APPROVE + to_words((int(self.manager, 16), 2**256 - 1)))
        self.twins.do(Initialize(sqrt_price_x96))
        self.twins.do(SetFeeProtocol(4, 10))

    @property
    def ours(self) -> Pool:
        return self.twins.ours

    def swap(self) -> None:
        self.twins.do(HardSteps(self.twins, self.dice, words=3).swap())

    def mint(self) -> None:
        tick_range, amounts = self._range(), (self._amount(), self._amount())
        if tick_range in self.ranges.values():
            return
        price = self.ours.sqrt_price_x96
        try:
            liquidity = liquidity_for_amounts_down(price, tick_range, *amounts)
        except ValueError:
            with pytest.raises(Reverted):
                self._mint(tick_range, amounts)
            return
        if not 0 < liquidity < LIQUIDITY_PER_MINT:
            return
        token_id, *got = self._mint(tick_range, amounts)
        paid = amounts_for_liquidity_up(price, tick_range, liquidity)
        assert tuple(got) == (liquidity, *paid)
        self.ranges[token_id] = tick_range
        assert self.ours.mint(*self._key(tick_range), liquidity) == paid
        self._moved(*paid)

    def collect(self, token_id: int) -> None:
        """Before any burn: collecting alone brings the fees up to date."""
        position = self.position(token_id)
        owed = uncollected_fees(position)
        if owed == (0, 0):
            return
        assert self._from_snapshot(position) == owed
        assert self._collect(token_id) == owed
        self._collect_ours(position)

    def decrease(self, token_id: int) -> None:
        position = self.position(token_id)
        liquidity = Liquidity(self.dice.choice([position.liquidity, position.liquidity // 3]))
        if liquidity == 0:
            return
        price, fees = self.ours.sqrt_price_x96, uncollected_fees(position)
        got = amounts_for_liquidity_down(price, position.range, liquidity)
        assert tuple(self._ask(_DECREASE, token_id, liquidity, 0, 0, FOREVER)) == got
        assert self.ours.burn(*self._key(position.range), liquidity) == got
        self._moved(0, 0)
        owed = fees[0] + got[0], fees[1] + got[1]
        emptied = liquidity == position.liquidity
        if emptied:
            # The edges may be gone now, so that their growth can no longer be read.
            self.ranges.pop(token_id)
        else:
            assert uncollected_fees(self.position(token_id)) == owed
        if emptied or self.dice.random() < 0.5:
            assert self._collect(token_id) == owed
            self._collect_ours(position)

    def position(self, token_id: int) -> Position:
        """The manager's record of an NFT, with the growth inside as our Pool has it."""
        row = self._ask(_POSITIONS, token_id)
        tick_range = TickRange(signed(row[5]), signed(row[6]))
        inside0, inside1 = (self._inside(tick_range, token) for token in (0, 1))
        return Position(
            token_id=token_id,
            range=tick_range,
            liquidity=Liquidity(row[7]),
            fee_growth_inside0_x128=inside0,
            fee_growth_inside1_x128=inside1,
            fee_growth_inside0_last_x128=row[8],
            fee_growth_inside1_last_x128=row[9],
            tokens_owed0=row[10],
            tokens_owed1=row[11],
        )

    def _inside(self, tick_range: TickRange, token: int) -> int:
        pool = self.ours
        lower, upper = pool.ticks[tick_range.lower], pool.ticks[tick_range.upper]
        return fee_growth_inside(
            tick_range=tick_range,
            tick=pool.tick,
            global_x128=(pool.fee_growth_global0_x128, pool.fee_growth_global1_x128)[token],
            lower_outside_x128=lower[2 + token],
            upper_outside_x128=upper[2 + token],
        )

    def _from_snapshot(self, position: Position) -> tuple[int, int]:
        """What a pool that is built from a snapshot would pay the position."""
        terms = replace(a_pool(), fee_pips=self.fee_pips, tick_spacing=self.twins.spacing)
        snapshot = replace(a_snapshot(positions=(position,), pool=terms), state=self.ours.state())
        pool = Pool.from_snapshot(snapshot)
        key = str(position.token_id), position.range.lower, position.range.upper
        pool.burn(*key, 0)
        return pool.collect(*key, UINT128_MAX, UINT128_MAX)

    def _collect_ours(self, position: Position) -> None:
        key = self._key(position.range)
        if self.ours.positions[key].liquidity:
            self.ours.burn(*key, 0)
        got = self.ours.collect(*key, UINT128_MAX, UINT128_MAX)
        self._moved(-got[0], -got[1])

    def _key(self, tick_range: TickRange) -> tuple[str, int, int]:
        return MANAGER, tick_range.lower, tick_range.upper

    def _moved(self, amount0: int, amount1: int) -> None:
        """After both did the same through the manager: both pools are equal."""
        held = self.twins.balances
        self.twins.balances = held[0] + amount0, held[1] + amount1
        self.twins.require_equal()

    def _mint(self, tick_range: TickRange, amounts: tuple[int, int]) -> list[int]:
        """(token id, liquidity, paid token0, paid token1)."""
        tokens = [int(token, 16) for token in contracts().tokens]
        edges = tick_range.lower, tick_range.upper
        pool = *tokens, self.fee_pips, *edges
        return self._ask(_MINT, *pool, *amounts, 0, 0, _SENDER, FOREVER)

    def _collect(self, token_id: int) -> tuple[int, int]:
        got = self._ask(_COLLECT, token_id, _SENDER, UINT128_MAX, UINT128_MAX)
        return got[0], got[1]

    def _ask(self, order: bytes, *arguments: int) -> list[int]:
        self.twins.require_equal()
        return from_words(contracts().evm.call(self.manager, order + to_words(arguments)))

    def _range(self) -> TickRange:
        spacing = self.twins.spacing
        widths = (1, 2, 10, 200, 600)
        here = self.ours.tick // spacing - self.dice.randint(-2, 1) * self.dice.choice(widths)
        lowest, highest = min_usable_tick(spacing), max_usable_tick(spacing)
        lower = min(max(here * spacing, lowest), highest - spacing)
        return TickRange(lower, min(lower + self.dice.choice(widths) * spacing, highest))

    def _amount(self) -> int:
        return self.dice.randint(1, 10 ** self.dice.randint(1, 27))


@pytest.mark.parametrize("fee_pips", SPACINGS)
@pytest.mark.parametrize("start", STARTS, ids=lambda start: f"word{start[0]}-bit{start[1]}")
def test_the_manager_takes_and_pays_what_we_foretell(fee_pips: int, start: tuple[int, int]) -> None:
    word, place = start
    dice = Random(f"{fee_pips} {start}")
    price = sqrt_price_at_tick((word * 256 + place) * SPACINGS[fee_pips])
    desk = Desk(fee_pips, price, dice)
    for _ in range(OPERATIONS):
        kind = dice.choices(["swap", "mint", "collect", "decrease"], [6, 3, 3, 1])[0]
        if kind == "swap":
            desk.swap()
        elif kind == "mint" or not desk.ranges:
            desk.mint()
        else:
            getattr(desk, kind)(dice.choice(sorted(desk.ranges)))
