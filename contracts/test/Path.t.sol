// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "../src/vault/IVault.sol";
import {Bench} from "./Bench.sol";
import {vm} from "./Vm.sol";

/// @notice The way through: deploy, fund, open, move with a swap, exit.
contract PathTest is Bench {
    function test_deployed_funded_rebalanced_and_left_with_everything() public {
        _open(-600, 600, 1e21);
        _equal(vault.ranges().length, 1);
        for (uint256 i = 0; i < 6; i++) market.swap(pool, i % 2 == 0, 1e19);
        _settle(50);

        IVault.Rebalance memory order = _order();
        order.swap = IVault.Swap(false, 1e18, 2 << 96, 9e17);
        order.mints = _mints(_mint(-600, 700, 1e21), _mint(60, 360, 5e20));
        _rebalance(order);
        _equal(vault.ranges().length, 2);
        _equal(_seq(), 2);

        vm.prank(OWNER);
        vault.exit(OWNER, true, true);
        _equal(vault.ranges().length, 0);
        _equal(token0.balanceOf(address(vault)), 0);
        _equal(token1.balanceOf(address(vault)), 0);
        uint256 total = token0.balanceOf(OWNER) + token1.balanceOf(OWNER);
        require(total > 2 * FUNDS * 999 / 1000, "something is missing");
    }
}
