"""A deployed pool and our Pool, told the same things; every number is compared after every one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field

from amm_contracts import SPACINGS, ContractPool, Contracts, Look, PositionKey
from pool_comparison import different, everything, word_names, words
from pool_operations import Flash, Operation, Said, Step, Swap, Wait
from pool_outcomes import Mismatch, Outcome, outcome, require_likenesses_to_agree, swapped

from lpmanager.amm import Pool
from lpmanager.amm.fast import swap_many

#: The most swaps that the compiled engine is given at once.
_BATCH = 40


@dataclass
class Twins:
    """Both pools, without a price at first, and everything that was done with them.

    Payment is no part of it: the owners pay whatever the contract asks for, so that it never
    reverts for want of tokens (M0, M1, IIA, F0, F1); ours has no tokens and cannot. Of all twins
    that share `contracts`, only the newest may be used.
    """

    contracts: Contracts
    fee_pips: int
    timestamp: int
    ours: Pool = field(init=False)
    theirs: ContractPool = field(init=False)
    history: list[Step] = field(init=False, default_factory=list)
    #: every tick and position that a call ever named, whether it is there or not
    ticks: set[int] = field(init=False, default_factory=set)
    positions: set[PositionKey] = field(init=False, default_factory=set)
    #: what the deployed pool should hold of both tokens, by what ours said
    balances: tuple[int, int] = field(init=False, default=(0, 0))
    #: swaps since `_before` and what came of each, to be repeated on it by the compiled engine
    _batch: list[tuple[Swap, Said]] = field(init=False, default_factory=list)
    _before: Pool = field(init=False)

    def __post_init__(self) -> None:
        self.ours = Pool(self.fee_pips, self.spacing, timestamp=self.timestamp)
        self.theirs = self.contracts.fresh_pool(self.fee_pips, self.timestamp)

    @property
    def spacing(self) -> int:
        """The ticks between usable ticks."""
        return SPACINGS[self.fee_pips]

    def do(self, step: Step) -> Outcome:
        """Take a step on both pools and compare them whole. Raises Mismatch."""
        return self._do(step, whole=True)

    def do_quickly(self, step: Step) -> Outcome:
        """As `do`, but of ticks and positions compare only those that the step may change."""
        return self._do(step, whole=False)

    def require_equal(self) -> None:
        """Compare both pools whole, and what the compiled engine makes of the swaps since the last
        operation of another kind. Raises Mismatch."""
        self._swap_at_once()
        look = everything(self.ours, self.ticks, self.positions)
        self._require_found(look, self.theirs.look(look))

    def _do(self, step: Step, *, whole: bool) -> Outcome:
        self.history.append(step)
        if not isinstance(step, Swap) or len(self._batch) == _BATCH:
            self._swap_at_once()
        if isinstance(step, Wait):
            self.ours.set_time(self.ours.timestamp + step.seconds)
            self.theirs.set_time(self.ours.timestamp)
            return Outcome((), None)
        self._require_lendable(step)
        self.ticks.update(step.edges)
        self.positions.update(step.positions)
        tick_before = self.ours.tick
        if isinstance(step, Swap):
            ours = self._swap(step, whole)
        else:
            ours = outcome(lambda: step.do(self.ours))
        if whole:
            look = everything(self.ours, self.ticks, self.positions)
        else:
            look = self._touched(step, tick_before)
        theirs, found = self._on_contract(step, look)
        if ours != theirs:
            raise Mismatch(f"{step}: ours gave {ours}, the contract {theirs}")
        if ours.reverts is None:
            moved = step.moved(ours.said)
            self.balances = self.balances[0] + moved[0], self.balances[1] + moved[1]
        self._require_found(look, found)
        return ours

    def _swap(self, swap: Swap, whole: bool) -> Outcome:
        before = self.ours.copy()
        done = swapped(self.ours, swap)
        if whole:
            require_likenesses_to_agree(before, swap, done)
        if done.reverts is None:
            if not self._batch:
                self._before = before
            self._batch.append((swap, done.said[:5]))
        return Outcome(done.said[:2], done.reverts)

    def _swap_at_once(self) -> None:
        """Let the compiled engine repeat the swaps since the last call, and compare the pools."""
        if not self._batch:
            return
        swaps, said = zip(*self._batch, strict=True)
        columns = zip(*map(astuple, swaps), strict=True)
        done = swap_many(self._before, *map(list, columns))
        names = "amount0", "amount1", "sqrt_price_x96", "liquidity", "tick"
        rows = tuple(zip(*(getattr(done, name) for name in names), strict=True))
        if rows != said:
            raise Mismatch(f"the compiled engine's swaps: {rows}, one by one {said}")
        differences = different(self._before, self.ours)
        if differences:
            raise Mismatch(f"the compiled engine after {len(swaps)} swaps: {differences}")
        self._batch = []

    def _on_contract(self, step: Operation, look: Look) -> tuple[Outcome, Sequence[int]]:
        caller = int(self.contracts.owners[step.caller], 16)
        answer = self.theirs.call(step.order(caller), look, step.caller)
        if answer.reverts is not None:
            return Outcome((), answer.reverts), answer.found
        return Outcome(step.answered(answer.words), None), answer.found

    def _require_lendable(self, step: Operation) -> None:
        """Ours has no tokens and so cannot refuse a loan (TF) as the contract can."""
        held0, held1 = self.balances
        if isinstance(step, Flash) and (step.amount0 > held0 or step.amount1 > held1):
            raise ValueError(f"{step} is more than the pool's {self.balances}: ask for less")

    def _touched(self, step: Operation, tick_before: int) -> Look:
        ticks = set(step.edges)
        if isinstance(step, Swap):
            low, high = sorted((tick_before, self.ours.tick))
            ticks.update(tick for tick in self.ours.ticks if low <= tick <= high)
        return Look(sorted(ticks), step.positions, [self.ours.observation_index])

    def _require_found(self, look: Look, found: Sequence[int]) -> None:
        ours = words(self.ours, self.balances, look)
        if ours == found:
            return
        raise Mismatch(
            f"after {self.history[-1]}: "
            + "; ".join(
                f"{name}: ours {mine}, the contract's {its}"
                for name, mine, its in zip(word_names(look), ours, found, strict=True)
                if mine != its
            )
        )
