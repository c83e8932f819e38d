"""What a mined transaction did, from its logs: to the wei, and checked against the pool's maths."""

from __future__ import annotations

from lpmanager.abi import Event
from lpmanager.amm import amounts_for_liquidity_down, amounts_for_liquidity_up
from lpmanager.chain.history import (
    PRICE_TOPICS,
    price_by_logs,
    price_set_by,
    read_swap,
    require_price,
)
from lpmanager.chain.node import Log, Node, Receipt, logs_question
from lpmanager.chain.transfers import read_transfer
from lpmanager.errors import ChainError, RpcUnavailable
from lpmanager.model import (
    Action,
    Amounts,
    Collect,
    Collected,
    Fact,
    Liquidity,
    Mint,
    Minted,
    PoolKey,
    SqrtPriceX96,
    Swap,
    Swapped,
    TickRange,
    Withdraw,
    Withdrawn,
)
from lpmanager.venues import erc20, uniswap_v3


def read_fact(
    node: Node, pool: PoolKey, position_manager: str, account: str, action: Action, receipt: Receipt
) -> Fact:
    """What the transaction of an action moved. Raises ChainError where its logs do not say.

    Only contracts that an event is of are believed: a token may write what it likes, too.
    """
    match action:
        case Mint():
            return _minted(node, pool, position_manager, action.range, receipt)
        case Swap():
            log = _only_log(receipt, pool.address, uniswap_v3.SWAP_EVENT)
            event = read_swap(log)
            return Swapped(
                purpose=action.purpose,
                delta=pool.amounts(-event.amount0, -event.amount1),
                sqrt_price_before_x96=price_before(node, pool, log),
            )
        case Withdraw():
            principal = pool.amounts(0, 0)
            if action.liquidity:
                principal = _principal(pool, position_manager, receipt)
            fees = _received(pool, account, receipt) - principal
            return Withdrawn(token_id=action.token_id, principal=principal, fees=fees)
        case Collect():
            return Collected(token_id=action.token_id, fees=_received(pool, account, receipt))


def price_before(node: Node, pool: PoolKey, log: Log) -> SqrtPriceX96:
    """The pool's price just before a log: after the last one before it in its block that set it, or
    at the end of the parent block."""
    height = log.block_number
    of_block = node.ask(logs_question([PRICE_TOPICS], height, height, pool.address))
    earlier = [entry for entry in of_block if entry.log_index < log.log_index]
    if earlier:
        return price_set_by(earlier[-1])
    parent = node.block(height - 1)
    try:
        price = node.call(uniswap_v3.slot0(pool.address), parent).sqrt_price_x96
    except RpcUnavailable:
        raise
    except ChainError:  # it has forgotten what the block left
        return price_by_logs(node, pool.address, parent.number)
    require_price(price, f"pool {pool.address} at block {parent.number}")
    return price


def minted_before(
    node: Node,
    pool: PoolKey,
    log: Log,
    *,
    token_id: int,
    tick_range: TickRange,
    liquidity: Liquidity,
    paid: Amounts,
) -> Minted:
    """The mint that a log tells of, at the pool's price just before it. Raises ChainError where
    what was paid is not what the pool asks for at that price."""
    price = price_before(node, pool, log)
    if amounts_for_liquidity_up(price, tick_range, liquidity) != paid.raw:
        raise ChainError(
            f"transaction {log.tx_hash}: minting {liquidity} in {tick_range} at sqrtPriceX96 "
            f"{price} took {paid.amount0} and {paid.amount1}, which is not what the pool asks for"
        )
    return Minted(
        token_id=token_id,
        range=tick_range,
        liquidity=liquidity,
        paid=paid,
        principal=pool.amounts(*amounts_for_liquidity_down(price, tick_range, liquidity)),
        sqrt_price_x96=price,
    )


def _minted(
    node: Node, pool: PoolKey, position_manager: str, tick_range: TickRange, receipt: Receipt
) -> Minted:
    log = _only_log(receipt, position_manager, uniswap_v3.INCREASE_EVENT)
    liquidity, paid0, paid1 = uniswap_v3.INCREASE_EVENT.decode(log.data)
    return minted_before(
        node,
        pool,
        log,
        token_id=int(log.topics[1], 16),
        tick_range=tick_range,
        liquidity=Liquidity(liquidity),
        paid=pool.amounts(paid0, paid1),
    )


def _principal(pool: PoolKey, position_manager: str, receipt: Receipt) -> Amounts:
    log = _only_log(receipt, position_manager, uniswap_v3.DECREASE_EVENT)
    _, raw0, raw1 = uniswap_v3.DECREASE_EVENT.decode(log.data)
    return pool.amounts(raw0, raw1)


def _received(pool: PoolKey, account: str, receipt: Receipt) -> Amounts:
    """What the pool paid to the account, by the tokens' own Transfer events.

    Warning: the position manager's Collect event names what was asked for, which can be a unit
    more than the pool pays.
    """
    totals = {pool.token0.address: 0, pool.token1.address: 0}
    for log in receipt.logs:
        if log.is_of(erc20.TRANSFER) and log.address in totals:
            transfer = read_transfer(log)
            if transfer.sender == pool.address and transfer.recipient == account:
                totals[log.address] += transfer.raw
    return pool.amounts(totals[pool.token0.address], totals[pool.token1.address])


def _only_log(receipt: Receipt, address: str, event: Event) -> Log:
    logs = [e for e in receipt.logs if e.address == address and e.is_of(event)]
    if len(logs) != 1:
        raise ChainError(
            f"transaction {receipt.tx_hash}: expected one {event.signature.partition('(')[0]} of "
            f"{address}, found {len(logs)}"
        )
    return logs[0]
