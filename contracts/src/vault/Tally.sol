// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Held} from "./Held.sol";
import {Worth} from "./Worth.sol";

/// @notice What positions would hold at either of two prices, added up.
struct Tally {
    uint160[2] prices;
    uint256[2] amount0;
    uint256[2] amount1;
}

/// @notice Counts the vault's worth at two prices at once.
library Tallies {
    using Held for uint256;

    /// @dev Adds what a position would hold at either price, rounded down.
    function add(Tally memory tally, uint256 range, uint128 liquidity) internal pure {
        (int24 tickLower, int24 tickUpper) = range.ticks();
        (uint160 sqrtLower, uint160 sqrtUpper) = (Worth.sqrtPriceAt(tickLower), Worth.sqrtPriceAt(tickUpper));
        for (uint256 k = 0; k < 2; k++) {
            (uint256 amount0, uint256 amount1) = Worth.amountsDown(tally.prices[k], sqrtLower, sqrtUpper, liquidity);
            tally.amount0[k] += amount0;
            tally.amount1[k] += amount1;
        }
    }

    /// @return worths What was counted and what lies idle, at either price.
    function worth(Tally memory tally, uint256 idle0, uint256 idle1, bool up)
        internal
        pure
        returns (uint256[2] memory worths)
    {
        for (uint256 k = 0; k < 2; k++) {
            worths[k] = Worth.value(tally.amount0[k] + idle0, tally.amount1[k] + idle1, tally.prices[k], up);
        }
    }
}
