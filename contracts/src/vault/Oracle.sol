// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IPool} from "./IUniswapV3.sol";

/// @notice What a pool remembers of its tick.
library Oracle {
    error NoHistory(uint32 window);

    /// @return average That of the last `window` seconds, rounded down.
    /// @return last That of the second before this block, which nothing done in this block can change.
    /// @dev Reverts where the pool does not remember the whole window.
    function ticks(IPool pool, uint32 window) internal view returns (int24 average, int24 last) {
        uint32[] memory ago = new uint32[](3);
        (ago[0], ago[1]) = (window, 1);
        // slither-disable-next-line unused-return -- the liquidity of the time is not asked for
        try pool.observe(ago) returns (int56[] memory sums, uint160[] memory) {
            unchecked {
                int56 moved = sums[2] - sums[0];
                int56 span = int56(uint56(window));
                average = int24(moved / span);
                if (moved < 0 && moved % span != 0) average--;
                last = int24(sums[2] - sums[1]);
            }
        } catch {
            revert NoHistory(window);
        }
    }
}
