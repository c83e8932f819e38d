"""The real core and periphery contracts in an in-process EVM, for comparison with lpmanager.amm."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from eth_abi import decode, encode
from eth_utils import function_signature_to_4byte_selector

from lpmanager.model import Liquidity, Position, SqrtPriceX96, TickRange

#: Has no wheel for Python 3.13 and later; there these comparisons are skipped, and say so.
pyrevm = pytest.importorskip("pyrevm", reason="pyrevm has no wheel for this Python")

MODULES = Path(__file__).parents[2] / "contracts" / "node_modules"
OWNER = "0x" + "11" * 20
NOBODY = "0x" + "00" * 20
FOREVER = 2**63
UINT128_MAX = 2**128 - 1
SUPPLY = 2**250


def creation_code(*path: str) -> bytes:
    artifact = json.loads(MODULES.joinpath(*path).read_text())
    return bytes.fromhex(artifact["bytecode"].removeprefix("0x"))


def _contract(package: str, name: str) -> bytes:
    return creation_code(
        "@uniswap", package, "artifacts", "contracts", f"{name}.sol", f"{name}.json"
    )


@dataclass(frozen=True)
class Chain:
    """An EVM with the factory, the position manager, the router and two tokens."""

    evm: Any
    factory: str
    manager: str
    router: str
    tokens: tuple[str, str]

    def call(self, to: str, signature: str, *args: Any, returns: str = "") -> tuple[Any, ...]:
        """Send a transaction from OWNER, or read; `returns` is a comma-separated list of types."""
        types = _argument_types(signature)
        data = function_signature_to_4byte_selector(signature) + encode(types, args)
        answer = self.evm.message_call(OWNER, to, calldata=data)
        return decode(returns.split(",") if returns else [], answer)


def deploy_chain() -> Chain:
    evm = pyrevm.EVM()
    evm.set_balance(OWNER, 10**30)

    def deploy(code: bytes, types: tuple[str, ...] = (), args: tuple[Any, ...] = ()) -> str:
        return evm.deploy(OWNER, code + encode(types, args)).lower()

    factory = deploy(_contract("v3-core", "UniswapV3Factory"))
    erc20 = creation_code(
        "@openzeppelin", "contracts", "build", "contracts", "ERC20PresetFixedSupply.json"
    )
    erc20_types = ("string", "string", "uint256", "address")
    tokens = sorted(deploy(erc20, erc20_types, (name, name, SUPPLY, OWNER)) for name in "AB")
    manager = deploy(
        _contract("v3-periphery", "NonfungiblePositionManager"),
        ("address", "address", "address"),
        (factory, NOBODY, NOBODY),
    )
    router = deploy(
        _contract("v3-periphery", "SwapRouter"), ("address", "address"), (factory, NOBODY)
    )
    chain = Chain(evm, factory, manager, router, (tokens[0], tokens[1]))
    chain.call(factory, "enableFeeAmount(uint24,int24)", 100, 1)
    for token in tokens:
        for spender in (manager, router):
            chain.call(token, "approve(address,uint256)", spender, 2**256 - 1)
    return chain


@dataclass(frozen=True)
class Slot0:
    sqrt_price_x96: int
    tick: int
    liquidity: int
    fee_growth_global: tuple[int, int]


@dataclass
class ContractPool:
    """One deployed pool, driven through the periphery."""

    chain: Chain
    fee_pips: int
    address: str = field(init=False)

    def __post_init__(self) -> None:
        (self.address,) = self.chain.call(
            self.chain.factory,
            "createPool(address,address,uint24)",
            *self.chain.tokens,
            self.fee_pips,
            returns="address",
        )

    def initialize(self, sqrt_price_x96: int, fee_protocol: tuple[int, int]) -> None:
        self.chain.call(self.address, "initialize(uint160)", sqrt_price_x96)
        self.chain.call(self.address, "setFeeProtocol(uint8,uint8)", *fee_protocol)

    def slot0(self) -> Slot0:
        price, tick = self._read("slot0()", "uint160,int24,uint16,uint16,uint16,uint8,bool")[:2]
        return Slot0(
            price,
            tick,
            self._read("liquidity()", "uint128")[0],
            (
                self._read("feeGrowthGlobal0X128()", "uint256")[0],
                self._read("feeGrowthGlobal1X128()", "uint256")[0],
            ),
        )

    def outside(self, tick: int) -> tuple[int, int]:
        """feeGrowthOutside of both tokens at a tick."""
        row = self._read(
            "ticks(int24)", "uint128,int128,uint256,uint256,int56,uint160,uint32,bool", tick
        )
        return row[2], row[3]

    def balances(self) -> tuple[int, int]:
        """The pool's own balance of both tokens."""
        held = [
            self.chain.call(t, "balanceOf(address)", self.address, returns="uint256")[0]
            for t in self.chain.tokens
        ]
        return held[0], held[1]

    def mint(self, tick_range: TickRange, amount0: int, amount1: int) -> tuple[int, int, int, int]:
        """(token id, liquidity, paid token0, paid token1)."""
        params = (
            *self.chain.tokens, self.fee_pips, tick_range.lower, tick_range.upper,
            amount0, amount1, 0, 0, OWNER, FOREVER,
        )  # fmt: skip
        signature = (
            "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,"
            "address,uint256))"
        )
        token_id, liquidity, paid0, paid1 = self.chain.call(
            self.chain.manager, signature, params, returns="uint256,uint128,uint256,uint256"
        )
        return token_id, liquidity, paid0, paid1

    def decrease(self, token_id: int, liquidity: int) -> tuple[int, int]:
        amounts = self.chain.call(
            self.chain.manager,
            "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))",
            (token_id, liquidity, 0, 0, FOREVER),
            returns="uint256,uint256",
        )
        return amounts[0], amounts[1]

    def collect(self, token_id: int) -> tuple[int, int]:
        amounts = self.chain.call(
            self.chain.manager,
            "collect((uint256,address,uint128,uint128))",
            (token_id, OWNER, UINT128_MAX, UINT128_MAX),
            returns="uint256,uint256",
        )
        return amounts[0], amounts[1]

    def position(self, token_id: int, inside_x128: tuple[int, int]) -> Position:
        """The manager's record of an NFT, with the growth inside as computed by the caller."""
        row = self.chain.call(
            self.chain.manager,
            "positions(uint256)",
            token_id,
            returns="uint96,address,address,address,uint24,int24,int24,uint128,"
            "uint256,uint256,uint128,uint128",
        )
        return Position(
            token_id=token_id,
            range=TickRange(row[5], row[6]),
            liquidity=Liquidity(row[7]),
            fee_growth_inside0_x128=inside_x128[0],
            fee_growth_inside1_x128=inside_x128[1],
            fee_growth_inside0_last_x128=row[8],
            fee_growth_inside1_last_x128=row[9],
            tokens_owed0=row[10],
            tokens_owed1=row[11],
        )

    def swap(
        self, zero_for_one: bool, amount_specified: int, limit: SqrtPriceX96
    ) -> tuple[int, int]:
        """Swap through the router; what the pool gained of each token (negative = paid out)."""
        sell, buy = self.chain.tokens if zero_for_one else self.chain.tokens[::-1]
        kind, amounts = (
            ("exactInputSingle", (amount_specified, 0))
            if amount_specified > 0
            else ("exactOutputSingle", (-amount_specified, SUPPLY))
        )
        before = self.balances()
        self.chain.call(
            self.chain.router,
            f"{kind}((address,address,uint24,address,uint256,uint256,uint256,uint160))",
            (sell, buy, self.fee_pips, OWNER, FOREVER, *amounts, limit),
        )
        after = self.balances()
        return after[0] - before[0], after[1] - before[1]

    def _read(self, signature: str, returns: str, *args: Any) -> tuple[Any, ...]:
        return self.chain.call(self.address, signature, *args, returns=returns)


def _argument_types(signature: str) -> list[str]:
    inner = signature[signature.index("(") + 1 : -1]
    if inner.startswith("("):
        return [inner]
    return inner.split(",") if inner else []
