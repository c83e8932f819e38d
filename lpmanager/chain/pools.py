"""Finding a pool and making sure it is one, before any money is pointed at it."""

from __future__ import annotations

from typing import Any

from lpmanager.abi import ContractCall
from lpmanager.chain.node import Node, call_question, code_question
from lpmanager.errors import CallReverted, ChainError, ConfigError
from lpmanager.model import Block, PoolKey, Token
from lpmanager.venues import erc20, uniswap_v3
from lpmanager.venues.uniswap_v3 import UniswapV3

#: The factory's own bound (enableFeeAmount).
_SPACINGS_END = 16_384

ZERO_ADDRESS = "0x" + "0" * 40


def find_pool(node: Node, venue: UniswapV3, tokens: tuple[str, str], fee_pips: int) -> str:
    """The address of the pool of two tokens in the factory's order; ConfigError where none is."""
    at = node.head()
    pool = node.call(venue.find_pool(*tokens, fee_pips), at)
    if pool == ZERO_ADDRESS:
        raise ConfigError(
            f"no pool of {tokens[0]} and {tokens[1]} at a fee of {fee_pips} pips in factory "
            f"{venue.factory}; check the tokens and the fee"
        )
    return pool


def read_pool(node: Node, venue: UniswapV3, address: str) -> PoolKey:
    """What never changes of a pool, checked against the venue's factory.

    Raises ConfigError where there is no contract, or one that the factory did not make, and
    ChainError where the node tells what no factory allows.
    """
    at = node.head()
    if not node.ask(code_question(address, at)):
        raise ConfigError(
            f"pool {address}: there is no contract at this address on chain {node.chain_id}; "
            "check `pool` and `chain`"
        )
    asked: list[ContractCall[Any]] = [
        *uniswap_v3.pool_tokens(address),
        *uniswap_v3.pool_fee_and_spacing(address),
    ]
    try:
        token0, token1, fee_pips, spacing = node.call_many(asked, at)
    except CallReverted as error:
        raise ConfigError(
            f"pool {address}: the contract there is not a Uniswap v3 pool; check `pool`"
        ) from error
    made = node.call(venue.find_pool(token0, token1, fee_pips), at)
    if made != address:
        raise ConfigError(
            f"pool {address}: the factory {venue.factory} knows {made} for this pair and fee; "
            "this pool is another venue's, or a trap"
        )
    if not 0 < spacing < _SPACINGS_END:
        raise ChainError(
            f"pool {address}: expected a tick spacing from 1 to {_SPACINGS_END - 1}, found "
            f"{spacing}; use another RPC"
        )
    return PoolKey(
        address=address,
        token0=read_token(node, token0, at),
        token1=read_token(node, token1, at),
        fee_pips=fee_pips,
        tick_spacing=spacing,
    )


def read_token(node: Node, address: str, at: Block) -> Token:
    """A token's symbol and decimals, from its contract."""
    symbol, decimals = node.ask_many(
        [call_question(erc20.symbol(address), at), call_question(erc20.decimals(address), at)]
    )
    return Token(chain_id=node.chain_id, address=address, symbol=symbol, decimals=decimals)
