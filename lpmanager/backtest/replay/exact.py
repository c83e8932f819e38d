"""Exact mode: a market replayed through the pool's integers and the very `decide` of a live run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from lpmanager.amm.fast.packing import to_limbs
from lpmanager.backtest.markets.market import Bars, Market
from lpmanager.backtest.markets.volume import quote_volume
from lpmanager.backtest.replay.books import MemoryBooks
from lpmanager.backtest.replay.carrying_out import Carrier
from lpmanager.backtest.replay.meter import roots_of
from lpmanager.backtest.replay.recorder import Recorder
from lpmanager.backtest.replay.tape import Tape, tape_of
from lpmanager.backtest.replay.terms import Terms
from lpmanager.backtest.replay.world import EVERYWHERE, World
from lpmanager.backtest.report.run import Run
from lpmanager.inventory import Holdings, measure, measure_holdings
from lpmanager.ledger.alarms import NavMark, counts_from, loss_alarm, nav_mark
from lpmanager.ledger.result import Result, result_of
from lpmanager.model import Decision, Plan, Snapshot, TickRange
from lpmanager.rebalancer import Limits, Policy, View, decide
from lpmanager.risk import assess

NAME = "backtest"

_GAS_NOTE = "Gas is what the manager sets aside for each action, which is more than contracts use."


def backtest(
    market: Market,
    terms: Terms,
    policy: Policy,
    limits: Limits,
    progress: Callable[[int], None],
) -> Run:
    """Replay a market with a campaign in it. `progress` is told how many rows are done.

    Raises MarketDataError where the market cannot be replayed, or its gas prices have a gap;
    whatever the policy raises.
    """
    tape = tape_of(market, terms.block_s)
    replay = Replay(market, tape, terms, policy, limits)
    while not replay.is_over:
        replay.step()
        progress(replay.rows)
    return replay.run()


class Replay:
    """A backtest under way."""

    def __init__(
        self, market: Market, tape: Tape, terms: Terms, policy: Policy, limits: Limits
    ) -> None:
        self._market, self._tape, self._terms = market, tape, terms
        self._policy, self._limits = policy, limits
        self.world = World(market, tape, terms, limits)
        terms.gas.require_whole(self.world.block.timestamp, int(tape.times[-1]))
        self._carrier = Carrier(self.world, market.pool, terms.native, terms.gas)
        opening = self.world.snapshot()
        self.books = MemoryBooks(opening)
        self._began = opening.block.timestamp
        root = float(roots_of(to_limbs([opening.state.sqrt_price_x96], 3))[0])
        self._recorder = Recorder(market.pool, terms.quote, terms.deposit, root, self._began)
        record = self.books.bring_up_to(opening)
        inventory = measure(opening, record, limits.target_weight)
        self._recorder.sample(opening, inventory, self._result(opening, inventory.holdings))
        self._marks: list[NavMark] = []
        self._halted: str | None = None
        self.decisions = 0

    @property
    def is_over(self) -> bool:
        """Whether the market has ended."""
        return self.world.is_over

    @property
    def rows(self) -> int:
        """Rows replayed so far."""
        return self.world.rows

    def step(self) -> Decision | None:
        """On to the next decision, and what comes of it; None where the campaign is halted, or the
        market ended before."""
        now = self.world.block.timestamp
        elapsed = now - self._began
        due = self._began + (elapsed // self._terms.every_s + 1) * self._terms.every_s
        seen = self.look(min(due, int(self._tape.times[-1])), self._band())
        if self._halted is not None or self.world.is_over:
            return None
        decision = decide(NAME, seen, self._policy, self._limits)
        self.decisions += 1
        if isinstance(decision, Plan):
            self._carry_out(decision, seen)
        else:
            self._recorder.held_back(decision)
        return decision

    def look(self, until: int, within: TickRange = EVERYWHERE) -> View:
        """Let time pass, at most until the price leaves a range of ticks; what is seen then."""
        self._let_pass(until, within)
        snapshot = self.world.snapshot()
        record = self.books.bring_up_to(snapshot)
        inventory = measure(snapshot, record, self._limits.target_weight)
        result = self._result(snapshot, inventory.holdings)
        self._recorder.sample(snapshot, inventory, result)
        self._watch_losses(nav_mark(result, snapshot))
        return View(
            snapshot=snapshot,
            record=record,
            inventory=inventory,
            outlook=assess(snapshot),
            surroundings=self._terms.surroundings,
        )

    def run(self) -> Run:
        """What came of it."""
        snapshot = self.world.snapshot()
        record = self.books.bring_up_to(snapshot)
        result = self._result(snapshot, measure_holdings(snapshot, record))
        return Run(
            market=self._market.name,
            policy=type(self._policy).__name__,
            mode="exact",
            pool=self._market.pool,
            quote=self._terms.quote,
            start=self._began,
            end=snapshot.block.timestamp,
            rows=len(self._market.rows),
            pool_volume=quote_volume(self._market, self._terms.quote),
            decisions=self.decisions,
            curve=self._recorder.curve,
            held=self._recorder.held,
            moves=self._recorder.moves,
            holds=self._recorder.holds,
            result={name: Decimal(text) for name, text in result.in_quote().items()},
            drift=None,
            halted=self._halted,
            notes=tuple(_notes(self._market, self._terms)),
        )

    def _let_pass(self, until: int, within: TickRange) -> None:
        tick = self.world.pool.tick
        for stretch in self.world.pass_time(until, within):
            times = self._tape.times[stretch.first : stretch.behind]
            self._recorder.went(stretch, times, tick)
            tick = self.world.pool.tick

    def _result(self, snapshot: Snapshot, holdings: Holdings) -> Result:
        return result_of(self.books.flows(snapshot), holdings, snapshot)

    def _watch_losses(self, now: NavMark) -> None:
        """Halt where more was lost than a day may cost, as a live run does."""
        since = counts_from((mark.timestamp for mark in self._marks), now.timestamp)
        self._marks = [mark for mark in self._marks if mark.timestamp >= since]
        limit = self._limits.max_loss_per_day
        if self._halted is None:
            self._halted = loss_alarm(self._marks, now, self._terms.quote, limit)
        self._marks.append(now)

    def _carry_out(self, plan: Plan, seen: View) -> None:
        """After the latency, behind all that the market did until then."""
        wait = self._terms.latency_s
        if wait:
            self._let_pass(self.world.block.timestamp + wait, EVERYWHERE)
        outcome = self._carrier.carry_out(plan)
        self.books.book(outcome, seen.snapshot.block.timestamp)
        price = self._market.pool.price(self._terms.quote, self.world.pool.sqrt_price_x96)
        value = float(price.value(seen.inventory.holdings.total))
        self._recorder.moved(
            plan, outcome, self.world, seen.snapshot, value * 10.0**-self._terms.quote.decimals
        )

    def _band(self) -> TickRange:
        """The ticks that the price may reach without a decision before the next one is due."""
        trigger = self._terms.trigger_ticks
        if trigger is None:
            return EVERYWHERE
        tick = self.world.pool.tick
        return TickRange(
            max(tick - trigger + 1, EVERYWHERE.lower), min(tick + trigger, EVERYWHERE.upper)
        )


def _notes(market: Market, terms: Terms) -> Iterator[str]:
    """What was taken for granted."""
    yield from market.notes
    if isinstance(market.rows, Bars):
        yield (
            f"Bars tell no block numbers: one block in {float(terms.block_s):g} s is counted since "
            "1970, so they are not the chain's own."
        )
    yield _GAS_NOTE
    yield from terms.gas.notes
