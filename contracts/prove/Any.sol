// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {hevm} from "./Cheats.sol";

/// @notice Any number at all, another at each call, also for functions that must be pure.
library Any {
    function number(uint256 bits) internal pure returns (uint256) {
        function(uint256) internal view returns (uint256) impure = _number;
        function(uint256) internal pure returns (uint256) pure_;
        assembly ("memory-safe") {
            pure_ := impure
        }
        return pure_(bits);
    }

    function _number(uint256 bits) private view returns (uint256) {
        return hevm.randomUint(bits);
    }
}
