"""What an account may sign that holds its tokens and positions itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lpmanager.abi import Function
from lpmanager.execution.allowed import (
    MOST_GAS,
    arguments_of,
    expect,
    expect_account,
    function_of,
    listed,
    plain,
    refuse,
)
from lpmanager.model import PoolKey
from lpmanager.venues.uniswap_v3 import UniswapV3

#: More than a pool can hold of a token: whoever allows more means "without limit".
_MOST_ALLOWANCE = 2**128 - 1

_APPROVE = Function("approve(address,uint256)")
_MINT = Function(
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
)
_DECREASE = Function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))")
_COLLECT = Function("collect((uint256,address,uint128,uint128))")
_BURN = Function("burn(uint256)")
_MULTICALL = Function("multicall(bytes[])")
_MULTICALL_BY = Function("multicall(uint256,bytes[])")
_SWAP = Function(
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))"
)
_SWAP_02 = Function("exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))")


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletAllowList:
    """What an account may sign for one pool of one chain: to open, reduce, collect and burn its
    positions there, to swap one token of the pool for the other with a price limit, and to allow
    just that. All proceeds go to the account itself.

    `max_fee` is the most it offers, in wei per gas.
    """

    chain_id: int
    account: str
    venue: UniswapV3
    pool: PoolKey
    max_fee: int
    max_gas: int = MOST_GAS

    def require_call(self, to: str, data: bytes) -> None:
        """As AllowList."""
        if to == self.venue.position_manager:
            _require_manager_call(data, self)
        elif to == self.venue.swap_router:
            _require_swap(data, self)
        elif to in (self.pool.token0.address, self.pool.token1.address):
            _require_allowance(data, self)
        else:
            refuse("contract", "the pool's tokens, the position manager or the swap router", to)


def _require_manager_call(data: bytes, allowed: WalletAllowList) -> None:
    function = function_of(data, (_MINT, _COLLECT, _MULTICALL), "the position manager")
    if function is _MINT:
        _require_mint(data, allowed)
        return
    steps = arguments_of(_MULTICALL, data)[0] if function is _MULTICALL else (data,)
    for step in steps:
        _require_step_out(step, allowed)


def _require_step_out(data: bytes, allowed: WalletAllowList) -> None:
    """One of the calls that take a position apart. Only a collect sends tokens anywhere."""
    function = function_of(data, (_DECREASE, _COLLECT, _BURN), "the position manager's multicall")
    arguments = arguments_of(function, data)
    if function is _COLLECT:
        ((_token_id, recipient, _most0, _most1),) = arguments
        _require_ours("collect", recipient, allowed)


def _require_mint(data: bytes, allowed: WalletAllowList) -> None:
    ((token0, token1, fee, *_range_and_amounts, recipient, _deadline),) = arguments_of(_MINT, data)
    pool = allowed.pool
    expected = (plain(pool.token0.address), plain(pool.token1.address), pool.fee_pips)
    found = (plain(token0), plain(token1), fee)
    expect("pool of the mint", expected, found, found == expected)
    _require_ours("mint", recipient, allowed)


def _require_swap(data: bytes, allowed: WalletAllowList) -> None:
    if allowed.venue.swap_router_has_deadline:
        _require_swap_step(data, _SWAP, allowed)
        return
    function_of(data, (_MULTICALL_BY,), "the swap router")
    _deadline, calls = arguments_of(_MULTICALL_BY, data)
    for call in calls:
        _require_swap_step(call, _SWAP_02, allowed)


def _require_swap_step(data: bytes, swap: Function, allowed: WalletAllowList) -> None:
    function_of(data, (swap,), "the swap router")
    ((token_in, token_out, fee, recipient, *_amounts, price_limit),) = arguments_of(swap, data)
    pool = allowed.pool
    expected = {plain(pool.token0.address), plain(pool.token1.address)}
    found = {plain(token_in), plain(token_out)}
    expect("tokens of the swap", listed(expected), listed(found), found == expected)
    expect("fee of the swap", pool.fee_pips, fee, fee == pool.fee_pips)
    expect("price limit of the swap", "one", "none", price_limit != 0)
    _require_ours("swap", recipient, allowed)


def _require_allowance(data: bytes, allowed: WalletAllowList) -> None:
    function_of(data, (_APPROVE,), "a token")
    spender, raw = arguments_of(_APPROVE, data)
    spenders = {plain(allowed.venue.position_manager), plain(allowed.venue.swap_router)}
    expect("spender", " or ".join(sorted(spenders)), spender, plain(spender) in spenders)
    expect("allowance", f"at most {_MOST_ALLOWANCE}", raw, raw <= _MOST_ALLOWANCE)


def _require_ours(what: str, recipient: str, allowed: WalletAllowList) -> None:
    expect_account(f"recipient of the {what}", allowed.account, recipient)
