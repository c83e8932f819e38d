// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A list of up to four tick ranges in one word: 48 bits each, the lower tick above the upper
/// one, the first range lowest. No range is zero, because its lower tick is below its upper one.
library Held {
    uint256 internal constant MAX = 4;
    uint256 private constant BITS = 48;
    uint256 private constant MASK = (1 << BITS) - 1;

    function range(int24 tickLower, int24 tickUpper) internal pure returns (uint256) {
        return (uint256(uint24(tickLower)) << 24) | uint24(tickUpper);
    }

    function ticks(uint256 range_) internal pure returns (int24 tickLower, int24 tickUpper) {
        return (int24(uint24(range_ >> 24)), int24(uint24(range_)));
    }

    /// @return The range at `index`, zero past the end.
    function at(uint256 held, uint256 index) internal pure returns (uint256) {
        return (held >> (BITS * index)) & MASK;
    }

    function count(uint256 held) internal pure returns (uint256 n) {
        while (at(held, n) != 0) n++;
    }

    /// @notice Adds a range unless it is in the list.
    /// @return The list, and whether there was room.
    function add(uint256 held, uint256 range_) internal pure returns (uint256, bool) {
        uint256 i = 0;
        for (uint256 there; i < MAX; i++) {
            there = at(held, i);
            if (there == range_) return (held, true);
            if (there == 0) return (held | (range_ << (BITS * i)), true);
        }
        return (held, false);
    }

    /// @notice The lowest and the highest tick of a list that is not empty.
    function hull(uint256 held) internal pure returns (int24 lowest, int24 highest) {
        (lowest, highest) = ticks(at(held, 0));
        for (uint256 i = 1; at(held, i) != 0; i++) {
            (int24 tickLower, int24 tickUpper) = ticks(at(held, i));
            if (tickLower < lowest) lowest = tickLower;
            if (tickUpper > highest) highest = tickUpper;
        }
    }
}
