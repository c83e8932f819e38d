"""The deployed bytecode of UniswapV3Pool in pyrevm: what every other engine has to equal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import pyrevm
from eth_abi import decode, encode
from eth_utils import function_signature_to_4byte_selector

from side_by_side.serving import Round, calculated, serve
from side_by_side.workload import FEE_PIPS, SQRT_PRICE_X96, Row, Workload

CONTRACTS = Path(__file__).resolve().parents[4] / "contracts"
FACTORY = "node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/"
DEPLOYER = "0x" + "11" * 20
SUPPLY = 2**200


class Market:
    """One pool, and a trader that holds enough of both tokens for everything."""

    def __init__(self, workload: Workload) -> None:
        self.evm = pyrevm.EVM()
        self.evm.set_balance(DEPLOYER, 10**30)
        factory = self._deploy(FACTORY + "UniswapV3Factory.json")
        self.trader = self._deploy("artifacts/FlowTrader.json")
        arguments = encode(("string", "string", "uint8"), ("token", "T", 18))
        tokens = [self._deploy("artifacts/TestToken.json", arguments) for _ in range(2)]
        for token in tokens:
            self._call(token, "mint(address,uint256)", self.trader, SUPPLY)
        create = "createPool(address,address,uint24)"
        self.pool: str = self._read(factory, create, "address", *tokens, FEE_PIPS)[0]
        self._call(self.pool, "initialize(uint160)", SQRT_PRICE_X96)
        for position in workload.positions:
            self._call(self.trader, "mint(address,int24,int24,uint128)", self.pool, *position)
        self.orders = [
            (order, self._data("swap(address,bool,int256,uint160)", self.pool, *order, order.limit))
            for order in workload.orders
        ]

    def run(self) -> Round:
        rows, seconds = [], 0.0
        for order, data in self.orders:
            began = perf_counter()
            self.evm.message_call(DEPLOYER, self.trader, calldata=data)
            seconds += perf_counter() - began
            # The pool's Swap event is the last of the call.
            event = bytes(self.evm.result.logs[-1].data[1])
            kinds = ("int256", "int256", "uint160", "uint128", "int24")
            amount0, amount1, price, liquidity, tick = decode(kinds, event)
            rows.append(Row(price, tick, liquidity, calculated(order, amount0, amount1)))
        growth0, growth1 = (
            self._read(self.pool, f"feeGrowthGlobal{token}X128()", "uint256")[0] for token in (0, 1)
        )
        return Round(seconds, rows, (growth0, growth1))

    def _deploy(self, artifact: str, arguments: bytes = b"") -> str:
        code: str = json.loads((CONTRACTS / artifact).read_text())["bytecode"]
        address: str = self.evm.deploy(DEPLOYER, bytes.fromhex(code.removeprefix("0x")) + arguments)
        return address.lower()

    def _data(self, signature: str, *arguments: Any) -> bytes:
        kinds = [k for k in signature.partition("(")[2].removesuffix(")").split(",") if k]
        return function_signature_to_4byte_selector(signature) + encode(kinds, arguments)

    def _call(self, to: str, signature: str, *arguments: Any) -> bytes:
        answer: bytes = self.evm.message_call(
            DEPLOYER, to, calldata=self._data(signature, *arguments)
        )
        return answer

    def _read(self, to: str, signature: str, returns: str, *arguments: Any) -> tuple[Any, ...]:
        return decode((returns,), self._call(to, signature, *arguments))


def engine(workload: Workload) -> Callable[[], Round]:
    return lambda: Market(workload).run()


if __name__ == "__main__":
    serve(engine)
