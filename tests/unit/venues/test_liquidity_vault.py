"""The vault as Python knows it, held against the ABI of the committed artifact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import ACCOUNT, USDC, WETH, a_range, amounts
from eth_abi.abi import decode, encode
from eth_utils.abi import function_signature_to_4byte_selector
from hypothesis import given
from hypothesis import strategies as st

from lpmanager.abi import Event, Function
from lpmanager.model import (
    MAX_TICK,
    MIN_TICK,
    Amount,
    Mint,
    SqrtPriceX96,
    Swap,
    SwapPurpose,
    TickRange,
    VaultBounds,
)
from lpmanager.venues import liquidity_vault
from lpmanager.venues.liquidity_vault import Rebalance

ARTIFACTS = Path(liquidity_vault.__file__).resolve().parents[2] / "contracts" / "artifacts"
VAULT = "0x00000000000000000000000000000000000000D1"
OTHER_VAULT = "0x00000000000000000000000000000000000000D2"
#: Asked or called by nobody but the pool, by forge's tests, or not at all.
NOT_NEEDED = {
    "uniswapV3MintCallback(uint256,uint256,bytes)",
    "uniswapV3SwapCallback(int256,int256,bytes)",
    "token0()",
    "token1()",
    "tickSpacing()",
    "MIN_TWAP_WINDOW()",
    "MIN_COOLDOWN()",
    "MAX_DEVIATION()",
    "MAX_LOSS_PER_DAY()",
    "MAX_RANGES()",
}
BOUNDS = VaultBounds(
    twap_window_s=60,
    max_deviation_ticks=61,
    min_width_ticks=62,
    max_move_ticks=63,
    cooldown_s=64,
    max_loss_per_call_pips=65,
    max_loss_per_day_pips=66,
)
SWAP = Swap(
    purpose=SwapPurpose.RERANGE,
    amount_in=Amount(USDC, 10),
    expected_out=Amount(WETH, 9),
    minimum_out=Amount(WETH, 8),
    sqrt_price_limit_x96=SqrtPriceX96(2**95),
)
MINT = Mint(range=a_range("[-60, 120)"), desired=amounts(7, 8), minimum=amounts(5, 6))


def the_abi(kind: str) -> list[dict[str, Any]]:
    abi = json.loads((ARTIFACTS / "LiquidityVault.json").read_text())["abi"]
    return [entry for entry in abi if entry["type"] == kind]


def type_of(parameter: dict[str, Any]) -> str:
    if not parameter["type"].startswith("tuple"):
        return str(parameter["type"])
    return types_of(parameter["components"]) + parameter["type"].removeprefix("tuple")


def types_of(parameters: list[dict[str, Any]]) -> str:
    return "(" + ",".join(type_of(parameter) for parameter in parameters) + ")"


def signature(entry: dict[str, Any]) -> str:
    return entry["name"] + types_of(entry["inputs"])


def ours(kind: type) -> list[Any]:
    return [value for value in vars(liquidity_vault).values() if isinstance(value, kind)]


def test_every_function_we_know_is_the_contracts_and_returns_what_we_read() -> None:
    theirs = {signature(e): e for e in the_abi("function")}
    for function in ours(Function):
        assert function.signature in theirs
        if theirs[function.signature]["stateMutability"] == "view":
            assert function.returns == types_of(theirs[function.signature]["outputs"])


def test_no_function_of_the_contract_is_forgotten() -> None:
    known = {function.signature for function in ours(Function)}
    assert {signature(e) for e in the_abi("function")} - known == NOT_NEEDED


def test_every_event_is_the_contracts_with_its_indexed_values_left_out() -> None:
    theirs = {
        signature(e): types_of([i for i in e["inputs"] if not i["indexed"]])
        for e in the_abi("event")
    }
    assert {event.signature: event.data for event in ours(Event)} == theirs


def test_every_error_is_the_contracts() -> None:
    theirs = {signature(e) for e in the_abi("error")}
    assert {error.signature for error in liquidity_vault.ERRORS} == theirs


def test_the_constructor_takes_what_we_say_it_takes() -> None:
    (constructor,) = the_abi("constructor")
    assert types_of(constructor["inputs"]) == f"({','.join(liquidity_vault.CONSTRUCTOR)})"


def test_bounds_stand_in_the_contracts_order() -> None:
    (entry,) = [e for e in the_abi("function") if e["name"] == "setBounds"]
    names = [field["name"] for field in entry["inputs"][0]["components"]]
    assert names == [
        "twapWindow",
        "maxDeviation",
        "minWidth",
        "maxMove",
        "cooldown",
        "maxLossPerCall",
        "maxLossPerDay",
    ]
    told = decode(["(uint32,uint24,uint24,uint24,uint32,uint24,uint24)"], arguments_of_bounds())
    assert told == ((60, 61, 62, 63, 64, 65, 66),)


def arguments_of_bounds() -> bytes:
    return liquidity_vault.set_bounds(BOUNDS)[4:]


def fields_of_order() -> dict[str, list[str]]:
    (entry,) = [e for e in the_abi("function") if e["name"] == "rebalance"]
    order = entry["inputs"][1]["components"]
    inner = {c["name"]: [f["name"] for f in c["components"]] for c in order if "components" in c}
    return {"order": [c["name"] for c in order], **inner}


def test_an_order_stands_in_the_contracts_order() -> None:
    assert fields_of_order() == {
        "order": ["keep", "burn0Min", "burn1Min", "swap", "mints"],
        "swap": ["zeroForOne", "amountIn", "sqrtPriceLimitX96", "minOut"],
        "mints": [
            "tickLower",
            "tickUpper",
            "amount0Desired",
            "amount1Desired",
            "amount0Min",
            "amount1Min",
        ],
    }


def decoded(data: bytes) -> tuple[Any, ...]:
    shape = "(uint256,uint256,uint256,(bool,uint128,uint160,uint256)," + (
        "(int24,int24,uint256,uint256,uint256,uint256)[])"
    )
    assert data[:4] == function_signature_to_4byte_selector(f"rebalance(uint256,{shape},uint256)")
    return decode(["uint256", shape, "uint256"], data[4:])


def test_a_rebalance_says_what_stays_the_minimums_the_swap_and_the_mints() -> None:
    order = Rebalance(keep=0b10, burn_minimum=amounts(3, 4), swap=SWAP, mints=(MINT, MINT))
    mint = (-60, 120, 7, 8, 5, 6)
    assert decoded(liquidity_vault.rebalance(5, order, 99)) == (
        5,
        (0b10, 3, 4, (True, 10, 2**95, 8), (mint, mint)),
        99,
    )


def test_a_swap_of_token1_goes_the_other_way() -> None:
    back = Swap(
        purpose=SwapPurpose.HEDGE,
        amount_in=Amount(WETH, 10),
        expected_out=Amount(USDC, 9),
        minimum_out=Amount(USDC, 8),
        sqrt_price_limit_x96=SqrtPriceX96(2**97),
    )
    order = Rebalance(keep=0, burn_minimum=amounts(0, 0), swap=back, mints=())
    (_, (_, _, _, swap, _), _) = decoded(liquidity_vault.rebalance(5, order, 99))
    assert swap == (False, 10, 2**97, 8)


def test_without_a_swap_there_is_nothing_to_sell() -> None:
    order = Rebalance(keep=0, burn_minimum=amounts(0, 0), swap=None, mints=())
    (_, (_, _, _, (_, amount_in, _, _), _), _) = decoded(liquidity_vault.rebalance(5, order, 99))
    assert amount_in == 0


@pytest.mark.parametrize(
    ("data", "call", "arguments"),
    [
        (liquidity_vault.collect_fees(), "collectFees()", ()),
        (
            liquidity_vault.withdraw(USDC.address, 7, ACCOUNT),
            "withdraw(address,uint256,address)",
            (USDC.address, 7, ACCOUNT.lower()),
        ),
        (
            liquidity_vault.exit_all(ACCOUNT, want1=False),
            "exit(address,bool,bool)",
            (ACCOUNT.lower(), True, False),
        ),
        (liquidity_vault.propose_owner(ACCOUNT), "proposeOwner(address)", (ACCOUNT.lower(),)),
        (liquidity_vault.accept_owner(), "acceptOwner()", ()),
        (liquidity_vault.set_operator(ACCOUNT), "setOperator(address)", (ACCOUNT.lower(),)),
        (liquidity_vault.set_guardian(ACCOUNT), "setGuardian(address)", (ACCOUNT.lower(),)),
        (liquidity_vault.pause(), "pause()", ()),
        (liquidity_vault.unpause(), "unpause()", ()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_other_calls_say_their_arguments(
    data: bytes, call: str, arguments: tuple[Any, ...]
) -> None:
    assert data[:4] == function_signature_to_4byte_selector(call)
    types = call[call.index("(") + 1 : -1]
    assert decode(types.split(",") if types else [], data[4:]) == arguments


def test_ranges_keep_the_contracts_order() -> None:
    answer = encode(["int24[2][]"], [[[10, 20], [-30, -10]]])
    held = liquidity_vault.ranges(VAULT).decode(answer)
    assert held == (a_range("[10, 20)"), a_range("[-30, -10)"))


def test_a_vault_that_was_never_rebalanced_has_no_centre() -> None:
    types = ["uint64", "uint64", "uint40", "int24", "bool"]
    never = liquidity_vault.turns(VAULT).decode(encode(types, [3, 0, 0, 0, False]))
    assert (never.seq, never.rebalanced_at, never.centre) == (3, 0, None)
    once = liquidity_vault.turns(VAULT).decode(encode(types, [4, 5, 99, -7, True]))
    assert (once.seq, once.used_wad, once.rebalanced_at, once.centre) == (4, 5, 99, -7)


def test_what_the_vault_answers_becomes_typed() -> None:
    assert liquidity_vault.bounds(VAULT).decode(arguments_of_bounds()) == BOUNDS
    account, nobody = (encode(["address"], [a]) for a in (ACCOUNT, liquidity_vault.NOBODY))
    assert liquidity_vault.owner(VAULT).decode(account) == ACCOUNT
    assert liquidity_vault.pending_owner(VAULT).decode(account) == ACCOUNT
    assert liquidity_vault.pending_owner(VAULT).decode(nobody) is None
    assert liquidity_vault.operator(VAULT).decode(nobody) == liquidity_vault.NOBODY


RANGES = (
    st.tuples(st.integers(MIN_TICK, MAX_TICK), st.integers(MIN_TICK, MAX_TICK))
    .filter(lambda edges: edges[0] != edges[1])
    .map(lambda edges: TickRange(min(edges), max(edges)))
)


@given(RANGES)
def test_a_range_is_told_by_its_positions_id(tick_range: TickRange) -> None:
    assert liquidity_vault.range_of(liquidity_vault.position_id(VAULT, tick_range)) == tick_range


@given(RANGES, RANGES)
def test_no_two_ranges_and_no_two_vaults_share_an_id(one: TickRange, other: TickRange) -> None:
    ids = {
        liquidity_vault.position_id(vault, each)
        for vault in (VAULT, OTHER_VAULT)
        for each in (one, other)
    }
    assert len(ids) == 2 * len({one, other})
