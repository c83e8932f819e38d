// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TickMath} from "@uniswap/v4-core/src/libraries/TickMath.sol";

import {IVault} from "../src/vault/IVault.sol";
import {Bench} from "./Bench.sol";

/// @notice One full rebalance of one range: burn, collect, swap, mint. What it takes is the largest of `rebalance`
/// in `forge test --isolate --gas-report --match-test crosses_no_tick`, or `crosses_two_ticks`.
contract GasTest is Bench {
    function setUp() public override {
        super.setUp();
        market.add(pool, 60, 120, 1e21);
        _open(-600, 600, 1e21);
        for (uint256 i = 0; i < 6; i++) market.swap(pool, i % 2 == 0, 1e19);
        _settle(50);
    }

    function test_a_full_rebalance_whose_swap_crosses_no_tick() public {
        _rebalanceTo(59, 1e18);
        require(_tick() < 60, "a tick was crossed");
    }

    function test_a_full_rebalance_whose_swap_crosses_two_ticks() public {
        _rebalanceTo(140, 45e18);
        require(_tick() >= 120, "not two ticks were crossed");
    }

    function _rebalanceTo(int24 limit, uint128 amountIn) private {
        IVault.Rebalance memory order = _order();
        order.swap = IVault.Swap(false, amountIn, TickMath.getSqrtPriceAtTick(limit), uint256(amountIn) * 9 / 10);
        order.mints = _mints(_mint(-550, 650, 1e21));
        _rebalance(order);
    }
}
