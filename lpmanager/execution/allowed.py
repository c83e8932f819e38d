"""What may be signed at all: an allow-list of contracts, functions and recipients. Pure.

The functions are written out here once more rather than shared with the code that makes calldata:
a change there must not widen what is signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from eth_utils.abi import function_signature_to_4byte_selector

from lpmanager.abi import Function, decode_values
from lpmanager.errors import ChainError, SigningRefused
from lpmanager.model import PoolKey
from lpmanager.venues.uniswap_v3 import UniswapV3

#: More than any call here takes, the data fees that some rollups count as gas included.
MOST_GAS = 10_000_000

#: More than a pool can hold of a token: whoever allows more means "without limit".
_MOST_ALLOWANCE = 2**128 - 1

_DYNAMIC_FEE = 2
_NUMBERS = ("type", "chainId", "nonce", "value", "gas", "maxFeePerGas", "maxPriorityFeePerGas")
_FIELDS = frozenset({*_NUMBERS, "to", "data"})

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
class AllowList:
    """What an account may sign for one pool of one chain: to open, reduce, collect and burn its
    positions there, to swap one token of the pool for the other with a price limit, to allow just
    that, and to cancel. All proceeds go to the account itself.

    `max_fee` is the most it offers, in wei per gas.
    """

    chain_id: int
    account: str
    venue: UniswapV3
    pool: PoolKey
    max_fee: int
    max_gas: int = MOST_GAS


def require_allowed(transaction: Mapping[str, Any], allowed: AllowList) -> None:
    """Raise SigningRefused, saying why, unless a transaction is on the list in every field."""
    _require_known_fields(transaction)
    _require_bounds(transaction, allowed)
    to, data = transaction["to"], transaction["data"]
    venue, pool = allowed.venue, allowed.pool
    if to == allowed.account:
        _expect("data of a cancellation", "none", "0x" + data.hex(), data == b"")
    elif to == venue.position_manager:
        _require_manager_call(data, allowed)
    elif to == venue.swap_router:
        _require_swap(data, allowed)
    elif to in (pool.token0.address, pool.token1.address):
        _require_allowance(data, allowed)
    else:
        _refuse("contract", "the pool's tokens, the position manager or the swap router", to)


def _require_known_fields(transaction: Mapping[str, Any]) -> None:
    names = frozenset(transaction)
    _expect("fields", _listed(_FIELDS), _listed(names), names == _FIELDS)
    for name in _NUMBERS:
        value = transaction[name]
        _expect(name, "a whole number", repr(value), type(value) is int and value >= 0)
    _expect("data", "bytes", repr(transaction["data"]), isinstance(transaction["data"], bytes))


def _require_bounds(transaction: Mapping[str, Any], allowed: AllowList) -> None:
    for name, expected in (
        ("type", _DYNAMIC_FEE),
        ("chainId", allowed.chain_id),
        ("value", 0),
    ):
        _expect(name, expected, transaction[name], transaction[name] == expected)
    for name, most in (
        ("gas", allowed.max_gas),
        ("maxFeePerGas", allowed.max_fee),
        ("maxPriorityFeePerGas", transaction["maxFeePerGas"]),
    ):
        _expect(name, f"at most {most}", transaction[name], transaction[name] <= most)


def _require_manager_call(data: bytes, allowed: AllowList) -> None:
    function = _function(data, (_MINT, _COLLECT, _MULTICALL), "the position manager")
    if function is _MINT:
        _require_mint(data, allowed)
        return
    steps = _arguments(_MULTICALL, data)[0] if function is _MULTICALL else (data,)
    for step in steps:
        _require_step_out(step, allowed)


def _require_step_out(data: bytes, allowed: AllowList) -> None:
    """One of the calls that take a position apart. Only a collect sends tokens anywhere."""
    function = _function(data, (_DECREASE, _COLLECT, _BURN), "the position manager's multicall")
    arguments = _arguments(function, data)
    if function is _COLLECT:
        ((_token_id, recipient, _most0, _most1),) = arguments
        _require_ours("collect", recipient, allowed)


def _require_mint(data: bytes, allowed: AllowList) -> None:
    ((token0, token1, fee, *_range_and_amounts, recipient, _deadline),) = _arguments(_MINT, data)
    pool = allowed.pool
    expected = (_plain(pool.token0.address), _plain(pool.token1.address), pool.fee_pips)
    found = (_plain(token0), _plain(token1), fee)
    _expect("pool of the mint", expected, found, found == expected)
    _require_ours("mint", recipient, allowed)


def _require_swap(data: bytes, allowed: AllowList) -> None:
    if allowed.venue.swap_router_has_deadline:
        _require_swap_step(data, _SWAP, allowed)
        return
    _function(data, (_MULTICALL_BY,), "the swap router")
    _deadline, calls = _arguments(_MULTICALL_BY, data)
    for call in calls:
        _require_swap_step(call, _SWAP_02, allowed)


def _require_swap_step(data: bytes, swap: Function, allowed: AllowList) -> None:
    _function(data, (swap,), "the swap router")
    ((token_in, token_out, fee, recipient, *_amounts, price_limit),) = _arguments(swap, data)
    pool = allowed.pool
    expected = {_plain(pool.token0.address), _plain(pool.token1.address)}
    found = {_plain(token_in), _plain(token_out)}
    _expect("tokens of the swap", _listed(expected), _listed(found), found == expected)
    _expect("fee of the swap", pool.fee_pips, fee, fee == pool.fee_pips)
    _expect("price limit of the swap", "one", "none", price_limit != 0)
    _require_ours("swap", recipient, allowed)


def _require_allowance(data: bytes, allowed: AllowList) -> None:
    _function(data, (_APPROVE,), "a token")
    spender, raw = _arguments(_APPROVE, data)
    spenders = {_plain(allowed.venue.position_manager), _plain(allowed.venue.swap_router)}
    _expect("spender", " or ".join(sorted(spenders)), spender, _plain(spender) in spenders)
    _expect("allowance", f"at most {_MOST_ALLOWANCE}", raw, raw <= _MOST_ALLOWANCE)


def _require_ours(what: str, recipient: str, allowed: AllowList) -> None:
    ours = _plain(recipient) == _plain(allowed.account)
    _expect(f"recipient of the {what}", allowed.account, recipient, ours)


def _function(data: bytes, listed: tuple[Function, ...], contract: str) -> Function:
    """The listed function that calldata names."""
    for function in listed:
        if data[:4] == function_signature_to_4byte_selector(function.signature):
            return function
    names = ", ".join(function.signature.partition("(")[0] for function in listed)
    _refuse(f"function of {contract}", names, "0x" + data[:4].hex())


def _arguments(function: Function, data: bytes) -> tuple[Any, ...]:
    """The arguments in calldata; refused where it holds anything else besides."""
    types = function.signature[function.signature.index("(") :]
    try:
        values = decode_values(types, data[4:], function.signature)
    except ChainError as error:
        raise SigningRefused(f"refused to sign: {error}") from error
    plain = function.encode(*values) == data
    _expect(f"calldata of {function.signature}", "its arguments alone", "more", plain)
    return values


def _plain(address: str) -> str:
    return address.lower()


def _listed(names: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(names))


def _expect(what: str, expected: object, found: object, holds: bool) -> None:
    if not holds:
        _refuse(what, expected, found)


def _refuse(what: str, expected: object, found: object) -> NoReturn:
    raise SigningRefused(
        f"refused to sign: {what}: expected {expected}, found {found}; nothing was signed, and "
        "this is a fault of the program or of what it was fed: look before you resume"
    )
