// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IVault} from "../src/vault/IVault.sol";
import {Oracle} from "../src/vault/Oracle.sol";
import {Worth} from "../src/vault/Worth.sol";
import {Campaign} from "./Campaign.sol";
import {vm} from "./Vm.sol";

/// @notice Whoever has the operator's key and money to move the price, for 24 hours: all that can be made to
/// leak is the budget.
contract LeakTest is Campaign {
    uint256 private constant DAY = 1 days;
    uint256 private constant BUDGET = 10_000; // parts of a million

    /// @dev The price is pushed away, the widest loss is taken, the price comes back at once. The average
    /// stays at the true price. Fees that the pushes pay to the vault are not counted for it.
    function test_minting_at_a_displaced_price_all_day_leaks_no_more_than_the_budget() public {
        _settle(0);
        uint256 start = _worthAt(0);
        uint256 ends = block.timestamp + DAY;
        uint256 refused = 0;
        for (uint256 step = 0; _now() < ends; step++) {
            int24 away = step % 2 == 0 ? int24(95) : int24(-95);
            _moveTo(away);
            int24 middle = away / 10 * 10;
            if (!_tryNarrow(middle, 2e22) || vault.budgetLeft() < 1e14) refused++;
            _moveTo(0);
            _wait(600);
        }
        require(refused > 0, "the budget was never felt");
        _atMost(start * (1_000_000 - BUDGET) / 1_000_000, _worthAt(0));
    }

    /// forge-config: default.fuzz.runs = 100
    /// forge-config: full.fuzz.runs = 10000
    /// @dev At random: displacement, width, size, swaps, waiting. After each step the loss at the true price,
    /// taken alone, is added up; gains are not.
    function test_no_campaign_of_a_day_leaks_more_than_the_budget(uint256 seed) public {
        _random = seed;
        _settle(0);
        uint256 ends = _now() + DAY;
        uint256 lost = 0;
        while (_now() < ends) {
            _moveTo(int24(int256(_draw(200)) - 100));
            vm.prank(OPERATOR);
            vault.collectFees();
            uint256 before = _worthAt(0);
            _tryAnything();
            uint256 later = _worthAt(0);
            lost += Worth.lossUp(before, later);
            _moveTo(0);
            _wait(600 + (_draw(4) == 0 ? _draw(7200) : 0));
        }
        _atMost(lost, BUDGET * 1e12 + 1e6);
    }

    /// @dev The market has moved, the average has not followed, and the adversary puts the spot anywhere in
    /// the same block: at no price between the average and the market is more lost than was spent.
    /// forge-config: default.fuzz.runs = 200
    /// forge-config: full.fuzz.runs = 100000
    function test_a_lagging_average_leaks_no_more_at_any_price_between(uint256 seed) public {
        _random = seed;
        _settle(0);
        _tryAnything();
        _wait(1 days);
        _settle(0);
        int24 fair = int24(int256(_draw(199)) - 99);
        _moveTo(fair);
        _wait(1);
        _moveTo(int24(int256(_draw(199)) - 99));
        vm.prank(OPERATOR);
        vault.collectFees();
        (int24 average,) = Oracle.ticks(pool, 300);
        int24[5] memory ticks;
        uint256[5] memory before;
        for (uint256 i = 0; i < 5; i++) {
            ticks[i] = average + (fair - average) * int24(int256(i)) / 4;
            before[i] = _worthAt(ticks[i]);
        }
        uint256 left = vault.budgetLeft();
        _tryAnything();
        uint256 spent = left - vault.budgetLeft();
        for (uint256 i = 0; i < 5; i++) _atMost(Worth.lossUp(before[i], _worthAt(ticks[i])), spent + 1e6);
    }

    function _tryNarrow(int24 middle, uint128 most) private returns (bool) {
        IVault.Rebalance memory order;
        for (uint128 liquidity = most; liquidity > 1e18; liquidity /= 2) {
            order.mints = _mints(_mint(middle - 30, middle + 30, liquidity));
            if (_try(order)) return true;
        }
        return false;
    }
}
