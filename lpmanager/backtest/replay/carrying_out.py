"""A plan carried out on a pool in memory, as wallet custody does it on a chain."""

from __future__ import annotations

from lpmanager.amm import amounts_for_liquidity_down, liquidity_for_amounts_down
from lpmanager.backtest.markets.gas_prices import GasPrices
from lpmanager.backtest.replay.world import World, owner_of
from lpmanager.errors import LpmError, TransactionFailed
from lpmanager.execution.calldata import limited_to
from lpmanager.execution.plan_terms import overtaken, overtaken_mint, wallet_change
from lpmanager.model import (
    Action,
    Amount,
    Amounts,
    Collect,
    Collected,
    Fact,
    Mint,
    Minted,
    Outcome,
    Plan,
    PoolKey,
    Step,
    Stop,
    StopKind,
    Swap,
    Swapped,
    Token,
    Withdraw,
    Withdrawn,
)
from lpmanager.rebalancer.economics import WALLET_GAS

_EVERYTHING = 2**128 - 1


class Carrier:
    """Carries plans out in a world.

    Gas is what `lpmanager.rebalancer.economics` sets aside for each action, which is more than the
    contracts use, at the price of the block it is in.
    """

    def __init__(self, world: World, key: PoolKey, native: Token, gas: GasPrices) -> None:
        self._world = world
        self._key = key
        self._native = native
        self._gas = gas
        self._minted = 0

    def carry_out(self, plan: Plan) -> Outcome:
        """Do the plan's actions in order, up to one that the chain would refuse by now."""
        steps: list[Step] = []
        stop = None
        for planned in plan.actions:
            action, price = limited_to(planned, self._world.wallet), self._world.pool.sqrt_price_x96
            refusal = overtaken(plan, self._world.block, price) or overtaken_mint(action, price)
            if refusal is not None:
                stop = Stop(kind=StopKind.OVERTAKEN, reason=refusal)
                break
            try:
                fact = self._do(action)
            except LpmError as error:
                stop = Stop(kind=StopKind.ERROR, reason=str(error))
                break
            self._world.wallet += wallet_change(fact)
            steps.append(self._step(action, fact))
        return Outcome(steps=tuple(steps), stop=stop)

    def _step(self, action: Action, fact: Fact) -> Step:
        price = self._gas.at(self._world.block.timestamp)
        return Step(
            what=action.kind,
            tx_hash="",
            block=self._world.block,
            gas_paid=Amount(self._native, WALLET_GAS.of_up([action.kind]) * price),
            facts=(fact,),
        )

    def _do(self, action: Action) -> Fact:
        """Raises TransactionFailed where a swap or withdrawal would bring less than its minimum."""
        match action:
            case Mint():
                return self._mint(action)
            case Swap():
                return self._swap(action)
            case Withdraw():
                return self._withdraw(action)
            case Collect():
                paid = self._paid_out(action.token_id, 0)
                return Collected(token_id=action.token_id, fees=paid)

    def _mint(self, action: Mint) -> Minted:
        price = self._world.pool.sqrt_price_x96
        liquidity = liquidity_for_amounts_down(price, action.range, *action.desired.raw)
        self._minted += 1
        token_id, edges = self._minted, (action.range.lower, action.range.upper)
        paid = self._world.pool.mint(owner_of(token_id), *edges, liquidity)
        self._world.positions[token_id] = action.range
        return Minted(
            token_id=token_id,
            range=action.range,
            liquidity=liquidity,
            paid=self._key.amounts(*paid),
            principal=self._key.amounts(
                *amounts_for_liquidity_down(price, action.range, liquidity)
            ),
            sqrt_price_x96=price,
        )

    def _swap(self, action: Swap) -> Swapped:
        pool = self._world.pool
        before, zero_for_one = pool.sqrt_price_x96, action.amount_in.token == self._key.token0
        trial = pool.quote(zero_for_one, action.amount_in.raw, action.sqrt_price_limit_x96)
        out = -(trial.amount1 if zero_for_one else trial.amount0)
        if out < action.minimum_out.raw:
            raise TransactionFailed(
                f"swap: {Amount(action.minimum_out.token, out)} would come out, at least "
                f"{action.minimum_out} has to"
            )
        done = pool.swap(zero_for_one, action.amount_in.raw, action.sqrt_price_limit_x96)
        return Swapped(
            purpose=action.purpose,
            delta=self._key.amounts(-done.amount0, -done.amount1),
            sqrt_price_before_x96=before,
        )

    def _withdraw(self, action: Withdraw) -> Withdrawn:
        pool, span = self._world.pool, self._world.positions[action.token_id]
        principal = self._key.amounts(
            *amounts_for_liquidity_down(pool.sqrt_price_x96, span, action.liquidity)
        )
        if principal.amount0 < action.minimum.amount0 or principal.amount1 < action.minimum.amount1:
            raise TransactionFailed(
                f"withdrawal: {principal} would move, at least {action.minimum} has to"
            )
        paid = self._paid_out(action.token_id, action.liquidity)
        del self._world.positions[action.token_id]
        return Withdrawn(token_id=action.token_id, principal=principal, fees=paid - principal)

    def _paid_out(self, token_id: int, liquidity: int) -> Amounts:
        """All that a position pays where so much of its liquidity is burned."""
        span, pool = self._world.positions[token_id], self._world.pool
        position = owner_of(token_id), span.lower, span.upper
        pool.burn(*position, liquidity)
        return self._key.amounts(*pool.collect(*position, _EVERYTHING, _EVERYTHING))
