// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "../src/vault/IVault.sol";
import {Bench} from "./Bench.sol";
import {vm} from "./Vm.sol";

/// @notice Many tiny operations against a large one: each may lose a unit of either token to rounding, no more.
/// forge-config: default.fuzz.runs = 10
/// forge-config: full.fuzz.runs = 1000
contract DustTest is Bench {
    uint256 private constant TIMES = 50;

    function setUp() public override {
        super.setUp();
        IVault.Bounds memory quick = _bounds();
        quick.cooldown = 60;
        vm.prank(OWNER);
        vault.setBounds(quick);
    }

    function test_many_small_mints_cost_a_unit_more_each_than_a_large_one(uint64 size, int16 tick) public {
        _settle(int24(tick) % 500);
        (int24 lower, int24 upper) = (_tick() / 10 * 10 - 30, _tick() / 10 * 10 + 40);
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < TIMES; i++) _mintOf(lower, upper, 2_000 + size % 1e6);
        uint128 liquidity = _liquidity(lower, upper);
        (uint256 small0, uint256 small1) = _idle();
        vm.revertToState(before);
        _mintOf(lower, upper, TIMES * (3_000 + size % 1e6));
        (uint256 large0, uint256 large1) = _idle();
        uint128 more = _liquidity(lower, upper);
        require(more >= liquidity, "the large one is no larger");
        (uint256 paid0, uint256 paid1) = (FUNDS - large0, FUNDS - large1);
        _atMost(FUNDS - small0, paid0 * liquidity / more + 1 + TIMES);
        _atMost(FUNDS - small1, paid1 * liquidity / more + 1 + TIMES);
    }

    function test_dust_moved_round_and_round_loses_a_unit_each_time_at_most(uint64 size) public {
        (uint256 amount0, uint256 amount1) = _idle();
        for (uint256 i = 0; i < TIMES; i++) {
            IVault.Rebalance memory order;
            order.mints = _mints(_mint(-30, 30, 1_000 + size % 1e9 + uint128(i) * 7));
            order.burn0Min = i == 0 ? 0 : 1;
            _rebalance(order);
            _wait(60);
        }
        vm.prank(OWNER);
        vault.exit(STRANGER, true, true);
        _atMost(amount0, token0.balanceOf(STRANGER) + TIMES);
        _atMost(amount1, token1.balanceOf(STRANGER) + TIMES);
    }

    function test_fees_taken_often_are_a_unit_less_each_time_than_fees_taken_once(uint64 traded) public {
        _open(-600, 600, 1e21);
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < TIMES; i++) {
            market.swap(pool, i % 2 == 0, uint256(traded) + 1);
            vm.prank(OPERATOR);
            vault.collectFees();
        }
        (uint256 often0, uint256 often1) = _idle();
        vm.revertToState(before);
        for (uint256 i = 0; i < TIMES; i++) market.swap(pool, i % 2 == 0, uint256(traded) + 1);
        vm.prank(OPERATOR);
        vault.collectFees();
        (uint256 once0, uint256 once1) = _idle();
        _atMost(once0, often0 + TIMES);
        _atMost(once1, often1 + TIMES);
    }

    function _mintOf(int24 lower, int24 upper, uint256 amount) private {
        IVault.Rebalance memory order;
        order.keep = (1 << vault.ranges().length) - 1;
        order.mints = _mints(IVault.Mint(lower, upper, amount, amount, 1, 0));
        _rebalance(order);
        _wait(60);
    }

    function _idle() private view returns (uint256, uint256) {
        return (token0.balanceOf(address(vault)), token1.balanceOf(address(vault)));
    }
}
