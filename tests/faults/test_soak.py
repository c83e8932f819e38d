"""One manager for days: faults every hour, reorganisations, dear gas, restarts; nobody helps it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from faults.fault_proxy import Fault
from faults.manager_process import ManagerProcess, Wellbeing
from faults.moving_chain import SENDING, USUAL_BASE_FEE, Fate, MovingChain
from faults.troubled_desk import (
    BLOCK_TIME_S,
    ETHER,
    NAME,
    TERMS,
    Run,
    Stage,
    a_run,
    a_stage,
)
from faults.verdict import (
    require_books_equal_chain,
    require_normal_soon,
    require_nothing_lost,
)
from sqlalchemy import select

from lpmanager.devnet.flow_generated import GeneratedFlow, generated_flow
from lpmanager.devnet.orders import Order
from lpmanager.ledger import accounting, tables
from lpmanager.model import NATIVE

pytestmark = pytest.mark.fault_row("soak: simulated days with random faults")

_HOUR_S, _DAY_S = 3_600, 86_400
_QUICK_DAYS, _FULL_DAYS = 0.5, 30.0

#: A cycle every ten minutes, in which the market has so many blocks.
_EVERY_S = 600
_BLOCKS_BETWEEN = 6

#: What counts as final, and the deepest reorganisation.
_CONFIRMATIONS = 4

_SPIKE = 100 * USUAL_BASE_FEE
_LONGEST_SPIKE_S = 2 * _HOUR_S

#: What becomes of ours: a stranger in their place is a reason for a person to look.
_FATES = (Fate.DROPPED, Fate.MINED_AGAIN)

#: That what others did in blocks that are taken out is in those that take their place.
_OTHERS_STAY = 0.5

#: Chances per hour.
_REORGANISED, _RESTARTED, _DEAR = 0.5, 0.5, 0.1

#: Faults after which a request is only given up when its time has run out are short.
_SLOW = (Fault.STALL_BEFORE, Fault.STALL_AFTER)

#: Nothing restarts it after that: its memory is compared from here on, when everything has been
#: imported and filled once, with that at the end.
_WARM_AFTER = 1 / 3
_MOST_GROWTH = 1.05

#: A range of 3 % each way in a market that moves 6 % a day. Within a month that costs more than a
#: tenth on some day, which would halt the campaign for good reason.
_NARROW = TERMS.replace("half_width_ticks = 600", "half_width_ticks = 300").replace(
    "min_interval_s = 0", 'min_interval_s = "1h"\nmax_loss_per_day = "1"'
)
_VOLATILITY = 0.06


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with a_stage() as made:
        yield made


@dataclass
class Soak:
    """A campaign that goes on and on, and what happens to it. How often it is restarted hangs on
    nothing else, so that the few hours of a quick run have a restart whatever the rest draws."""

    run: Run
    manager: ManagerProcess
    chain: MovingChain
    dice: random.Random
    restarts: random.Random
    wellbeing: Wellbeing = field(default_factory=Wellbeing)
    dear_until: int = 0
    faults: int = 0
    reorganised: int = 0
    restarted: int = 0

    def __post_init__(self) -> None:
        self.chain.base_fee = self._base_fee

    def hour(self) -> None:
        """An hour of cycles, with something going wrong in it."""
        if self.dice.random() < _DEAR:
            self.dear_until = self.run.stage.now() + self.dice.randrange(_LONGEST_SPIKE_S)
        cycles = _HOUR_S // _EVERY_S
        troubled = self.dice.randrange(cycles)
        reorganised = self.dice.randrange(cycles) if self.dice.random() < _REORGANISED else None
        for number in range(cycles):
            if number == troubled:
                self._break_the_rpc()
            if number == reorganised:
                self._reorganise_soon()
            before = self.reorganised
            went = self.manager.cycle()
            disturbed = number == troubled or self.reorganised > before or self._is_dear()
            self.wellbeing.saw(went, disturbed=disturbed)
            for rpc in self.run.rpcs:
                rpc.heal()
                rpc.log.clear()
            for _ in range(_BLOCKS_BETWEEN):
                self.chain.mine(after_s=_EVERY_S // _BLOCKS_BETWEEN)

    def restart_by_chance(self) -> None:
        if self.restarts.random() < _RESTARTED:
            self.manager.restart()
            self.restarted += 1

    def _break_the_rpc(self) -> None:
        fault = self.dice.choice(list(Fault))
        times = self.dice.randint(1, 3 if fault in _SLOW else 40)
        (rpc,) = self.run.rpcs
        rpc.inject(fault, after=self.dice.randrange(60), times=times)
        self.faults += 1

    def _reorganise_soon(self) -> None:
        at = self.chain.questions + self.dice.randrange(200)
        depth, fate = self.dice.randint(1, _CONFIRMATIONS - 1), self.dice.choice(_FATES)
        others_stay = self.dice.random() < _OTHERS_STAY

        def is_it_now() -> None:
            if self.chain.questions >= at:
                self.chain.before_question = lambda: None
                self.chain.reorganise(depth, fate, others_stay=others_stay)
                self.reorganised += 1

        self.chain.before_question = is_it_now

    def _is_dear(self) -> bool:
        return self.run.stage.now() < self.dear_until

    def _base_fee(self) -> int:
        return _SPIKE if self._is_dear() else USUAL_BASE_FEE

    def needed_a_person(self) -> int:
        """How often the campaign was halted, which only a person lifts."""
        with self.run.ledger.engine.connect() as connection:
            return len(connection.execute(select(tables.halts)).all())


def test_nobody_is_needed_for_days_and_memory_does_not_grow(
    stage: Stage,
    tmp_path: Path,
    scale: Callable[[int, int], int],
    figures: dict[str, int],
) -> None:
    dice = random.Random("soak")
    hours = scale(round(_QUICK_DAYS * 24), round(_FULL_DAYS * 24))
    with a_run(stage, tmp_path, 1, 0, terms=_NARROW) as run:
        run.sending = replace(SENDING, confirmations=_CONFIRMATIONS, timeout_s=2.0)
        with (
            MovingChain(run, dice, market=a_market(stage)).moving() as chain,
            closing(ManagerProcess(run, tmp_path / "lpmanager.toml")) as manager,
        ):
            soak = Soak(run, manager, chain, dice, random.Random("restarts"))
            warm_after = round(hours * _WARM_AFTER)
            for _ in range(warm_after):
                soak.restart_by_chance()
                soak.hour()
            warm, acted_warm = manager.resident_kb(), soak.wellbeing.acted
            for _ in range(warm_after, hours):
                soak.hour()
            chain.before_question = lambda: None  # what was still to come comes no more
            grown = manager.resident_kb() / warm
            figures["simulated hours"] = hours
            figures["plans carried out"] = soak.wellbeing.acted
            figures["faults"] = soak.faults
            figures["reorganisations"] = soak.reorganised
            figures["restarts"] = soak.restarted
            figures["cycles in trouble"] = soak.wellbeing.troubled
            figures["manual steps"] = soak.needed_a_person()
            figures["most growth of memory in %"] = round(100 * (grown - 1))
            require_normal_soon(run)
            require_nothing_lost(run)
            require_books_equal_chain(run)
            require_gas_equal_chain(run)
            assert figures["manual steps"] == 0
            assert min(soak.reorganised, soak.restarted) > 0
            assert soak.wellbeing.acted > acted_warm > 0
            assert grown < _MOST_GROWTH


def a_market(stage: Stage) -> Iterator[tuple[Order, ...]]:
    """The orders of each block, for ever."""
    flow = GeneratedFlow(
        seed=1,
        start_timestamp=0,
        block_time_s=BLOCK_TIME_S,
        blocks=10**9,
        start_sqrt_price_x96=stage.price(),
        fee_pips=500,
        volatility=_VOLATILITY,
        jumps_per_day=0.0,
        jump_volatility=0.0,
        noise_trades_per_block=0.2,
        noise_median_raw1=ETHER,
        noise_spread=1.0,
    )
    return (block.orders for block in generated_flow(flow))


def require_gas_equal_chain(run: Run) -> None:
    assert run.ledger.balances(NAME)[accounting.GAS, NATIVE] == run.stage.native_spent()
